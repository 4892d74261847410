"""A copy of an assembly has another template under another hash, and nothing else changed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from forecast_config import ForecastError
from forecast_operations.synthesis.assembly import account_of, read_template, with_template

if TYPE_CHECKING:
    from pathlib import Path

_OLD = "0" * 64


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    folder = tmp_path / "wanted"
    folder.mkdir()
    documents = {
        "Stack.template.json": {"Resources": {"A": {"Type": "A"}}},
        "Other.template.json": {"Resources": {}},
        "manifest.json": {
            "artifacts": {
                "Stack": {
                    "environment": "aws://111111111111/eu-central-1",
                    "properties": {
                        "stackTemplateAssetObjectUrl": f"s3://bucket/models/{_OLD}.json"
                    },
                },
                "Other": {"environment": "aws://unknown-account/eu-central-1"},
            }
        },
        "Stack.assets.json": {
            "files": {
                "model": {"destinations": {"here": {"objectKey": "models/model.gz"}}},
                _OLD: {"destinations": {"here": {"objectKey": f"models/{_OLD}.json"}}},
            }
        },
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document))
    return folder


def test_the_template_is_uploaded_under_its_own_hash(assembly: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_text() for path in assembly.iterdir()}
    made = with_template(assembly, "Stack", {"Resources": {}}, tmp_path / "step")

    digest = hashlib.sha256((made / "Stack.template.json").read_bytes()).hexdigest()
    manifest = json.loads((made / "manifest.json").read_text())
    properties = manifest["artifacts"]["Stack"]["properties"]
    files = json.loads((made / "Stack.assets.json").read_text())["files"]
    assert read_template(made, "Stack") == {"Resources": {}}
    assert properties["stackTemplateAssetObjectUrl"] == f"s3://bucket/models/{digest}.json"
    assert files.keys() == {"model", digest}
    assert files[digest]["destinations"]["here"]["objectKey"] == f"models/{digest}.json"
    assert {path.name: path.read_text() for path in assembly.iterdir()} == before


def test_a_copy_can_be_made_again(assembly: Path, tmp_path: Path) -> None:
    folder = tmp_path / "step"
    with_template(assembly, "Stack", {"Resources": {"B": {"Type": "B"}}}, folder)

    made = with_template(assembly, "Stack", {"Resources": {"C": {"Type": "C"}}}, folder)

    assert read_template(made, "Stack") == {"Resources": {"C": {"Type": "C"}}}


def test_a_stack_that_was_not_synthesized_is_named(assembly: Path) -> None:
    with pytest.raises(ForecastError, match="has no stack ForecastProd; synthesize it first"):
        read_template(assembly, "ForecastProd")


@pytest.mark.parametrize("content", ["{", "[]", '{"Resources": {"A": {}}}'])
def test_a_damaged_template_is_named(content: str, assembly: Path) -> None:
    (assembly / "Stack.template.json").write_text(content)

    with pytest.raises(ForecastError, match=r"Stack\.template\.json: expected a "):
        read_template(assembly, "Stack")


def test_the_account_is_that_of_the_assembly(assembly: Path) -> None:
    assert account_of(assembly, "Stack") == "111111111111"
    assert account_of(assembly, "Other") is None
