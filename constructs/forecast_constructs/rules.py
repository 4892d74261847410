"""The project's own rules inside a synth, for this app and for any other CDK app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CloudFormationValidatePlugin, ValidationRuleSource

from forecast_rules import rego_sources

if TYPE_CHECKING:
    from collections.abc import Iterable


class SageMakerRules(CloudFormationValidatePlugin):
    """What AWS refuses late, ignores silently or undoes by itself, found on the finished templates.

    One line adds it to an app:

        Validations.of(app).add_plugins(SageMakerRules())

    It takes the place of the template validation that the CDK adds by itself, and runs its rules,
    too. An app has one of it. With the context `@aws-cdk/core:validateAgainstDefaultRules` an error
    ends the synth; without it the CDK reports errors as warnings. A finding is acknowledged as
    `CloudFormation-Validate::FC-ROLLOUT-001`, with a reason.
    """

    def __init__(self, *, additional_rego_rules: Iterable[tuple[str, str]] = ()) -> None:
        """Compile the rules.

        Args:
            additional_rego_rules: Name and content of rules of the app's own (cloudformation-
                validate, "Custom Rules Reference").
        """
        modules = (*rego_sources(), *additional_rego_rules)
        sources: list[Any] = [
            ValidationRuleSource(name=name, content=content) for name, content in modules
        ]
        super().__init__(rego_rules=sources)
