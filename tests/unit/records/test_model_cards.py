"""A model's card is read from its archive, and a damaged archive is said to be one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from forecast_operations.records.card import read_card
from forecast_packaging.building.archive import write_archive
from forecast_packaging.errors import ContractError

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = {
    "inputs": [
        {"name": "day", "type": "date", "nullable": False},
        {"name": "price_lag_7", "type": "double", "nullable": True},
    ],
    "outputs": [{"name": "price", "unit": "RMB/kg"}, {"name": "demand"}],
}


def _archive(root: Path, **documents: Any) -> Path:
    folder = root / "stage" / "artifacts"
    folder.mkdir(parents=True)
    for name, document in documents.items():
        text = document if isinstance(document, str) else json.dumps(document)
        (folder / f"{name}.json").write_text(text)
    write_archive(root / "stage", root / "model.tar.gz")
    return root / "model.tar.gz"


def test_the_card_has_metrics_and_signature_in_their_order(tmp_path: Path) -> None:
    archive = _archive(tmp_path, feature_schema=SCHEMA, metrics={"wape": 0.25, "mase": None})

    card = read_card(archive)

    assert card.metrics == {"wape": 0.25, "mase": None}
    assert list(card.inputs.items()) == [("day", "date"), ("price_lag_7", "double?")]
    assert list(card.outputs.items()) == [("price", "RMB/kg"), ("demand", "")]


def test_an_archive_without_metrics_is_none(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"model.tar.gz holds no artifacts/metrics.json"):
        read_card(_archive(tmp_path, feature_schema=SCHEMA))


def test_a_document_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"artifacts/metrics.json of model.tar.gz cannot be"):
        read_card(_archive(tmp_path, feature_schema=SCHEMA, metrics="{"))


def test_what_is_no_archive_is_said(tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(b"no archive")

    with pytest.raises(ContractError, match="compression is damaged"):
        read_card(path)
