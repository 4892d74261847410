"""CloudFormation's short YAML tags, read into their long form."""

from __future__ import annotations

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """Reads `!Ref`, `!GetAtt`, `!Sub`, `!If`, `!Equals` and `!FindInMap`."""


def _function(name: str) -> Any:
    def construct(loader: yaml.SafeLoader, node: yaml.Node) -> dict[str, Any]:
        if isinstance(node, yaml.SequenceNode):
            return {name: loader.construct_sequence(node, deep=True)}
        return {name: node.value.split(".") if name == "Fn::GetAtt" else node.value}

    return construct


def _list(name: str) -> Any:
    def construct(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> dict[str, Any]:
        return {name: loader.construct_sequence(node, deep=True)}

    return construct


for _tag, _name in {
    "!If": "Fn::If",
    "!Equals": "Fn::Equals",
    "!FindInMap": "Fn::FindInMap",
}.items():
    _Loader.add_constructor(_tag, _list(_name))
for _tag, _name in {"!Ref": "Ref", "!GetAtt": "Fn::GetAtt", "!Sub": "Fn::Sub"}.items():
    _Loader.add_constructor(_tag, _function(_name))


def load_template(text: str) -> dict[str, Any]:
    template: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader with six tags
    return template
