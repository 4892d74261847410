"""The evaluation of intrinsic functions and conditions of a template."""

import base64
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from forecast_local.cloudformation.template import (
    SUBSTITUTION,
    Template,
    TemplateError,
    attribute_pair,
)

Lookup = Callable[[str, str | None], Any]
"""Finds a resource's physical id (attribute None) or the value of one of its attributes."""

_NO_VALUE = object()
_ZONES = ("a", "b", "c")


class Scope:
    """What the values of one template are evaluated against.

    Args:
        template: The template.
        names: Values of parameters and pseudo parameters by name.
        lookup: Finds physical ids and attributes of resources.
        exports: Values of the exports of other stacks by export name.
    """

    def __init__(
        self,
        *,
        template: Template,
        names: Mapping[str, Any],
        lookup: Lookup,
        exports: Mapping[str, str],
    ) -> None:
        self._template = template
        self._names = names
        self._lookup = lookup
        self._exports = exports
        self._conditions: dict[str, bool | None] = {}
        self.imported: set[str] = set()
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Split": self._split,
            "Fn::Select": self._select,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find_in_map,
            "Fn::ImportValue": self._import_value,
            "Fn::GetAZs": self._zones,
            "Fn::Base64": self._base64,
            "Fn::Cidr": self._cidr,
        }

    def resolve(self, value: Any) -> Any:
        """Evaluate a part of the template.

        Args:
            value: Any JSON value of the template.

        Returns:
            The value with every intrinsic function replaced by its result. Members that are
            ``AWS::NoValue`` are left out of their object or list.

        Raises:
            TemplateError: If a function is not known or its arguments are wrong.
        """
        result = self._resolve(value)
        return None if result is _NO_VALUE else result

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            items = [self._resolve(item) for item in value]
            return [item for item in items if item is not _NO_VALUE]
        if isinstance(value, dict):
            if len(value) == 1:
                name, argument = next(iter(value.items()))
                if name in self._functions:
                    return self._functions[name](argument)
                if name.startswith("Fn::"):
                    raise TemplateError(f"the local AWS does not know the function {name}")
            members = {key: self._resolve(item) for key, item in value.items()}
            return {key: item for key, item in members.items() if item is not _NO_VALUE}
        return value

    def exists(self, definition: Mapping[str, Any]) -> bool:
        """Tell whether the condition of a resource, an output or a rule holds."""
        name = definition.get("Condition")
        return name is None or self.condition(name)

    def condition(self, name: str) -> bool:
        """Evaluate a named condition.

        Raises:
            TemplateError: If the template has no such condition or it refers to itself.
        """
        if name not in self._conditions:
            definitions = self._template.section("Conditions")
            if name not in definitions:
                raise TemplateError(f"Template error: unresolved condition dependency {name}")
            self._conditions[name] = None
            self._conditions[name] = self.holds(definitions[name])
        known = self._conditions[name]
        if known is None:
            raise TemplateError(f"Template error: circular condition dependency at {name}")
        return known

    def holds(self, expression: Any) -> bool:
        """Evaluate a condition function such as ``Fn::Equals`` or ``Fn::And``."""
        if not isinstance(expression, dict) or len(expression) != 1:
            raise TemplateError(f"Template error: no condition function: {expression!r}")
        name, argument = next(iter(expression.items()))
        match name:
            case "Condition":
                return self.condition(argument)
            case "Fn::Equals":
                left, right = (self.resolve(item) for item in argument)
                return _text(left) == _text(right)
            case "Fn::Not":
                return not self.holds(argument[0])
            case "Fn::And":
                return all(self.holds(item) for item in argument)
            case "Fn::Or":
                return any(self.holds(item) for item in argument)
            case "Fn::Contains":
                values, wanted = (self.resolve(item) for item in argument)
                return _text(wanted) in [_text(item) for item in values]
        raise TemplateError(f"the local AWS does not know the condition function {name}")

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in self._names:
            return self._names[name]
        return self._lookup(name, None)

    def _get_att(self, argument: Any) -> Any:
        logical_id, attribute = attribute_pair(argument)
        return self._lookup(logical_id, self.resolve(attribute))

    def _sub(self, argument: Any) -> str:
        text, variables = argument if isinstance(argument, list) else (argument, {})

        def value(name: str) -> str:
            if name in variables:
                return _text(self.resolve(variables[name]))
            if name in self._names:
                return _text(self._names[name])
            logical_id, _, attribute = name.partition(".")
            return _text(self._lookup(logical_id, attribute or None))

        substituted = SUBSTITUTION.sub(lambda match: value(match.group(1)), text)
        return substituted.replace("${!", "${")

    def _join(self, argument: Any) -> str:
        delimiter, values = argument
        return str(delimiter).join(_text(item) for item in self.resolve(values))

    def _split(self, argument: Any) -> list[str]:
        delimiter, value = argument
        return _text(self.resolve(value)).split(delimiter)

    def _select(self, argument: Any) -> Any:
        index, values = int(self.resolve(argument[0])), self.resolve(argument[1])
        if not 0 <= index < len(values):
            raise TemplateError(
                f"Template error: Fn::Select cannot select nonexistent value at index {index}"
            )
        return values[index]

    def _if(self, argument: Any) -> Any:
        name, positive, negative = argument
        return self._resolve(positive if self.condition(name) else negative)

    def _find_in_map(self, argument: Any) -> Any:
        name, first, second = (self.resolve(item) for item in argument[:3])
        try:
            return self._template.section("Mappings")[name][_text(first)][_text(second)]
        except KeyError:
            if len(argument) > 3 and "DefaultValue" in argument[3]:  # noqa: PLR2004 - the options
                return self._resolve(argument[3]["DefaultValue"])
            raise TemplateError(
                f"Template error: Unable to get mapping for {name}::{first}::{second}"
            ) from None

    def _import_value(self, argument: Any) -> str:
        name = _text(self.resolve(argument))
        if name not in self._exports:
            raise TemplateError(f"No export named {name} found.")
        self.imported.add(name)
        return self._exports[name]

    def _zones(self, argument: Any) -> list[str]:
        region = self.resolve(argument) or self._names["AWS::Region"]
        return [f"{region}{zone}" for zone in _ZONES]

    def _base64(self, argument: Any) -> str:
        return base64.b64encode(_text(self.resolve(argument)).encode()).decode()

    def _cidr(self, argument: Any) -> list[str]:
        block, count, bits = (self.resolve(item) for item in argument)
        network = ipaddress.ip_network(block)
        subnets = network.subnets(new_prefix=network.max_prefixlen - int(bits))
        return [str(subnet) for _, subnet in zip(range(int(count)), subnets, strict=False)]


def _text(value: Any) -> str:
    """Render a scalar as CloudFormation does when it needs a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
