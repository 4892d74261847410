"""Writes `create_only.json` of `forecast plan` out of the resource schemas that cfn-lint ships.

    python tests/support/create_only_schemas.py

The types are those of the reviewed templates and those that the local AWS knows. To be run when a
template gets another type, or cfn-lint another version; a test says so.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from forecast_local.resources.registry import HANDLERS

REPOSITORY = Path(__file__).parents[2]
FILE = REPOSITORY / "operations/forecast_operations/synthesis/create_only.json"
SNAPSHOTS = REPOSITORY / "tests/snapshot/__snapshots__/test_templates"

_REGION = "us-east-1"
_NO_RESOURCE = "AWS::CDK::Metadata"
_ROOT = "/properties/"


def used_types() -> set[str]:
    """The types of all reviewed templates."""
    templates = [json.loads(path.read_text("utf-8")) for path in SNAPSHOTS.glob("*.json")]
    return {each["Type"] for template in templates for each in template["Resources"].values()}


def document() -> dict[str, Any]:
    """What the file should hold."""
    types = sorted({*used_types(), *HANDLERS} - {_NO_RESOURCE})
    return {
        "source": f"CloudFormation resource schemas of {_REGION} in cfn-lint {version('cfn-lint')}",
        "types": {each: _create_only(each) for each in types},
    }


def _create_only(type_name: str) -> dict[str, list[str]]:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, type_name).schema
    return {
        "always": _paths(schema.get("createOnlyProperties")),
        "conditional": _paths(schema.get("conditionalCreateOnlyProperties")),
    }


def _paths(pointers: list[str] | None) -> list[str]:
    return sorted(pointer.removeprefix(_ROOT) for pointer in pointers or ())


def main() -> None:
    """Write the file."""
    FILE.write_text(json.dumps(document(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
