"""Checks of request parameters against botocore's model of an API.

botocore itself checks types and required members only. The services also enforce the lengths,
ranges, patterns and enumerations that the same model states, and moto does not.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape

from forecast_config.instances import known_instance_types

_INSTANCE_TYPE = "ProductionVariantInstanceType"
_NUMBERS = frozenset({"integer", "long", "float", "double"})


@cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of a service."""
    return botocore.session.get_session().get_service_model(service)


def input_shape(service: str, operation: str) -> Any:
    """Return the shape of an operation's request."""
    return service_model(service).operation_model(operation).input_shape


def constraint_error(service: str, operation: str, request: dict[str, Any]) -> str | None:
    """Describe the constraints of the API that a request violates.

    Args:
        service: botocore's name of the service.
        operation: The operation, such as ``CreateEndpoint``.
        request: Its parameters.

    Returns:
        The message in the words of AWS, or None when the request satisfies them all.
    """
    found = list(_violations(input_shape(service, operation), request, ""))
    if not found:
        return None
    noun = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {noun} detected: " + "; ".join(found)


def _violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        members: dict[str, Shape] = shape.members
        for name, item in value.items():
            if name in members and item is not None:
                yield from _violations(members[name], item, _member_path(path, name))
    elif shape.type_name == "list":
        yield from _range_violation(shape, len(value), value, path)
        for index, item in enumerate(value, start=1):
            yield from _violations(shape.member, item, f"{path}.{index}.member")
    elif shape.type_name == "string":
        yield from _range_violation(shape, len(value), value, path)
        yield from _text_violation(shape, value, path)
    elif shape.type_name in _NUMBERS:
        yield from _range_violation(shape, value, value, path)


def _member_path(path: str, name: str) -> str:
    member = name[0].lower() + name[1:]
    return f"{path}.{member}" if path else member


def _failed(value: Any, path: str, rule: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {rule}"


def _range_violation(shape: Shape, size: float, value: Any, path: str) -> Iterator[str]:
    noun = "have value" if shape.type_name in _NUMBERS else "have length"
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < float(low):
        yield _failed(value, path, f"{noun} greater than or equal to {low}")
    if high is not None and size > float(high):
        yield _failed(value, path, f"{noun} less than or equal to {high}")


def _text_violation(shape: Shape, value: str, path: str) -> Iterator[str]:
    allowed = shape.metadata.get("enum")
    if shape.name == _INSTANCE_TYPE:
        # The API's enumeration lacks hosting types that AWS's price list names (all of ml.t3).
        allowed = list(known_instance_types())
    if allowed and value not in allowed:
        yield _failed(value, path, f"satisfy enum value set: [{', '.join(allowed)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        yield _failed(value, path, f"satisfy regular expression pattern: {pattern}")


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        # Java's pattern language has classes that Python's lacks; the length still counts.
        return True


def conform(shape: Any, value: Any, path: str = "") -> Any:
    """Convert a value of a template to the types that an API's request wants.

    CloudFormation accepts ``"true"`` for true and ``"5"`` for 5, and parameters are always text.

    Args:
        shape: The shape in botocore's model.
        value: The value out of a template.
        path: Where the value stands, for the message.

    Returns:
        The value with scalars converted.

    Raises:
        ValueError: If a member is not known to the API or a value cannot be converted.
    """
    kind = shape.type_name
    if kind == "structure":
        return _conform_structure(shape, value, path)
    if kind == "list":
        return [conform(shape.member, item, f"{path}/{i}") for i, item in enumerate(value)]
    if kind == "map":
        return {key: conform(shape.value, item, f"{path}/{key}") for key, item in value.items()}
    return _conform_scalar(kind, value, path)


def _conform_structure(shape: Any, value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"#{path}: expected type: JSONObject, found: {type(value).__name__}")  # noqa: TRY004 - one error type for a wrong template
    unknown = sorted(set(value) - set(shape.members))
    if unknown:
        raise ValueError(f"#{path}: extraneous key [{unknown[0]}] is not permitted")
    missing = sorted(set(shape.required_members) - set(value))
    if missing:
        raise ValueError(f"#{path}: required key [{missing[0]}] not found")
    return {
        name: conform(shape.members[name], item, f"{path}/{name}") for name, item in value.items()
    }


def _conform_scalar(kind: str, value: Any, path: str) -> Any:
    try:
        if kind in {"integer", "long"}:
            return int(value)
        if kind in {"float", "double"}:
            return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"#{path}: expected type: Number, found: {value!r}") from None
    if kind == "boolean":
        if str(value).lower() not in {"true", "false"}:
            raise ValueError(f"#{path}: expected type: Boolean, found: {value!r}")
        return str(value).lower() == "true"
    if kind == "string" and not isinstance(value, str):
        if isinstance(value, (dict, list)):
            raise ValueError(f"#{path}: expected type: String, found: {type(value).__name__}")
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value
