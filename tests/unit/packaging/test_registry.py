from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from mlflow import MlflowClient

from forecast_packaging import Alias, Candidate, RegistryError, Selector, Version, package, resolve
from forecast_packaging.registry.client import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from forecast_config import LockedModel


def ask(tmp_path: Path, uri: str, selector: Selector, name: str = "produce") -> LockedModel:
    return resolve(root=tmp_path, tracking_uri=uri, name=name, selector=selector)


def test_an_alias_is_pinned_to_its_version_run_digests_and_libraries(
    tmp_path: Path, tracking_uri: str
) -> None:
    lock = ask(tmp_path, tracking_uri, Alias("champion"))
    assert (lock.name, lock.version, lock.alias) == ("produce", "1", "champion")
    assert len(lock.run_id) == 32
    assert {"python", "xgboost"} == lock.libraries.keys()
    assert (lock.data_version, lock.code_reference) == ("2023-06-30", "abc123")


def test_the_start_of_the_run_is_when_it_was_trained(tmp_path: Path, tracking_uri: str) -> None:
    lock = ask(tmp_path, tracking_uri, Alias("champion"))
    run = MlflowClient(tracking_uri).get_run(lock.run_id)

    assert lock.trained_at is not None
    trained_at = datetime.strptime(lock.trained_at, "%Y-%m-%dT%H:%M:%S%z")
    assert trained_at.timestamp() == run.info.start_time // 1000


def test_data_and_code_fall_back_to_the_training_data_and_the_commit(
    tmp_path: Path, tracking_uri: str
) -> None:
    lock = ask(tmp_path, tracking_uri, Alias("challenger"))
    assert lock.version == "2"
    assert lock.code_reference == "def456"
    assert lock.data_version is not None


def test_resolving_twice_gives_the_same_lock(tmp_path: Path, tracking_uri: str) -> None:
    first = ask(tmp_path / "a", tracking_uri, Version("1"))
    assert ask(tmp_path / "b", tracking_uri, Version("1")) == first


def test_a_candidate_is_found_by_tag_and_by_run(tmp_path: Path, tracking_uri: str) -> None:
    by_tag = ask(tmp_path, tracking_uri, Candidate("run-of-the-week"))
    by_run = ask(tmp_path, tracking_uri, Candidate(by_tag.run_id))
    approved = ask(
        tmp_path,
        tracking_uri,
        Candidate("run-of-the-week", approved_tag=("approval", "granted")),
    )
    assert by_tag.version == by_run.version == approved.version == "2"
    assert by_tag.alias is None


def test_a_candidate_without_approval_is_refused(tmp_path: Path, tracking_uri: str) -> None:
    run_id = ask(tmp_path, tracking_uri, Version("1")).run_id
    with pytest.raises(RegistryError) as caught:
        ask(tmp_path, tracking_uri, Candidate(run_id, approved_tag=("approval", "granted")))
    assert str(caught.value) == (
        f"run '{run_id}' is version 1 of model 'produce', which is not approved: expected the tag "
        "approval=granted"
    )


@pytest.mark.parametrize(
    ("name", "selector", "message"),
    [
        ("nothing", Alias("champion"), "there is no model 'nothing' in {uri}; its models are"),
        (
            "produce",
            Alias("winner"),
            "model 'produce' has no alias 'winner' in {uri}; its aliases are challenger, champion",
        ),
        (
            "produce",
            Version("99"),
            "model 'produce' has no version 99 in {uri}; its versions are 1, 2",
        ),
        ("produce", Version("latest"), "expected a model version such as 16, got 'latest'"),
        (
            "produce",
            Candidate("nobody"),
            (
                "no version of model 'produce' in {uri} has the run id or the tag candidate_run_id "
                "'nobody'"
            ),
        ),
    ],
)
def test_what_is_not_there_is_told_with_what_is(
    tmp_path: Path, tracking_uri: str, name: str, selector: Selector, message: str
) -> None:
    with pytest.raises(RegistryError) as caught:
        ask(tmp_path, tracking_uri, selector, name)
    assert str(caught.value).startswith(message.format(uri=tracking_uri))
    assert "\n" not in str(caught.value)


def test_a_missing_database_is_reported_and_not_created(tmp_path: Path) -> None:
    with pytest.raises(RegistryError) as caught:
        ask(tmp_path, "sqlite:///mlflow.db", Alias("champion"))
    assert str(caught.value) == (
        "the model registry sqlite:///mlflow.db cannot be reached: there is no "
        f"{tmp_path / 'mlflow.db'}"
    )
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.parametrize("content", [b"", b"not a database at all"])
def test_a_file_that_is_no_registry_is_refused_and_left_as_it_is(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "mlflow.db").write_bytes(content)
    with pytest.raises(RegistryError, match="is not a database of MLflow"):
        ask(tmp_path, "sqlite:///mlflow.db", Alias("champion"))
    assert (tmp_path / "mlflow.db").read_bytes() == content


