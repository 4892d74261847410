"""Errors of Application Auto Scaling that moto lacks."""

from moto.core.exceptions import JsonRESTError


class ResourceNotFoundError(JsonRESTError):
    """No target has the ARN of a request about tags."""

    def __init__(self, arn: str) -> None:
        super().__init__("ResourceNotFoundException", f"The resource {arn} doesn't exist.")


class ObjectNotFoundError(JsonRESTError):
    """What is removed is not there (DeregisterScalableTarget and DeleteScalingPolicy)."""

    def __init__(self, what: str) -> None:
        super().__init__("ObjectNotFoundException", f"No {what} found.")
