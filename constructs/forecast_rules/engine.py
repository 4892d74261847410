"""The engine that checks templates outside of the CDK: the one that the CDK has built in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudformation_validate import (
    CompositeEngine,
    CompositeEngineConfig,
    ExternalRuleSource,
    PseudoParameterOverrides,
    RuleFilterConfig,
    RuleOrigin,
    Severity,
    TemplateContent,
    ValidateConfig,
)

from forecast_rules.catalog import rego_sources

if TYPE_CHECKING:
    from cloudformation_validate import Diagnostic

_IGNORED = ["W3005", "W1020", "E1018", "W9002", "W9013", "W1103"]
"""Built-in rules that the CDK's plugin leaves out, too (aws-cdk-lib 2.275.0)."""

_SYNTAX = "F1101"
"""What the engine says of a text that is neither JSON nor YAML."""


class TemplateUnreadableError(ValueError):
    """A text is not a CloudFormation template: why not."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a rule says of a template.

    Attributes:
        rule_id: The rule.
        severity: `error`, which AWS refuses or which harms, or `warning`.
        message: What is wrong, with the value found.
        file: Name of the template.
        line: Line of the template, from 1.
        resource: Logical id of what is meant; None when it is the whole template.
        property_path: Where in the resource.
        fix: What to do instead; None when the rule does not say.
        url: Where the rule comes from; None when the rule does not say.
        own: Whether the rule is one of the project's own, not one that is built into the engine.
    """

    rule_id: str
    severity: str
    message: str
    file: str
    line: int
    resource: str | None
    property_path: str | None
    fix: str | None
    url: str | None
    own: bool


class RuleEngine:
    """The rules, compiled once; checking a template then takes milliseconds."""

    def __init__(self) -> None:
        """Compile the rules; takes about half a second."""
        sources = [ExternalRuleSource(name=name, content=text) for name, text in rego_sources()]
        self._engine = CompositeEngine(CompositeEngineConfig(rego_rules=sources))

    def check(
        self,
        content: str | bytes,
        *,
        name: str = "template",
        region: str | None = None,
        account: str | None = None,
        builtin: bool = False,
    ) -> list[Finding]:
        """What the rules find in a template, in the order of its lines.

        Args:
            content: A CloudFormation template in JSON or YAML.
            name: What the findings call it.
            region: Region it is deployed to; rules on regions say nothing without it.
            account: Account it is deployed to.
            builtin: Whether the engine's own rules (schemas, references, limits) are run, too.

        Raises:
            TemplateUnreadableError: It is not a template.
        """
        report = self._engine.validate_template(
            TemplateContent(content, name),
            ValidateConfig(
                severity_level=Severity.WARN,
                exclude=RuleFilterConfig(ids=_IGNORED),
                pseudo_parameter_overrides=PseudoParameterOverrides(
                    region=region, account_id=account
                ),
                disable_builtin_rules=not builtin,
            ),
        )
        for diagnostic in report.diagnostics:
            if diagnostic.rule_id == _SYNTAX:
                line = _line_of(diagnostic)
                raise TemplateUnreadableError(f"line {line}: {diagnostic.message}")
        if report.metadata.resources_scanned == 0:
            raise TemplateUnreadableError("it has no Resources")
        found = (_finding(diagnostic, name) for diagnostic in report.diagnostics)
        return sorted(found, key=lambda one: (one.line, one.rule_id, one.message))


def _line_of(diagnostic: Diagnostic) -> int:
    return 1 if diagnostic.start_line is None else int(diagnostic.start_line)


def _finding(diagnostic: Diagnostic, file: str) -> Finding:
    return Finding(
        rule_id=diagnostic.rule_id,
        severity="warning" if diagnostic.severity is Severity.WARN else "error",
        message=diagnostic.message,
        file=file,
        line=_line_of(diagnostic),
        resource=None if diagnostic.entity is None else diagnostic.entity.logical_id,
        property_path=diagnostic.property_path,
        fix=diagnostic.suggested_fix,
        url=diagnostic.documentation_url,
        own=diagnostic.source is RuleOrigin.CUSTOM,
    )
