"""An existing key: whether it is there, enabled, and lets in who needs it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from forecast_config.regions import dns_suffix_of
from forecast_config.settings import ExistingKey
from forecast_operations.preflight.finding import failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.preflight.finding import Finding
    from forecast_operations.preflight.surroundings import Surroundings

_CHECK = "key"
_POLICY = "key policy"


def look_at_key(around: Surroundings) -> Iterator[Finding]:
    """Whether the key that the configuration names can encrypt, and its policy lets in services."""
    settings = around.settings.encryption
    if not isinstance(settings, ExistingKey):
        yield ok(_CHECK, "made with the stack", "encryption.kind: new")
        return
    found = around.cloud.ask("kms", "describe_key", missing="NotFoundException", KeyId=settings.arn)
    if found is None:
        advice = "give the ARN of a key of this account and region as encryption.arn"
        yield failed(_CHECK, "no such key", settings.arn, advice)
        return
    yield _check_key(found["KeyMetadata"], around.region)
    policy = around.cloud.ask("kms", "get_key_policy", KeyId=settings.arn, PolicyName="default")
    yield _check_policy(json.loads(policy["Policy"]), around)


def _check_key(key: dict[str, Any], region: str) -> Finding:
    expected = "Enabled, symmetric, for encryption"
    spec = key.get("KeySpec", "SYMMETRIC_DEFAULT")
    found = f"{key['KeyState']}, {spec}, {key['KeyUsage']}"
    enable = f"aws kms enable-key --key-id {key['KeyId']} --region {region}"
    if key["KeyState"] == "PendingDeletion":
        cancel = f"aws kms cancel-key-deletion --key-id {key['KeyId']} --region {region}"
        return failed(_CHECK, found, expected, f"{cancel}, then: {enable}")
    if key["KeyState"] != "Enabled":
        return failed(_CHECK, found, expected, enable)
    if spec != "SYMMETRIC_DEFAULT" or key["KeyUsage"] != "ENCRYPT_DECRYPT":
        return failed(_CHECK, found, expected, "take a symmetric key for encryption")
    return ok(_CHECK, found, expected)


def _check_policy(policy: dict[str, Any], around: Surroundings) -> Finding:
    principals = " ".join(_allowed(policy))
    wanted = {
        f"logs.{around.region}.{dns_suffix_of(around.region)}": "log groups",
        "cloudwatch.amazonaws.com": "alarms",
        f":{around.account}:root": "the account's own policies",
    }
    if around.settings.alarms.budget is not None:
        wanted["budgets.amazonaws.com"] = "the budget"
    missing = [f"{name} ({why})" for name, why in wanted.items() if name not in principals]
    expected = f"a policy that names {', '.join(wanted)}"
    if not missing:
        return ok(_POLICY, "names them; its conditions were not weighed", expected)
    advice = (
        "let them in as the page on security says (An existing key), or synthesize once with "
        "encryption.kind new and take the statements from there"
    )
    return warning(_POLICY, f"names no {', no '.join(missing)}", expected, advice)


def _allowed(policy: dict[str, Any]) -> Iterator[str]:
    """Principals of the statements that allow."""
    statements = policy.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement.get("Effect") == "Allow":
            yield json.dumps(statement.get("Principal"))
