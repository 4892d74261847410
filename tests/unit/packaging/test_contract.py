from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from forecast_packaging import ContractError, Version, package, resolve
from forecast_packaging.building.archive import write_archive
from forecast_packaging.building.contract import check_archive, open_archive
from forecast_packaging.building.plan import lock_of, plan_archive
from forecast_packaging.building.sandbox import run_in_sandbox
from forecast_packaging.manifest import scan
from forecast_packaging.registry.cache import CachedVersion, SnapshotCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_config import LockedModel


@pytest.fixture(scope="session")
def good_archive(
    tmp_path_factory: pytest.TempPathFactory, warm_root: Path, tracking_uri: str
) -> tuple[Path, set[str]]:
    """The opened archive of `produce`, made once."""
    root = tmp_path_factory.mktemp("good")
    shutil.copytree(warm_root, root, dirs_exist_ok=True)
    lock = resolve(
        root=root, tracking_uri=tracking_uri, name="produce", selector=Version("1"), refresh=False
    )
    packaged = package(root=root, tracking_uri=tracking_uri, lock=lock)
    into = root / "opened"
    into.mkdir()
    info = open_archive(packaged.archive, into)
    return into, {"model-info.json", *info["files"]}


@pytest.fixture
def check(tmp_path: Path, good_archive: tuple[Path, set[str]]) -> Callable[..., None]:
    """Packs a changed copy of a good archive and checks it."""
    folder = tmp_path / "changed"
    shutil.copytree(good_archive[0], folder)

    def run(change: Callable[[Any], None], *, refresh: bool = True) -> None:
        change(folder)
        if refresh:
            update_info(folder)
        write_archive(folder, tmp_path / "model.tar.gz")
        check_archive(tmp_path / "model.tar.gz", good_archive[1], tmp_path, {})

    return run


def update_info(folder: Path) -> None:
    info = json.loads((folder / "model-info.json").read_bytes())
    info["files"] = {
        entry.path: {"sha256": entry.sha256, "size": entry.size}
        for entry in scan(folder, "x")
        if entry.path != "model-info.json"
    }
    (folder / "model-info.json").write_text(json.dumps(info))


def remove(path: Path) -> Callable[[Path], None]:
    return lambda folder: (folder / path).unlink()


def write(path: Path, text: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / path).write_text(text)


def golden(name: str, **changes: Any) -> Callable[[Path], None]:
    """Changes a golden request."""

    def change(folder: Path) -> None:
        path = folder / "artifacts/golden_requests.json"
        document = json.loads(path.read_bytes())
        next(item for item in document["requests"] if item["name"] == name).update(changes)
        path.write_text(json.dumps(document))

    return change


def info(**changes: Any) -> Callable[[Path], None]:
    """Changes what the archive says of itself."""

    def change(folder: Path) -> None:
        path = folder / "model-info.json"
        path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))

    return change


