"""YAML text as plain data, with the line of every key, and without YAML's surprises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from forecast_config.errors import ConfigError, Problem
from forecast_config.words import KeyPath, dotted, shown, type_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_NODES = 10_000
"""Values a configuration may hold once its aliases are expanded."""

MAX_DEPTH = 40
"""Levels of nesting a configuration may have."""

_COLLECTION_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_STRING_TAG = "tag:yaml.org,2002:str"
_DATE_TAG = "tag:yaml.org,2002:timestamp"
_SCALAR_KINDS = {_DATE_TAG: "a date", "tag:yaml.org,2002:int": "an integer"}
_MERGE_TAG = "tag:yaml.org,2002:merge"


class YamlSource:
    """A parsed YAML file: plain data, and the line that each of its keys stands on.

    Sequences become tuples, so that settings made of the data cannot be changed afterwards.

    Attributes:
        name: The file as named in error messages.
        data: The document's root mapping.
        lines: One-based line of each key path.

    Raises:
        ConfigError: Not YAML, not a mapping, a duplicate key, a merge key, a key that is no
            string, an alias that contains itself, or more than `MAX_NODES` values.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.lines: dict[KeyPath, int] = {(): 1}
        self._problems: list[Problem] = []
        self._nodes = 0
        self.data = self._parse(text)

    @classmethod
    def read(cls, path: Path) -> YamlSource:
        """The source of a file.

        Raises:
            ConfigError: The file is missing, unreadable or not UTF-8, or as for the class.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            message = f"cannot read the configuration: {reason}"
            raise ConfigError(str(path), [Problem(0, "", message)]) from None
        return cls(str(path), text)

    def line_of(self, path: KeyPath) -> int:
        """The line of a key, or of the nearest key above it that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines[path]

    def _parse(self, text: str) -> dict[str, Any]:
        data = self._read(text)
        if not self._problems and not isinstance(data, dict):
            self._problem(1, (), f"expected a mapping of keys, got {type_name(data)}")
        if self._problems:
            raise ConfigError(self.name, self._problems)
        return dict(data)

    def _read(self, text: str) -> Any:
        try:
            loader = yaml.SafeLoader(text)
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            self._fail(line, (), f"is not valid YAML: holds the character U+{error.character:04X}")
        try:
            root = loader.get_single_node()
            return {} if root is None else self._convert(loader, root, (), ())
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 0
            reason = ", ".join(part for part in (error.context, error.problem) if part)
            self._fail(line, (), f"is not valid YAML: {reason}")
        except (ValueError, OverflowError):
            # The scanner makes characters of escapes such as "\UFFFFFFFF" without a check.
            message = "is not valid YAML: an escape in quotes is no character"
            self._fail(loader.line + 1, (), message)
        except RecursionError:
            self._fail(0, (), "is not valid YAML: is nested too deeply")
        finally:
            loader.dispose()

    def _problem(self, line: int, path: KeyPath, message: str) -> None:
        self._problems.append(Problem(line, dotted(path), message))

    def _fail(self, line: int, path: KeyPath, message: str) -> NoReturn:
        self._problem(line, path, message)
        raise ConfigError(self.name, self._problems)

    def _convert(
        self, loader: yaml.SafeLoader, node: yaml.Node, path: KeyPath, above: tuple[int, ...]
    ) -> Any:
        line = node.start_mark.line + 1
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._fail(line, path, f"aliases expand to more than {MAX_NODES} values")
        if id(node) in above:
            self._fail(line, path, "an alias contains itself")
        if len(above) >= MAX_DEPTH:
            self._fail(line, path, f"is nested deeper than {MAX_DEPTH} levels")
        if isinstance(node, yaml.CollectionNode) and node.tag not in _COLLECTION_TAGS:
            self._fail(line, path, "expected plain YAML, got a tag (!)")
        inside = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, path, inside)
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.lines[*path, index] = item.start_mark.line + 1
            return tuple(
                self._convert(loader, item, (*path, index), inside)
                for index, item in enumerate(node.value)
            )
        return self._scalar(loader, node, path)

    def _scalar(self, loader: yaml.SafeLoader, node: yaml.Node, path: KeyPath) -> Any:
        line = node.start_mark.line + 1
        implied = loader.resolve(yaml.ScalarNode, node.value, (True, False))  # type: ignore[no-untyped-call]  # PyYAML's stubs leave its types out
        if node.tag not in (_STRING_TAG, implied):
            self._problem(line, path, "expected plain YAML, got a tag (!)")
            return None
        try:
            return loader.construct_object(node)
        except (ValueError, yaml.YAMLError) as error:
            kind = _SCALAR_KINDS.get(node.tag, "a value")
            reason = f" ({error})" if node.tag == _DATE_TAG else ""
            message = f"expected {kind}, got {shown(node.value)}{reason}; put text in quotes"
            self._problem(line, path, message)
            return None

    def _mapping(
        self,
        loader: yaml.SafeLoader,
        node: yaml.MappingNode,
        path: KeyPath,
        above: tuple[int, ...],
    ) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for line, key, value_node in self._keys(node, path):
            key_path = (*path, key)
            if key in result:
                first = self.lines[key_path]
                self._problem(line, key_path, f"duplicate key, first given on line {first}")
                continue
            self.lines[key_path] = line
            result[key] = self._convert(loader, value_node, key_path, above)
        return result

    def _keys(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[int, str, yaml.Node]]:
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == _MERGE_TAG:
                self._problem(line, path, "merge keys (<<) are not read; use 'defaults'")
            elif not isinstance(key_node, yaml.ScalarNode):
                self._problem(line, path, "a key must be a string, got a collection")
            elif not key_node.value.isprintable():
                self._problem(line, path, f"a key must be printable, got {shown(key_node.value)}")
            else:
                yield line, key_node.value, value_node
