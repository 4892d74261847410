"""Blocks of a file read leaf by leaf: what is valid in them, and everything that is not."""

from __future__ import annotations

from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from forecast_config.explain import explain
from forecast_config.settings.base import Settings
from forecast_config.settings.ruling import broken_rules, nested, values_of_field
from forecast_config.words import shown, type_name, unknown_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_config.words import KeyPath


class BlockReader:
    """Reads raw blocks against settings without stopping at the first thing that is wrong.

    Pydantic runs a block's rules only when each of its values is valid. Here each value is
    validated for itself, and a rule is left out only when a value that it needs is not valid.

    Args:
        report: Called with the key path and the message of each thing that is wrong.
    """

    def __init__(self, report: Callable[[KeyPath, str], None]) -> None:
        self._report = report

    def read(self, kind: type[Settings], raw: Any, path: KeyPath = ()) -> dict[str, Any] | None:
        """The valid values of a block by their dotted keys in it; None for what is no block.

        Args:
            kind: The settings that the block should make.
            raw: The block as it stands in the file.
            path: Where it stands.
        """
        if not isinstance(raw, dict):
            self._report(path, f"expected a mapping of keys, got {type_name(raw)}")
            return None
        for key in raw.keys() - kind.model_fields.keys():
            self._report((*path, key), unknown_key(str(key), kind.model_fields))
        values: dict[str, Any] = {}
        for key, field in kind.model_fields.items():
            if key in raw:
                values |= self._read_field(kind, key, raw[key], (*path, key))
            elif field.is_required():
                self._report((*path, key), "is missing")
            else:
                values |= values_of_field(key, field.get_default(call_default_factory=True))
        for where, message in broken_rules(kind.rules, values):
            self._report((*path, *where), message)
        return values

    def _read_field(
        self, kind: type[Settings], key: str, raw: Any, path: KeyPath
    ) -> dict[str, Any]:
        annotation = kind.model_fields[key].annotation
        options = _blocks(annotation)
        if not options:
            return self._read_leaf(kind, key, raw, path)
        if raw is None and NoneType in get_args(annotation):
            return {key: None}
        if raw is None and not kind.model_fields[key].is_required():
            self._report(path, "expected a mapping of keys, got null; leave it out for the default")
            return {}
        if get_origin(annotation) is dict:
            return self._read_by_name(kind, key, raw, path)
        chosen = self._choose(options, raw, path)
        values = None if chosen is None else self.read(chosen, raw, path)
        return {} if values is None else nested(key, values)

    def _read_leaf(self, kind: type[Settings], key: str, raw: Any, path: KeyPath) -> dict[str, Any]:
        try:
            return {key: _adapter(kind, key).validate_python(raw, strict=True)}
        except ValidationError as error:
            for where, message in explain(error):
                self._report((*path, *where), message)
            return {}

    def _read_by_name(
        self, kind: type[Settings], key: str, raw: Any, path: KeyPath
    ) -> dict[str, Any]:
        options = _blocks(kind.model_fields[key].annotation)
        if not isinstance(raw, dict):
            self._report(path, f"expected a mapping of keys, got {type_name(raw)}")
            return {}
        self._read_names(kind, key, raw, path)
        blocks: dict[str, dict[str, Any]] = {}
        for name, block in raw.items():
            here = (*path, name)
            chosen = self._choose(options, block, here)
            blocks[name] = {} if chosen is None else self.read(chosen, block, here) or {}
        return {key: blocks}

    def _read_names(
        self, kind: type[Settings], key: str, raw: dict[str, Any], path: KeyPath
    ) -> None:
        names = _name_adapter(kind, key)
        for name in raw:
            try:
                names.validate_python(name, strict=True)
            except ValidationError as error:
                for _, message in explain(error):
                    self._report((*path, name), message)

    def _choose(
        self, options: tuple[type[Settings], ...], raw: Any, path: KeyPath
    ) -> type[Settings] | None:
        """The one of a union's blocks that the raw block's `kind` names."""
        if len(options) == 1 or not isinstance(raw, dict):
            return options[0]
        by_kind = {get_args(each.model_fields["kind"].annotation)[0]: each for each in options}
        expected = f"expected one of: {', '.join(sorted(by_kind))}"
        if "kind" not in raw:
            self._report((*path, "kind"), f"is missing; {expected}")
        elif not isinstance(raw["kind"], str) or raw["kind"] not in by_kind:
            self._report((*path, "kind"), f"{expected}, got {shown(raw['kind'])}")
        else:
            return by_kind[raw["kind"]]
        return None


def _blocks(annotation: Any) -> tuple[type[Settings], ...]:
    """The settings in a field's annotation: itself, a union's parts or a mapping's values."""
    parts = (annotation,) if isinstance(annotation, type) else get_args(annotation)
    found: list[type[Settings]] = []
    for part in parts:
        if get_origin(part) is not None and get_origin(part) is not tuple:
            found.extend(_blocks(part))
        elif isinstance(part, type) and issubclass(part, Settings):
            found.append(part)
    return tuple(found)


@cache
def _adapter(kind: type[Settings], key: str) -> TypeAdapter[Any]:
    field = kind.model_fields[key]
    annotated: Any = Annotated[field.annotation, field]
    return TypeAdapter(annotated, config=Settings.model_config)


@cache
def _name_adapter(kind: type[Settings], key: str) -> TypeAdapter[Any]:
    names, _ = get_args(kind.model_fields[key].annotation)
    return TypeAdapter(names, config=Settings.model_config)
