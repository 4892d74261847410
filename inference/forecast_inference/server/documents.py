"""The document of ``/metadata``: which model answers, and how it is to be asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

_INFO: Final = (
    "name", "version", "run_id", "data_version", "code_reference",
    "libraries", "model_digest", "signature_digest", "runs_code_on_load", "compiled",
)  # fmt: skip
_SCHEMA: Final = ("inputs", "outputs", "intervals", "horizon", "row_errors")


def metadata(model_dir: Path) -> bytes:
    """What a client may know of an extracted archive, as JSON.

    Model, inputs and outputs with their types, units, ranges and policies, and the OpenAPI document
    when the archive holds one.
    """
    info = _read(model_dir / "model-info.json") or {}
    schema = _read(model_dir / "artifacts" / "feature_schema.json") or {}
    document: dict[str, Any] = {
        "model": {name: info[name] for name in _INFO if name in info},
        **{name: schema[name] for name in _SCHEMA if name in schema},
    }
    openapi = _read(model_dir / "artifacts" / "openapi.json")
    if openapi is not None:
        document["openapi"] = openapi
    return json.dumps(document).encode()


def _read(file: Path) -> dict[str, Any] | None:
    if not file.is_file():
        return None
    document = json.loads(file.read_bytes())
    return document if isinstance(document, dict) else None