def test_an_archive_whose_changes_are_recorded_is_accepted(check: Callable[..., None]) -> None:
    check(write("artifacts/metrics.json", "{}"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (remove("artifacts/metrics.json"), "the archive lacks artifacts/metrics.json"),
        (write("model/extra.bin", "x"), "the archive holds the unexpected model/extra.bin"),
        (
            write("code/forecast_inference/contract/schema.py", "def ("),
            "code/forecast_inference/contract/schema.py does not compile",
        ),
        (
            write("code/forecast_inference/handler.py", "import nothing_of_that_name"),
            (
                "the model does not answer its golden requests: ModuleNotFoundError: No module "
                "named 'nothing_of_that_name'"
            ),
        ),
        (
            write(
                "code/forecast_inference/handler.py", "import os, signal\nos.kill(os.getpid(), 11)"
            ),
            "the model does not answer its golden requests: its process was ended by SIGSEGV",
        ),
        (
            write("code/forecast_inference/handler.py", "import os\nos._exit(3)"),
            "its process ended with status 3: no output",
        ),
        (
            golden("example", body='{"instances": [{"item_code": "104"}]}'),
            (
                "the golden request 'example' is answered with 400, expected 200: "
                "missing_feature: the feature is missing, every row needs it (row 0, feature date)"
            ),
        ),
        (
            golden("missing_feature", status=200),
            "the golden request 'missing_feature' is answered with 400, expected 200",
        ),
        (
            golden("example", answer={"predictions": []}),
            "the model answers its golden request 'example' differently the second time",
        ),
        (
            golden("csv", answer="forecasted_price\n1.0\n"),
            "the model answers its golden request 'csv' differently the second time",
        ),
        (write("model/model.ubj", "{broken"), "the model does not answer its golden requests"),
    ],
)
def test_a_broken_archive_is_refused_with_the_check_that_it_failed(
    check: Callable[..., None], change: Callable[[Any], None], message: str
) -> None:
    with pytest.raises(ContractError) as caught:
        check(change)
    assert message in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_member_that_differs_from_its_record_is_refused(check: Callable[..., None]) -> None:
    with pytest.raises(ContractError) as caught:
        check(write("artifacts/metrics.json", "{}"), refresh=False)
    message = "model-info.json has another digest of artifacts/metrics.json"
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "surprise",
    [
        "code/sitecustomize.py",
        "code/setup.py",
        "code/forecast_inference/fast.so",
        "code/forecast_inference/telemetry/.pth",
        "code/vendor/msgspec/__init__.py",
        "model/other.pkl",
        "run.sh",
        "wheels/msgspec.whl",
    ],
)
def test_a_member_where_none_belongs_is_refused(
    tmp_path: Path, good_archive: tuple[Path, set[str]], surprise: str
) -> None:
    folder = tmp_path / "surprising"
    shutil.copytree(good_archive[0], folder)
    (folder / surprise).parent.mkdir(parents=True, exist_ok=True)
    (folder / surprise).write_text("print()")
    update_info(folder)
    write_archive(folder, tmp_path / "model.tar.gz")
    (tmp_path / "opened").mkdir()
    with pytest.raises(ContractError) as caught:
        open_archive(tmp_path / "model.tar.gz", tmp_path / "opened")
    assert str(caught.value) == f"the archive holds what does not belong there: {surprise}"


def test_a_vendored_library_belongs_there_when_the_archive_says_so(
    tmp_path: Path, good_archive: tuple[Path, set[str]]
) -> None:
    folder = tmp_path / "vendoring"
    shutil.copytree(good_archive[0], folder)
    (folder / "code/vendor").mkdir()
    (folder / "code/vendor/msgspec.so").write_bytes(b"\x7fELF")
    info(vendored={"msgspec": "0.22.0"})(folder)
    update_info(folder)
    write_archive(folder, tmp_path / "model.tar.gz")
    (tmp_path / "opened").mkdir()
    assert open_archive(tmp_path / "model.tar.gz", tmp_path / "opened")["vendored"]


@pytest.mark.parametrize(
    ("file", "content"), [("model/model.ubj", b"\x80\x05."), ("model/model.joblib", b"PF")]
)
def test_a_pickle_that_the_archive_does_not_tell_of_is_refused(
    tmp_path: Path, good_archive: tuple[Path, set[str]], file: str, content: bytes
) -> None:
    folder = tmp_path / "lying"
    shutil.copytree(good_archive[0], folder)
    (folder / "model/model.ubj").unlink()
    (folder / file).write_bytes(content)
    info(models=[{"flavor": "xgboost", "file": file, "columns": ["forecasted_price"]}])(folder)
    update_info(folder)
    write_archive(folder, tmp_path / "model.tar.gz")
    (tmp_path / "opened").mkdir()
    with pytest.raises(ContractError) as caught:
        open_archive(tmp_path / "model.tar.gz", tmp_path / "opened")
    message = f"model-info.json says that loading runs no code, and these are pickles: {file}"
    assert str(caught.value) == message


