"""The inventory of templates that belong together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forecast_operations.storing.buckets import bucket_records, uses_of
from forecast_operations.storing.kinds import records_of
from forecast_operations.storing.record import Record, Stored
from forecast_operations.synthesis.templates import flatten, read_template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

_BUCKET = "AWS::S3::Bucket"


def read_inventory(paths: Sequence[Path]) -> list[Record]:
    """What the resources of templates store.

    Raises:
        ForecastError: A file is not a template.
    """
    return list_records({_stack_name(path): read_template(path) for path in paths})


def list_records(templates: Mapping[str, Mapping[str, Any]]) -> list[Record]:
    """What the resources of templates store, by the name of each template.

    What a template exports is known to the others; nothing but the templates is read, so that what
    an escape hatch changed shows.
    """
    exports = {
        flatten(output["Export"]["Name"]): flatten(output["Value"])
        for template in templates.values()
        for output in template.get("Outputs", {}).values()
        if "Export" in output
    }
    resources = [
        Stored(stack, logical_id, body, exports)
        for stack, template in templates.items()
        for logical_id, body in template["Resources"].items()
    ]
    uses = uses_of(resources)
    return [
        record
        for resource in resources
        for record in (
            bucket_records(resource, uses)
            if resource.resource_type == _BUCKET
            else records_of(resource)
        )
    ]


def _stack_name(path: Path) -> str:
    """Name of the stack of a template, from that of its file."""
    found = re.search(r"\[(.+)\]", path.name)
    return found[1] if found else path.name.removesuffix(".json").removesuffix(".template")
