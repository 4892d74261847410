"""The handlers' tables compared with the resource schemas that cfn-lint ships."""

from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from forecast_local.cloudformation.handler import Handler
from forecast_local.resources.registry import HANDLERS


def schema_of(handler: Handler) -> Any:
    return PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", handler.type_name)


@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS.keys())
def test_tables_agree_with_the_schema(handler: Handler) -> None:
    found = schema_of(handler)
    schema = found.schema
    create_only = {
        path.removeprefix("/properties/").partition("/")[0]
        for path in schema.get("createOnlyProperties", [])
        if path.count("/") == 2
    }
    assert handler.applies <= set(schema["properties"])
    assert handler.create_only == create_only & handler.applies
    assert handler.required == set(schema.get("required", []))
    assert handler.attributes <= set(found.get_atts)
    assert handler.tagged == ("Tags" in handler.applies and _tags_are_a_list(schema))
    assert handler.name_property in {None, *handler.create_only}


def _tags_are_a_list(schema: dict[str, Any]) -> bool:
    return schema["properties"]["Tags"].get("type") == "array"
