"""The JSON schema of the configuration file, for editors."""

from __future__ import annotations

import json
from typing import Any

from forecast_config.settings import (
    EnvironmentSettings,
    ForecastConfig,
    ModelSettings,
    ServingSettings,
)
from forecast_config.settings.environment import OF_THE_FILE

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def file_schema() -> dict[str, Any]:
    """The schema of `config/forecast.yaml`.

    `defaults` and every environment hold the same keys and none is required in either: together
    they must make a whole, which only the loader can tell.
    """
    environment = EnvironmentSettings.model_json_schema()
    model = ModelSettings.model_json_schema()
    definitions = environment.pop("$defs") | model.pop("$defs")
    for name in OF_THE_FILE:
        environment["properties"].pop(name)
    definitions["EnvironmentSettings"] = environment
    for definition in definitions.values():
        _make_partial(definition)
    block = {"$ref": "#/$defs/EnvironmentSettings"}
    of_the_file = ForecastConfig.model_json_schema()["properties"]
    return {
        "$schema": _DIALECT,
        "title": "Forecast configuration",
        "type": "object",
        "additionalProperties": False,
        "required": ["model", "allowed_regions", "environments"],
        "properties": {
            "model": model,
            "serving": ServingSettings.model_json_schema(),
            "stack_prefix": of_the_file["stack_prefix"],
            "allowed_regions": of_the_file["allowed_regions"],
            "defaults": {**block, "description": "Keys that every environment starts from."},
            "environments": {
                "type": "object",
                "description": "Settings by environment, laid over the defaults.",
                "minProperties": 1,
                "additionalProperties": block,
            },
        },
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """The schema as it stands in `config/schema.json`."""
    return json.dumps(file_schema(), indent=2, ensure_ascii=False) + "\n"


def _make_partial(definition: dict[str, Any]) -> None:
    definition.pop("required", None)
    for node in definition.get("properties", {}).values():
        _make_open(node)
        for entry in node.get("patternProperties", {}).values():
            if "oneOf" in entry:
                _make_open(entry)
                node["additionalProperties"] = False


def _make_open(union: dict[str, Any]) -> None:
    # Without its kind, which may stand in the defaults, a block can match several of them.
    union.pop("discriminator", None)
    if "oneOf" in union:
        union["anyOf"] = union.pop("oneOf")
