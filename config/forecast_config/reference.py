"""The reference of the configuration file: every key, from the settings themselves, as Markdown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from forecast_config.settings import EnvironmentSettings, ForecastConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    Node = dict[str, Any]

_BRANCHES = ("anyOf", "oneOf")
_TYPES = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "object": "mapping",
    "string": "text",
}
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "maxProperties": "at most {} entries",
}
_NOT_IN_THE_FILE = ("source", "environments")

_HEAD = """\
# Configuration

<!-- Generated: forecast config docs --write docs/configuration.md -->

Every key of `config/forecast.yaml`, from the settings that read it. `model`, `serving` and
`allowed_regions` hold for all environments. `defaults` and each environment below `environments`
take the keys of [an environment](#an-environment); an environment's own are laid over the defaults,
and both over what is [built in for environments called dev, staging and prod](rollouts.md).
`forecast config show ENV` prints what comes of it, `forecast config check` everything that is
wrong, and editors complete the keys by `config/schema.json`.

A key without a default must be given. `null` switches off what may be null. What AWS would refuse
of several keys together is refused when the file is read, with the keys' names.
"""


def reference_text() -> str:
    """The page as it stands in `docs/configuration.md`."""
    return _HEAD + "\n" + "\n\n".join(_Reference().sections()) + "\n"


class _Reference:
    """The blocks of the file, each one once, in the order in which they are met."""

    def __init__(self) -> None:
        whole = ForecastConfig.model_json_schema()
        environment = EnvironmentSettings.model_json_schema()
        self._whole = whole
        self._environment = environment
        self._definitions: dict[str, Node] = {**whole["$defs"], **environment["$defs"]}
        self._waiting: list[str] = []
        self._headings: dict[str, str] = {}

    def sections(self) -> Iterator[str]:
        """The file itself, an environment, and every block that they lead to."""
        yield self._section("The file", "##", self._whole, without=_NOT_IN_THE_FILE)
        yield from self._found_blocks()
        yield self._section(
            "An environment", "##", self._environment, without=("name", "stack_prefix")
        )
        yield from self._found_blocks()

    def _found_blocks(self) -> Iterator[str]:
        while self._waiting:
            name = self._waiting.pop(0)
            yield self._section(self._headings[name], "###", self._definitions[name])

    def _section(self, title: str, level: str, block: Node, without: tuple[str, ...] = ()) -> str:
        description = "" if level == "##" else f"{block.get('description', '').strip()}\n\n"
        required = block.get("required", ())
        rows = "\n".join(
            self._row(title, key, node, required=key in required)
            for key, node in sorted(block["properties"].items(), key=_kind_first)
            if key not in without
        )
        head = "| key | type | default | limits | meaning |\n|---|---|---|---|---|"
        return f"{level} {title}\n\n{description}{head}\n{rows}"

    def _row(self, title: str, key: str, node: Node, *, required: bool) -> str:
        path = key if title in {"The file", "An environment"} else f"{_path_of(title)}.{key}"
        default = "must be given" if required else _shown(node)
        if self._blocks_in(node) and node.get("default"):
            kind = node["default"].get("kind")
            default = f"`kind: {kind}`" if kind else "as below"
        cells = (
            f"`{key}`",
            self._type(node, path),
            default,
            "; ".join(dict.fromkeys(_limits(node))),
            " ".join(node.get("description", "").split()),
        )
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    def _type(self, node: Node, path: str) -> str:
        if "$ref" in node:
            return self._link(node["$ref"].rpartition("/")[2], path)
        for branches in _BRANCHES:
            if branches in node:
                kinds = [self._type(each, path) for each in node[branches]]
                return " or ".join(dict.fromkeys(kinds))
        if "const" in node:
            return f"`{node['const']}`"
        if "enum" in node:
            return "one of " + ", ".join(f"`{value}`" for value in node["enum"])
        if node.get("type") == "null":
            return "null"
        return self._collection(node, path) or _TYPES[node["type"]]

    def _collection(self, node: Node, path: str) -> str | None:
        if node.get("type") == "array":
            return f"list of {self._type(node['items'], path)}"
        patterns = list(node.get("patternProperties", {}).values())
        values = patterns or [node["additionalProperties"]] if _is_mapping(node) else patterns
        if values:
            keys = node.get("propertyNames", {}).get("enum")
            named = f"by {', '.join(f'`{key}`' for key in keys)}" if keys else "by a name"
            return f"mapping {named} of {self._type(values[0], f'{path}.NAME')}"
        return None

    def _link(self, name: str, path: str) -> str:
        if name not in self._headings:
            kind = self._definitions[name]["properties"].get("kind", {}).get("const")
            self._headings[name] = f"{path}: {kind}" if kind else path
            self._waiting.append(name)
        heading = self._headings[name]
        kind = heading.partition(": ")[2]
        return f"[{kind or 'block'}](#{_anchor(heading)})"

    def _blocks_in(self, node: Node) -> bool:
        children = [node, *(each for key in _BRANCHES for each in node.get(key, ()))]
        return any("$ref" in each for each in children)


def _kind_first(entry: tuple[str, Node]) -> bool:
    return entry[0] != "kind"


def _is_mapping(node: Node) -> bool:
    return isinstance(node.get("additionalProperties"), dict)


def _limits(node: Node) -> Iterator[str]:
    if node.get("minLength") == 1 or node.get("minItems") == 1:
        yield "not empty"
    for key, words in _BOUNDS.items():
        if key in node and not (key in {"minLength", "minItems"} and node[key] == 1):
            yield words.format(f"{node[key]:,}" if isinstance(node[key], int) else node[key])
    if "patternErrorMessage" in node:
        yield node["patternErrorMessage"].removeprefix("expected ")
    elif "pattern" in node:
        yield f"`{node['pattern']}`"
    for each in node.get("anyOf", ()):
        yield from _limits(each)
    for each in _members(node):
        yield from (f"each {limit}" for limit in _limits(each))


def _members(node: Node) -> list[Node]:
    """What a list or a mapping holds."""
    values = [node["additionalProperties"]] if _is_mapping(node) else []
    items = [node["items"]] if "items" in node else []
    return [*items, *values, *node.get("patternProperties", {}).values()]


def _shown(node: Node) -> str:
    if "default" not in node or node["default"] == {}:
        return "empty"
    return f"`{json.dumps(node['default'], ensure_ascii=False)}`"


def _path_of(heading: str) -> str:
    return heading.partition(": ")[0]


def _anchor(heading: str) -> str:
    """What GitHub and the site make of a heading, whose words are keys here."""
    kept = "".join(each for each in heading.lower() if each.isalnum() or each in " -_")
    return kept.replace(" ", "-")
