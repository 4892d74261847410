"""Changes of capacity as DescribeScalingActivities tells them, and what suspends them."""

import uuid
from typing import Any

from moto.applicationautoscaling.models import FakeScalableTarget

from forecast_local import context


def activity(target: FakeScalableTarget, before: int, after: int, cause: str) -> dict[str, Any]:
    """Return one change of capacity that was made.

    Args:
        target: What was scaled.
        before: Its capacity before.
        after: Its capacity now.
        cause: What set it off.
    """
    now = context.current().clock.now().timestamp()
    what = "desired instance count" if "InstanceCount" in target.scalable_dimension else "capacity"
    return {
        "ActivityId": str(uuid.uuid4()),
        "ServiceNamespace": target.service_namespace,
        "ResourceId": target.resource_id,
        "ScalableDimension": target.scalable_dimension,
        "Description": f"Setting {what} to {after}.",
        "Cause": f"{cause}, changing from {before}",
        "StartTime": now,
        "EndTime": now,
        "StatusCode": "Successful",
        "StatusMessage": f"Successfully set {what} to {after}.",
    }


def is_suspended(target: FakeScalableTarget, what: str) -> bool:
    """Whether a kind of scaling is suspended (SuspendedState of the API reference)."""
    state: Any = target.suspended_state
    return bool((state or {}).get(what))
