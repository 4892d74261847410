"""Example clients of one model version: curl, Python and TypeScript, ready to run."""

from __future__ import annotations

import json
import pprint
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENTS_FOLDER = "artifacts/clients"

_TEMPLATES = Path(__file__).with_name("templates")
_TYPES = {"boolean": "boolean", "string": "string", "date": "string", "datetime": "string"}
_INTERVAL = "{ level: number } & Record<string, number | [number, number]>"
_ERROR = "{ code: string; message: string; row?: number; feature?: string }"
_LINE = 88


def example_clients(
    schema: Mapping[str, Any], example: Mapping[str, Any], *, name: str, version: str
) -> dict[str, str]:
    """The clients by their path in the archive.

    Each asks the archive on this machine or an endpoint on SageMaker, whichever its environment
    variables name; nothing of an environment is in it.

    Args:
        schema: The content of `feature_schema.json`.
        example: The request that is sent when none is given.
        name: The registered model's name.
        version: Its version.
    """
    document = json.dumps(example, indent=2)
    requests = {
        "forecast.sh": document,
        "forecast.py": pprint.pformat(dict(example), sort_dicts=False, width=_LINE),
        "forecast.ts": document,
    }
    # It stands in comments, one of which ends at quotes.
    title = " ".join(name.split()).replace("\\", "/").replace('"', "'")
    return {
        f"{CLIENTS_FOLDER}/{file}": Template(
            (_TEMPLATES / f"{file}.txt").read_text(encoding="utf-8")
        ).substitute(
            name=title,
            version=version,
            request=request,
            row="\n".join(_row_members(schema)),
            prediction="\n".join(_prediction_members(schema)),
        )
        for file, request in requests.items()
    }


def _row_members(schema: Mapping[str, Any]) -> list[str]:
    """The members of the TypeScript type of a row."""
    horizon = schema.get("horizon")
    members = []
    for item in schema["inputs"]:
        kind = _TYPES.get(item["type"], "number")
        imputed = item.get("missing") == "impute"
        if item["nullable"] or imputed:
            kind = f"{kind} | null"
        if horizon is not None and item["name"] != horizon["date_input"]:
            kind = f"{kind} | Array<{kind}>"
        members.append(f"  {json.dumps(item['name'])}{'?' if imputed else ''}: {kind};")
    return members


def _prediction_members(schema: Mapping[str, Any]) -> list[str]:
    """The members of the TypeScript type of a prediction."""
    partial = "?" if schema["row_errors"] == "report_rows" else ""
    members = [f"  {json.dumps(output['name'])}{partial}: number;" for output in schema["outputs"]]
    if "intervals" in schema:
        members.append(f"  confidence_interval?: {_INTERVAL};")
        members.append(f"  confidence_intervals?: Array<{_INTERVAL}>;")
    if "horizon" in schema:
        members.append("  row?: number;")
        members.append(f"  {json.dumps(schema['horizon']['date_input'])}?: string;")
    members.append('  adjusted?: Array<{ feature: string; action: "clipped" | "imputed" }>;')
    if partial:
        members.append(f"  error?: {_ERROR};")
    members += [f"  {name}{partial}: string;" for name in ("model_version", "prediction_timestamp")]
    return members