def test_nothing_is_written_where_one_stands(
    tmp_path: Path, tracking_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    ask(tmp_path / "project", tracking_uri, Alias("champion"))
    assert list(here.iterdir()) == []


def test_the_environment_is_as_before(tmp_path: Path, tracking_uri: str) -> None:
    before = dict(os.environ)
    ask(tmp_path, tracking_uri, Alias("champion"))
    assert dict(os.environ) == before


def test_mlflow_is_silent(
    tmp_path: Path, tracking_uri: str, capfd: pytest.CaptureFixture[str]
) -> None:
    ask(tmp_path, tracking_uri, Alias("champion"))
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_refused_connection_ends_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(RegistryError) as caught:
            ask(tmp_path, uri, Alias("champion"))
    expected = f"the model registry {uri} cannot be reached: connection refused"
    assert str(caught.value) == expected


def test_a_silent_server_ends_in_a_sentence_within_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "forecast_packaging.registry.client.PROMPT",
        {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"},
    )
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        start = time.monotonic()
        with pytest.raises(RegistryError) as caught:
            ask(tmp_path, uri, Alias("champion"))
    assert str(caught.value) == (
        f"the model registry {uri} cannot be reached: it did not answer in time"
    )
    assert time.monotonic() - start < 20


def test_a_database_of_another_mlflow_is_reported(tmp_path: Path, registry_folder: Path) -> None:
    shutil.copy(registry_folder / "mlflow.db", tmp_path / "old.db")
    connection = sqlite3.connect(tmp_path / "old.db")
    connection.execute("UPDATE alembic_version SET version_num = '728d730b5ebd'")
    connection.commit()
    connection.close()
    with pytest.raises(RegistryError, match="was written by another version of MLflow"):
        ask(tmp_path, "sqlite:///old.db", Alias("champion"))


@pytest.fixture(scope="session")
def http_registry(
    tmp_path_factory: pytest.TempPathFactory, register_models: Callable[..., str]
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("http")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (folder / "server.log").open("w")
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"),
            *("--port", str(port), "--workers", "1"),
            *("--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
            *("--artifacts-destination", str(folder / "store")),
        ],
        cwd=folder,
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    uri = f"http://127.0.0.1:{port}"
    try:
        _wait(port, server, folder)
        register_models(folder, uri, "produce")
        yield uri
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(30)
        log.close()


def _wait(port: int, server: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail((folder / "server.log").read_text()[-2000:])


@pytest.mark.slow
def test_a_model_comes_over_http(tmp_path: Path, http_registry: str) -> None:
    sizes: list[tuple[int, int]] = []
    lock = resolve(
        root=tmp_path,
        tracking_uri=http_registry,
        name="produce",
        selector=Alias("champion"),
        progress=lambda stage, *size: sizes.append(size) if stage == "download" else None,
    )
    assert all(total > 0 for _, total in sizes)
    assert [done == total for done, total in sizes] == [False, True, False, True]
    packaged = package(root=tmp_path, tracking_uri=http_registry, lock=lock)
    assert packaged.archive.is_file()
    assert packaged.model.data_version == "2023-06-30"


@pytest.mark.slow
def test_a_server_of_mlflow_goes_on_where_it_stopped(tmp_path: Path, http_registry: str) -> None:
    """Its answer to a request for a range, as none of its documentation promises one."""
    registry = Registry(http_registry, tmp_path)
    version = registry.resolve_alias("produce", "champion")
    into, parts = tmp_path / "into", tmp_path / "parts"
    into.mkdir()
    registry.download(version, into, parts)
    largest = max(parts.iterdir(), key=lambda part: part.stat().st_size)
    content = largest.read_bytes()
    half = len(content) // 2
    # Bytes that the server does not have show that it was not asked for them again.
    largest.unlink()
    largest.write_bytes(b"?" * half)

    shutil.rmtree(into)
    into.mkdir()
    registry.download(version, into, parts)

    assert largest.read_bytes() == b"?" * half + content[half:]


@pytest.mark.slow
def test_a_model_comes_from_a_file_store(
    tmp_path: Path, register_models: Callable[..., str]
) -> None:
    register_models(tmp_path, (tmp_path / "mlruns").as_uri(), "produce")
    for uri in ("mlruns", (tmp_path / "mlruns").as_uri()):
        lock = ask(tmp_path, uri, Alias("champion"))
        assert package(root=tmp_path, tracking_uri=uri, lock=lock).archive.is_file()


def test_a_missing_file_store_is_reported_and_not_created(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="cannot be reached: there is no"):
        ask(tmp_path, "mlruns", Alias("champion"))
    assert not (tmp_path / "mlruns").exists()


def test_an_alias_moves_once_and_says_where_it_was(tmp_path: Path, registry_folder: Path) -> None:
    shutil.copy(registry_folder / "mlflow.db", tmp_path)
    registry = Registry("sqlite:///mlflow.db", tmp_path)

    run_id = {each: registry.resolve_version("produce", each).run_id for each in ("1", "2")}

    def move(alias: str, version: str, run: str) -> str | None:
        return registry.move_alias("produce", alias, version, run_id[run])

    assert move("champion", "2", "2") == "1"
    assert move("champion", "2", "2") == "2"
    assert move("brand-new", "1", "1") is None
    assert registry.resolve_alias("produce", "champion").version == "2"
    with pytest.raises(RegistryError, match="has no version 99"):
        move("champion", "99", "1")
    assert registry.resolve_alias("produce", "champion").version == "2"


def test_an_alias_does_not_move_to_a_version_of_another_run(
    tmp_path: Path, registry_folder: Path
) -> None:
    shutil.copy(registry_folder / "mlflow.db", tmp_path)
    registry = Registry("sqlite:///mlflow.db", tmp_path)
    there = registry.resolve_version("produce", "2").run_id

    with pytest.raises(RegistryError, match=f"made by run {there}, expected run {'f' * 32}") as no:
        registry.move_alias("produce", "champion", "2", "f" * 32)

    assert "model.tracking_uri" in str(no.value)
    assert "--no-alias" in str(no.value)
    assert registry.resolve_alias("produce", "champion").version == "1"
