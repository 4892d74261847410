"""What is put into an archive, and what the archive says of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config.settings import ServingSettings
from forecast_packaging import ContractError, open_archive, package
from forecast_packaging.building.plan import plan_archive
from forecast_packaging.building.runtime import runtime_files
from forecast_packaging.building.stage import Stage
from forecast_packaging.building.summary import summarize_archive
from forecast_packaging.registry.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_config import LockedModel


@pytest.fixture
def packed(
    tmp_path: Path,
    tracking_uri: str,
    lock_model: Callable[[str], tuple[Path, LockedModel]],
) -> Callable[..., tuple[Path, Path]]:
    """Packs the champion of a model: the archive, and the folder that it was opened into."""

    def pack(name: str, **options: Any) -> tuple[Path, Path]:
        root, lock = lock_model(name)
        packaged = package(root=root, tracking_uri=tracking_uri, lock=lock, **options)
        assert packaged.runs_code_on_load == lock.runs_code_on_load
        into = tmp_path / "opened"
        into.mkdir()
        open_archive(packaged.archive, into)
        return packaged.archive, into

    return pack


def read(folder: Path, path: str) -> Any:
    return json.loads((folder / path).read_bytes())


def test_files_beside_the_model_are_one_bundle(packed: Callable[..., tuple[Path, Path]]) -> None:
    archive, folder = packed("bundle")
    info = read(folder, "model-info.json")
    assert [model["columns"] for model in info["models"]] == [
        ["price"],
        ["price_low"],
        ["price_high"],
    ]
    assert {model["flavor"] for model in info["models"]} == {"lightgbm"}
    assert info["runs_code_on_load"] is False
    assert sorted(path.name for path in (folder / "artifacts").glob("*.txt")) == []
    answer = read(folder, "artifacts/golden_requests.json")["requests"][0]["answer"]
    for prediction in answer["predictions"]:
        low, high = prediction["confidence_interval"]["forecasted_price"]
        assert low <= prediction["forecasted_price"] <= high
    assert summarize_archive(archive).pickles == ()


def test_an_archive_that_runs_code_says_so_by_the_files_name(
    packed: Callable[..., tuple[Path, Path]],
) -> None:
    archive, folder = packed("sklearn_pickle")
    assert read(folder, "model-info.json")["runs_code_on_load"] is True
    summary = summarize_archive(archive)
    assert (summary.formats, summary.pickles) == (("sklearn",), ("model/model.pkl",))


def test_vendored_libraries_are_members_and_named(
    packed: Callable[..., tuple[Path, Path]], tmp_path: Path
) -> None:
    code = tmp_path / "fast.py"
    code.write_text("match = 1\ntype X = int  # not for this Python\n")
    about = tmp_path / "METADATA"
    about.write_text("Name: fast\n")
    vendored = {
        "code/vendor/fast/__init__.py": code,
        "code/vendor/fast-1.2.0.dist-info/METADATA": about,
    }
    archive, folder = packed("lightgbm_booster", vendored=vendored)
    info = read(folder, "model-info.json")
    assert info["vendored"] == {"fast": "1.2.0"}
    assert vendored.keys() <= info["files"].keys()
    assert summarize_archive(archive).vendored == {"fast": "1.2.0"}


def test_the_settings_of_serving_are_in_the_archive(
    packed: Callable[..., tuple[Path, Path]],
) -> None:
    serving = ServingSettings(row_errors="report_rows", codec="fast")
    _, folder = packed("lightgbm_booster", serving=serving)
    assert read(folder, "artifacts/feature_schema.json")["row_errors"] == "report_rows"
    assert read(folder, "model-info.json")["codec"] == "fast"


def test_files_of_the_snapshot_are_linked_and_not_digested_again(
    tmp_path: Path,
    snapshot_folder: Path,
    produce: LockedModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    snapshot = Snapshot.read(snapshot_folder)
    digested: list[Path] = []
    monkeypatch.setattr(
        "forecast_packaging.building.stage.file_sha256",
        lambda path: digested.append(path) or "0" * 64,
    )
    # It answers nothing: the digests of the runtime are made up.
    folder = tmp_path / "stage"
    folder.mkdir()
    stage = Stage(folder, tmp_path, lock=produce, plan=plan_archive(snapshot))
    with pytest.raises(ContractError):
        stage.write(
            {"code/missing.py": runtime_files()["code/inference.py"]}, ServingSettings(), {}
        )
    model = "model/model.ubj"
    assert (folder / model).stat().st_ino == (snapshot_folder / model).stat().st_ino
    assert digested == [runtime_files()["code/inference.py"]]


def test_a_compiled_model_replaces_the_original_and_answers_the_golden_requests(
    packed_compiled: tuple[Path, Path],
) -> None:
    archive, folder = packed_compiled
    info = read(folder, "model-info.json")
    assert [model["flavor"] for model in info["models"]] == ["onnx"]
    assert [path.suffix for path in (folder / "model").iterdir()] == [".onnx"]
    assert info["compiled"] == {"from": ["sklearn"], "report": "artifacts/compilation.json"}
    assert info["runs_code_on_load"] is False
    assert read(folder, "artifacts/compilation.json")["accepted"] is True
    assert "onnxruntime==" in (folder / "code/requirements.txt").read_text()
    summary = summarize_archive(archive)
    assert (summary.formats, summary.pickles, summary.compilation) == (("onnx",), (), "accepted")


@pytest.fixture
def packed_compiled(
    tmp_path: Path,
    tracking_uri: str,
    lock_model: Callable[[str], tuple[Path, LockedModel]],
) -> tuple[Path, Path]:
    """The archive of a forest that was compiled."""
    root, lock = lock_model("sklearn_skops")
    serving = ServingSettings(compile="onnx")
    packaged = package(root=root, tracking_uri=tracking_uri, lock=lock, serving=serving)
    into = tmp_path / "opened"
    into.mkdir()
    open_archive(packaged.archive, into)
    return packaged.archive, into
