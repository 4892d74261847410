"""The evaluation of bucket policies."""

import json
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

_EVERYONE: tuple[Any, ...] = ("*", {"AWS": "*"}, {"AWS": ["*"]})


def bucket_permission(self: FakeBucket, action: str, resource: str) -> Any:
    """Judge a request by the unconditional statements of a bucket's policy about everyone.

    moto takes a statement with a condition for one that applies always, and one about a role for
    one about everyone: the usual "deny what does not come by TLS" would deny every upload. No
    other statement is judged here, as no request here is signed by anybody real.
    """
    if self.policy is None:
        return PermissionResult.NEUTRAL
    document = json.loads(self.policy)
    statements = document.get("Statement", [])
    judged = [
        statement
        for statement in (statements if isinstance(statements, list) else [statements])
        if "Condition" not in statement and statement.get("Principal") in _EVERYONE
    ]
    policy = IAMPolicy(json.dumps({**document, "Statement": judged}))
    return policy.is_action_permitted(action, resource)


def log_delivery_allowed(target_bucket: FakeBucket, target_prefix: str | None) -> bool:  # noqa: ARG001 - moto's signature
    """Accept every bucket of the account as the target of access logs, as AWS does.

    moto wants the target's policy first. AWS does not look at it, and cannot: a policy that names
    the logged bucket, as the CDK writes it, can only be put after that bucket was created.
    """
    return True
