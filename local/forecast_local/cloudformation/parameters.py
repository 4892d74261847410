"""The values that a template's names have: parameters and pseudo parameters."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from moto.utilities.utils import get_partition

from forecast_local.cloudformation.template import Template, TemplateError

_SSM = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}


def parameter_values(
    template: Template, given: Mapping[str, str], read_ssm: Callable[[str], str]
) -> dict[str, Any]:
    """Determine the value of each parameter of a template.

    Args:
        template: The template.
        given: Values sent with the request.
        read_ssm: Reads a parameter of the Systems Manager parameter store by name.

    Returns:
        The values by name; list types are lists, numbers stay strings as on AWS.

    Raises:
        TemplateError: If a value is missing, not allowed, or for a parameter that does not exist.
    """
    declared = template.section("Parameters")
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise TemplateError(f"Parameters: {unknown} do not exist in the template")
    missing = [name for name in declared if name not in given and "Default" not in declared[name]]
    if missing:
        raise TemplateError(f"Parameters: {missing} must have values")
    return {
        name: _value(name, definition, str(given.get(name, definition.get("Default"))), read_ssm)
        for name, definition in declared.items()
    }


def _value(
    name: str, definition: Mapping[str, Any], text: str, read_ssm: Callable[[str], str]
) -> Any:
    kind = definition.get("Type", "String")
    stored = _SSM.fullmatch(kind)
    if stored is not None:
        text, kind = read_ssm(text), stored.group(1)
    values = text.split(",") if kind.startswith(("List<", "CommaDelimited")) else [text]
    for value in values:
        _check_value(name, definition, kind, value)
    return values if kind.startswith(("List<", "CommaDelimited")) else text


def _check_value(name: str, definition: Mapping[str, Any], kind: str, value: str) -> None:
    allowed = definition.get("AllowedValues")
    if allowed is not None and value not in [str(item) for item in allowed]:
        raise TemplateError(f"Template error: parameter {name} must be one of {allowed}")
    pattern = definition.get("AllowedPattern")
    if pattern is not None and re.fullmatch(pattern, value) is None:
        raise TemplateError(f"Parameter {name} failed to satisfy constraint: {pattern}")
    if "Number" in kind:
        _check_range(name, definition, float(value), "Value")
    else:
        _check_range(name, definition, len(value), "Length")


def _check_range(name: str, definition: Mapping[str, Any], value: float, kind: str) -> None:
    low, high = definition.get(f"Min{kind}"), definition.get(f"Max{kind}")
    if (low is not None and value < float(low)) or (high is not None and value > float(high)):
        raise TemplateError(f"Parameter {name}: {kind} {value} is not within {low} and {high}")


def pseudo_parameters(
    *, account: str, region: str, stack_id: str, stack_name: str
) -> dict[str, Any]:
    """Return the values of CloudFormation's pseudo parameters for one stack."""
    partition = get_partition(region)
    return {
        "AWS::AccountId": account,
        "AWS::NotificationARNs": [],
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::StackId": stack_id,
        "AWS::StackName": stack_name,
        "AWS::URLSuffix": _SUFFIXES.get(partition, "amazonaws.com"),
    }
