"""The statuses of an endpoint: in which of them it cannot be updated, and the way out of them.

Source: Amazon SageMaker API reference, DescribeEndpoint, `EndpointStatus`.
"""

from __future__ import annotations

IN_SERVICE = "InService"
UPDATING = "Updating"
UNDOING = "RollingBack"
GOING = "Deleting"

MIXED = "UpdateRollbackFailed"
"""An update failed and so did its rollback: instances of both configurations may answer."""

_UNDER_WAY = ("Creating", UPDATING, "SystemUpdating", UNDOING, GOING)
_BROKEN = ("Failed", "OutOfService")


def is_in_transition(status: str) -> bool:
    """Whether an endpoint is in a transition, in which SageMaker takes no other request."""
    return status in _UNDER_WAY


def is_broken(status: str) -> bool:
    """Whether nothing can be done with an endpoint but to delete it."""
    return status in _BROKEN


def way_out(environment: str, endpoint_name: str, status: str, region: str) -> str:
    """What to do about an endpoint that is there, but not in service.

    Args:
        environment: Name of its environment.
        endpoint_name: Its name.
        status: Its status.
        region: Its region.
    """
    if is_in_transition(status):
        return (
            "wait until it is InService: aws sagemaker wait endpoint-in-service --endpoint-name "
            f"{endpoint_name} --region {region}"
        )
    if status == MIXED:
        return (
            "an update failed, and so did its rollback: instances of two configurations may "
            f"answer; another update mends it: forecast deploy {environment}, or forecast rollback "
            f"{environment}; where both are refused, delete the endpoint's stack"
        )
    return (
        "SageMaker does nothing with it but delete it: forecast deploy "
        f"{environment} --allow-recreate"
    )


def way_back(environment: str, machine: str | None, region: str) -> str:
    """What to do about an endpoint that is away though its stack is deployed.

    Args:
        environment: Name of its environment.
        machine: ARN of the state machine of its off hours; None where it has none.
        region: Its region.
    """
    if machine is not None:
        return (
            "these are its off hours, or somebody deleted it; bring it back: aws stepfunctions "
            f"start-execution --state-machine-arn {machine} --region {region} "
            '--input \'{"action": "start"}\''
        )
    return (
        f"after forecast stop: forecast start {environment}; else look who deleted it "
        f"(DeleteEndpoint in AWS CloudTrail), and run: forecast deploy {environment} "
        "--allow-recreate"
    )
