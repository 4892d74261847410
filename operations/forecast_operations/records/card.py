"""Model cards: what a reviewer wants to know of a model version, read from its archive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from forecast_operations.records.record import ModelCard
from forecast_packaging.building.summary import read_file
from forecast_packaging.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_METRICS_FILE = "artifacts/metrics.json"
_SCHEMA_FILE = "artifacts/feature_schema.json"


def read_card(archive: Path) -> ModelCard:
    """The card of an archive that passed its contract check; its model is not read.

    Raises:
        ContractError: The archive is damaged, or holds no metrics or no schema.
    """
    schema = _document(archive, _SCHEMA_FILE)
    return ModelCard(
        metrics=_document(archive, _METRICS_FILE),
        inputs={
            each["name"]: f"{each['type']}{'?' if each['nullable'] else ''}"
            for each in schema["inputs"]
        },
        outputs={each["name"]: each.get("unit", "") for each in schema["outputs"]},
    )


def _document(archive: Path, path: str) -> dict[str, Any]:
    content = read_file(archive, path)
    if content is None:
        raise ContractError(f"{archive.name} holds no {path}")
    try:
        document: dict[str, Any] = json.loads(content)
    except ValueError as error:
        raise ContractError(f"{path} of {archive.name} cannot be read: {error}") from None
    return document


def ranked(metrics: Iterable[str], watched: str | None) -> list[str]:
    """Names of metrics, those first that tell most: of the loss that is watched, then by length.

    Args:
        metrics: The names.
        watched: Loss that the alarm of drift watches (WAPE), with which a metric's name ends.
    """
    loss = None if watched is None else watched.lower()

    def rank(name: str) -> tuple[bool, int, str]:
        parts = name.lower().split("_")
        return parts[-1] != loss, len(parts), name

    return sorted(metrics, key=rank)
