"""The create-only properties are those of the resource schemas, for every type that is used."""

from __future__ import annotations

import json

import create_only_schemas

from forecast_operations.synthesis.create_only import create_only, value_at


def test_the_file_is_what_the_schemas_of_cfn_lint_say() -> None:
    written = json.loads(create_only_schemas.FILE.read_text("utf-8"))

    command = "python tests/support/create_only_schemas.py"
    assert written == create_only_schemas.document(), f"run: {command}"


def test_every_type_of_the_reviewed_templates_is_known() -> None:
    used = create_only_schemas.used_types()

    assert len(used) > 30
    assert [each for each in used if create_only(each) is None] == []


def test_a_type_that_nobody_uses_is_not_known() -> None:
    assert create_only("AWS::Nowhere::Thing") is None


def test_a_value_is_found_below_objects_and_lists() -> None:
    properties = {"Budget": {"BudgetName": "a"}, "Rules": [{"Name": "x"}, {}], "Text": "t"}

    assert value_at(properties, "Budget/BudgetName") == "a"
    assert value_at(properties, "Rules/*/Name") == ["x", None]
    assert value_at(properties, "Text/More") is None
    assert value_at(properties, "Text/*/More") is None
