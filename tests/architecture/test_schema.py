from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from forecast_config.schema import file_schema, schema_text

REPOSITORY = Path(__file__).parents[2]
CONFIGURATIONS = [
    REPOSITORY / "config" / "forecast.yaml",
    *sorted((REPOSITORY / "tests" / "data").glob("*.yaml")),
]


def test_the_editor_s_schema_is_current() -> None:
    current = (REPOSITORY / "config" / "schema.json").read_text(encoding="utf-8")

    assert current == schema_text(), "run: forecast config schema --write"


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_the_schema_admits_the_configurations(path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator(file_schema()).validate(document)


def test_the_schema_refuses_unknown_keys() -> None:
    document = yaml.safe_load(CONFIGURATIONS[0].read_text(encoding="utf-8"))
    document["defaults"]["endpiont"] = {}

    with pytest.raises(jsonschema.ValidationError, match="endpiont"):
        jsonschema.Draft202012Validator(file_schema()).validate(document)


@pytest.mark.parametrize(
    ("target", "valid"),
    [
        ({"percent": 70}, True),
        ({"kind": "cpu_utilization", "percent": 70}, True),
        ({"kind": "cpu_utilization", "requests": 70}, False),
        ({"kind": "memory"}, False),
    ],
)
def test_entries_by_name_may_stand_in_parts_in_the_defaults(
    target: dict[str, object], *, valid: bool
) -> None:
    document = yaml.safe_load(CONFIGURATIONS[0].read_text(encoding="utf-8"))
    document["defaults"]["autoscaling"] = {"targets": {"load": target}}

    assert jsonschema.Draft202012Validator(file_schema()).is_valid(document) is valid


def test_every_key_is_described() -> None:
    schema = json.loads(schema_text())
    undescribed = [
        f"{name}.{key}"
        for name, definition in schema["$defs"].items()
        for key, node in definition.get("properties", {}).items()
        if "description" not in node
    ]

    assert undescribed == []
