"""Calls of handlers: what every one of them goes through, and what is reported of it."""

import logging
from collections.abc import Callable
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from forecast_local.cloudformation.handler import ResourceError, failure_reason
from forecast_local.cloudformation.plan import Resource
from forecast_local.cloudformation.template import TemplateError
from forecast_local.resources.registry import HANDLERS

_LOG = logging.getLogger(__name__)


class Report(Protocol):
    """Receives the events of a deployment."""

    def __call__(
        self,
        resource: Resource,
        status: str,
        reason: str | None = None,
    ) -> None:
        """Record that a resource reached a status."""


class DeploymentError(Exception):
    """A deployment that failed; the message names the resources."""


def refuse_same_name(old: Resource, new: Resource) -> None:
    """Refuse a replacement that would have the name of what it replaces.

    Raises:
        ResourceError: In the words of CloudFormation.
    """
    name_property = HANDLERS[new.cf_resource_type].name_property
    if name_property is None:
        return
    name = new.properties.get(name_property)
    if name is not None and name == old.properties.get(name_property):
        raise ResourceError(
            f"{name} already exists: CloudFormation cannot update a stack when a custom-named "
            f"resource requires replacing. Rename {name} and update the stack again."
        )


def guarded(call: Callable[..., Any], *arguments: Any) -> Any:
    """Call a handler; every failure of it becomes a reason that an event can carry.

    Raises:
        ResourceError: The reason.
        TemplateError: As the handler raised it.
    """
    try:
        return call(*arguments)
    except (ResourceError, TemplateError):
        raise
    except (ClientError, BotoCoreError) as error:
        raise ResourceError(failure_reason(error)) from error
    except Exception as error:
        _LOG.exception("handler failed")
        raise ResourceError(f"Internal failure: {type(error).__name__}: {error}") from error
