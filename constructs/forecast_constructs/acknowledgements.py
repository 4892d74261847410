"""Reasons for what a policy check would object to, one for each finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Acknowledgment, Stack, Validations

if TYPE_CHECKING:
    from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Record why a rule of cdk-nag's AwsSolutions pack does not hold for a construct.

    Args:
        construct: What the finding is about.
        rule: The rule, such as `S1`, or one finding of it, such as `IAM5[Resource::*]`.
        reason: Why it is right as it is.
    """
    _record(construct, f"AwsSolutions::AwsSolutions-{rule}", reason)


def acknowledge_wildcard(policy: IConstruct, resource_arn: str, reason: str) -> None:
    """Record why a policy allows something on every resource that an ARN with a `*` matches."""
    shown = _flatten(Stack.of(policy).resolve(resource_arn))
    acknowledge(policy, f"IAM5[Resource::{shown}]", reason)


def acknowledge_template_rule(construct: IConstruct, rule: str, reason: str) -> None:
    """Record why a rule of the CDK's own template validation does not hold for a construct."""
    _record(construct, f"CloudFormation-Validate::{rule}", reason)


def _record(construct: IConstruct, rule_id: str, reason: str) -> None:
    Validations.of(construct).acknowledge(Acknowledgment(id=rule_id, reason=reason))


def _flatten(resolved: Any) -> str:
    # As cdk-nag writes an ARN in the id of a finding: references in angle brackets.
    if isinstance(resolved, str):
        return resolved
    if "Ref" in resolved:
        return f"<{resolved['Ref']}>"
    _, parts = resolved["Fn::Join"]
    return "".join(_flatten(part) for part in parts)
