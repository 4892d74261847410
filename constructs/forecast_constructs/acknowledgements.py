"""Reasons for what a policy check would object to, one for each finding."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from aws_cdk import Acknowledgment, Stack, Validations

if TYPE_CHECKING:
    from aws_cdk import CfnResource
    from constructs import IConstruct

_NIST: Final = "NIST.800.53.R5"
_PCI: Final = "PCI.DSS.321"
_HIPAA: Final = "HIPAA.Security"

PACKS_OF_RULE: Final = {
    "CloudWatchAlarmAction": (_NIST, _HIPAA),
    "LambdaInsideVPC": (_NIST, _PCI, _HIPAA),
    "S3BucketReplicationEnabled": (_NIST, _PCI, _HIPAA),
    "S3DefaultEncryptionKMS": (_NIST, _PCI, _HIPAA),
    "SageMakerEndpointConfigurationKMSKeyConfigured": (_NIST, _PCI, _HIPAA),
    "VPCDefaultSecurityGroupClosed": (_NIST, _PCI, _HIPAA),
}
"""The conformance packs of cdk-nag that have a rule, by the rule's name, which they share."""

_AWS_SOLUTIONS_RULE: Final = re.compile(r"[A-Z]+[0-9]+(\[.+\])?")


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Record why a rule of cdk-nag does not hold for a construct, in every pack that has it.

    Args:
        construct: What the finding is about.
        rule: A rule of the conformance packs (`S3BucketReplicationEnabled`), a rule of AwsSolutions
            (`S1`), or one finding of such a rule (`IAM5[Resource::*]`).
        reason: Why it is right as it is.

    Raises:
        ValueError: The rule is neither in `PACKS_OF_RULE` nor has the form of an AwsSolutions id.
    """
    if rule in PACKS_OF_RULE:
        ids = [f"{pack}::{pack}-{rule}" for pack in PACKS_OF_RULE[rule]]
    elif _AWS_SOLUTIONS_RULE.fullmatch(rule):
        ids = [f"AwsSolutions::AwsSolutions-{rule}"]
    else:
        raise ValueError(
            f"expected a rule of PACKS_OF_RULE or an AwsSolutions id such as S1, got '{rule}'"
        )
    _record(construct, ids, reason)


def acknowledge_wildcard(policy: IConstruct, resource_arn: str, reason: str) -> None:
    """Record why a policy allows something on every resource that an ARN with a `*` matches."""
    shown = _flatten(Stack.of(policy).resolve(resource_arn))
    acknowledge(policy, f"IAM5[Resource::{shown}]", reason)


def acknowledge_template_rule(construct: IConstruct, rule: str, reason: str) -> None:
    """Record why a rule of the CDK's own template validation does not hold for a construct."""
    _record(construct, [f"CloudFormation-Validate::{rule}"], reason)


def acknowledge_checkov(resource: CfnResource, *reasons: tuple[str, str]) -> None:
    """Record in the template why checks of checkov do not hold for a resource.

    checkov itself reads it there, so that whoever runs it on the template finds the reason.

    Args:
        resource: What the findings are about.
        *reasons: Id of a check, such as `CKV_AWS_18`, and why it is right as it is. Together,
            because a second call would take the place of the first.
    """
    resource.add_metadata(
        "checkov", {"skip": [{"id": check, "comment": reason} for check, reason in reasons]}
    )


def _record(construct: IConstruct, rule_ids: list[str], reason: str) -> None:
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=rule_id, reason=reason) for rule_id in rule_ids)
    )


def _flatten(resolved: Any) -> str:
    # As cdk-nag writes an ARN in the id of a finding: references in angle brackets.
    if isinstance(resolved, str):
        return resolved.replace("${", "<").replace("}", ">")
    ((function, argument),) = resolved.items()
    if function == "Ref":
        return f"<{argument}>"
    if function == "Fn::GetAtt":
        return f"<{'.'.join(argument)}>"
    if function == "Fn::Join":
        separator, parts = argument
        return str(separator).join(_flatten(part) for part in parts)
    # Fn::Sub and Fn::ImportValue: what they take, without their names.
    return _flatten(argument)