def test_the_sandbox_ends_what_takes_too_long(
    tmp_path: Path, good_archive: tuple[Path, set[str]]
) -> None:
    folder = tmp_path / "slow"
    shutil.copytree(good_archive[0], folder)
    (folder / "code/forecast_inference/handler.py").write_text("import time\ntime.sleep(60)")
    task = {"do": "answer", "root": str(folder), "requests": [], "libraries": {}}
    with pytest.raises(ContractError, match="it took longer than 1 seconds"):
        run_in_sandbox(task, tmp_path, timeout_seconds=1)


def test_the_sandbox_uses_the_runtime_of_the_archive_and_no_other(
    tmp_path: Path, good_archive: tuple[Path, set[str]]
) -> None:
    folder = tmp_path / "empty"
    shutil.copytree(good_archive[0], folder)
    shutil.rmtree(folder / "code/forecast_inference")
    task = {"do": "answer", "root": str(folder), "requests": [], "libraries": {}}
    with pytest.raises(ContractError, match="the runtime was imported from"):
        run_in_sandbox(task, tmp_path)


def test_the_sandbox_sees_none_of_this_process(
    tmp_path: Path, good_archive: tuple[Path, set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    folder = tmp_path / "curious"
    shutil.copytree(good_archive[0], folder)
    (folder / "code/forecast_inference/handler.py").write_text(
        "import os\nraise RuntimeError(str(sorted(os.environ)) + os.getcwd())"
    )
    task = {"do": "answer", "root": str(folder), "requests": [], "libraries": {}}
    with pytest.raises(ContractError) as caught:
        run_in_sandbox(task, tmp_path)
    assert "AWS_SECRET" not in str(caught.value)
    assert "PYTHONPATH" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def lock_snapshot(folder: Path, produce: LockedModel, tracking_uri: str) -> LockedModel:
    """The changed snapshot in the cache as version 1, and the lock entry that it would get."""
    cache = SnapshotCache(folder.parent)
    snapshot = cache.store(folder)
    known = CachedVersion(run_id=produce.run_id, digest=snapshot.digest)
    cache.remember(tracking_uri, produce.name, produce.version, known)
    return lock_of(
        snapshot,
        plan_archive(snapshot),
        name=produce.name,
        version=produce.version,
        run_id=produce.run_id,
        alias=None,
    )


def test_an_example_that_is_refused_leaves_no_archive(
    project: Path, snapshot_folder: Path, produce: LockedModel, tracking_uri: str
) -> None:
    path = snapshot_folder / "artifacts/serving.json"
    serving = json.loads(path.read_bytes())
    serving["input_example"]["instances"][1]["item_code"] = "999"
    path.write_text(json.dumps(serving))
    lock = lock_snapshot(snapshot_folder, produce, tracking_uri)
    with pytest.raises(ContractError) as caught:
        package(root=project, tracking_uri=tracking_uri, lock=lock)
    message = str(caught.value)
    assert message.startswith("version 1 of model 'produce' failed its contract check: the golden")
    assert "request 'example' is answered with 400" in message
    assert "item_code" in message
    assert [path.name for path in (project / ".forecast/archives").iterdir()] == [".gate"]


def test_a_model_trained_on_other_columns_is_refused(
    project: Path, snapshot_folder: Path, produce: LockedModel, tracking_uri: str
) -> None:
    path = snapshot_folder / "model/MLmodel"
    text = path.read_text()
    assert "day_of_week" in text
    path.write_text(text.replace("day_of_week", "weekday"))
    serving_path = snapshot_folder / "artifacts/serving.json"
    serving = json.loads(serving_path.read_bytes())
    serving["derived"]["weekday"] = serving["derived"].pop("day_of_week")
    serving_path.write_text(json.dumps(serving))
    lock = lock_snapshot(snapshot_folder, produce, tracking_uri)
    with pytest.raises(ContractError, match="the model was trained on"):
        package(root=project, tracking_uri=tracking_uri, lock=lock)
