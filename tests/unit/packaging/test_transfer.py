"""A download that was interrupted goes on where it stopped, and ends with the same files."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from forecast_packaging import ModelError, RegistryError
from forecast_packaging.progress import no_progress
from forecast_packaging.registry.cache import SnapshotCache
from forecast_packaging.registry.local_store import LocalStore
from forecast_packaging.registry.transfer import StoredFile, transfer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from forecast_packaging.registry.remote_store import RemoteStore

MB = 1024 * 1024
SIZES = {"MLmodel": 1000, "data/a.bin": 5 * MB, "data/b.bin": 7 * MB + 3, "empty": 0}
SERVER = "mlflow-artifacts/artifacts"

LOCAL_PROGRAM = """
import os, signal, sys
from pathlib import Path
from forecast_packaging.registry.local_store import LocalStore
from forecast_packaging.registry.transfer import transfer
source, into, parts = map(Path, sys.argv[1:])
def progress(stage, done, total):
    if done > 9 * 1024 * 1024:
        os.kill(os.getpid(), signal.SIGKILL)
transfer(LocalStore(source), "", into, parts, shown="x", progress=progress)
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    for name, size in SIZES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(hashlib.shake_128(name.encode()).digest(size))
    return folder


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    return tmp_path / "parts"


def fresh(tmp_path: Path) -> Path:
    folder = tmp_path / f"into{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def arrivals(calls: list[tuple[str, int, int]]) -> Callable[[str, int, int], None]:
    return lambda *call: calls.append(call)


def test_a_copy_that_was_killed_goes_on_and_copies_nothing_twice(
    tmp_path: Path, source: Path, parts: Path
) -> None:
    command = [sys.executable, "-c", LOCAL_PROGRAM]
    done = subprocess.run([*command, source, fresh(tmp_path), parts], check=False)
    assert done.returncode == -signal.SIGKILL
    before = {part.name: (part.stat().st_size, part.stat().st_ino) for part in parts.iterdir()}
    assert len(before) == 3
    assert MB < min(size for size, _ in before.values() if size not in {1000, 5 * MB}) < 7 * MB
    written = {part: part.stat().st_mtime_ns for part in parts.iterdir()}

    calls: list[tuple[str, int, int]] = []
    into = fresh(tmp_path)
    transfer(LocalStore(source), "", into, parts, shown="x", progress=arrivals(calls))

    assert contents(into) == contents(source)
    assert {part.name: part.stat().st_ino for part in parts.iterdir()}.items() >= {
        name: inode for name, (_, inode) in before.items()
    }.items()
    changed = [part for part, time in written.items() if part.stat().st_mtime_ns != time]
    assert [part.stat().st_size for part in changed] == [SIZES["data/b.bin"]]
    assert calls[0] == ("download", 0, sum(SIZES.values()))
    assert calls[-1] == ("download", sum(SIZES.values()), sum(SIZES.values()))


def test_a_file_that_changed_meanwhile_is_copied_anew(
    tmp_path: Path, source: Path, parts: Path
) -> None:
    transfer(LocalStore(source), "", fresh(tmp_path), parts, shown="x", progress=no_progress)
    changed = source / "data/a.bin"
    changed.write_bytes(b"y" * (5 * MB))
    os.utime(changed, ns=(1, 1))
    into = fresh(tmp_path)
    transfer(LocalStore(source), "", into, parts, shown="x", progress=no_progress)
    assert contents(into) == contents(source)


class Served:
    """A server of files as MLflow's is, which breaks the line after a number of bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sent: dict[str, int] = {}
        self.breaks_after: int | None = None
        self.gives_ranges = True
        self.lies = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self.server.server_port}/api/2.0/{SERVER}/exp"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        url = urlsplit(request.path)
        path = url.path.rpartition(f"/{SERVER}")[2].strip("/")
        if not path:
            self._list(request, parse_qs(url.query)["path"][0])
            return
        path = path.removeprefix("exp/")
        data = (self.folder / path).read_bytes()
        tag = f'"{hashlib.sha256(data).hexdigest()}"'
        start = 0
        if self.gives_ranges and request.headers.get("If-Range") == tag:
            start = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        request.send_response(206 if start else 200)
        if start:
            shown = 0 if self.lies else start
            request.send_header("Content-Range", f"bytes {shown}-{len(data) - 1}/{len(data)}")
        if self.gives_ranges:
            request.send_header("ETag", tag)
        request.send_header("Content-Length", str(len(data) - start))
        request.end_headers()
        body = data[start:]
        if self.breaks_after is not None:
            body, self.breaks_after = body[: self.breaks_after], None
            request.close_connection = True
        self.sent[path] = self.sent.get(path, 0) + len(body)
        request.wfile.write(body)

    def _list(self, request: BaseHTTPRequestHandler, path: str) -> None:
        folder = self.folder / path.removeprefix("exp").strip("/")
        listing = sorted(folder.iterdir()) if folder.is_dir() else []
        files = [
            {"path": file.name, "is_dir": file.is_dir(), "file_size": file.stat().st_size}
            for file in listing
        ]
        body = json.dumps({"files": files}).encode()
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def served(source: Path) -> Iterator[Served]:
    served = Served(source)
    thread = threading.Thread(target=served.server.serve_forever, daemon=True)
    thread.start()
    yield served
    served.server.shutdown()
    served.server.server_close()
    thread.join()


def store(served: Served) -> RemoteStore:
    from forecast_packaging.registry.remote_store import remote_store  # noqa: PLC0415 - MLflow

    return remote_store(served.root, served.root)


def fetch(served: Served, parts: Path, into: Path) -> None:
    transfer(store(served), "", into, parts, shown="x", progress=no_progress)


def test_a_broken_line_is_taken_up_where_it_broke(
    tmp_path: Path, served: Served, parts: Path
) -> None:
    served.breaks_after = 3 * MB
    into = fresh(tmp_path)
    fetch(served, parts, into)
    assert contents(into) == contents(served.folder)
    assert served.sent["data/a.bin"] <= SIZES["data/a.bin"] + MB


def test_a_second_attempt_asks_for_what_is_missing(
    tmp_path: Path, served: Served, parts: Path
) -> None:
    fetch(served, parts, fresh(tmp_path))
    largest = max(parts.iterdir(), key=lambda part: part.stat().st_size)
    with largest.open("r+b") as part:
        part.truncate(4 * MB)
    served.sent.clear()
    into = fresh(tmp_path)
    fetch(served, parts, into)
    assert contents(into) == contents(served.folder)
    assert served.sent["data/b.bin"] == SIZES["data/b.bin"] - 4 * MB
    assert served.sent["data/a.bin"] == served.sent["MLmodel"] == 1


def test_a_file_that_changed_on_the_server_is_fetched_anew(
    tmp_path: Path, served: Served, parts: Path
) -> None:
    fetch(served, parts, fresh(tmp_path))
    (served.folder / "data/a.bin").write_bytes(b"y" * (5 * MB))
    into = fresh(tmp_path)
    fetch(served, parts, into)
    assert contents(into) == contents(served.folder)


def test_a_server_without_ranges_is_asked_again_for_unfinished_files_only(
    tmp_path: Path, served: Served, parts: Path
) -> None:
    served.gives_ranges = False
    fetch(served, parts, fresh(tmp_path))
    largest = max(parts.iterdir(), key=lambda part: part.stat().st_size)
    with largest.open("r+b") as part:
        part.truncate(4 * MB)
    served.sent.clear()
    into = fresh(tmp_path)
    fetch(served, parts, into)
    assert contents(into) == contents(served.folder)
    assert {path for path, count in served.sent.items() if count} == {"data/b.bin"}


def test_other_bytes_than_were_asked_for_are_not_taken(
    tmp_path: Path, served: Served, parts: Path
) -> None:
    fetch(served, parts, fresh(tmp_path))
    largest = max(parts.iterdir(), key=lambda part: part.stat().st_size)
    with largest.open("r+b") as part:
        part.truncate(4 * MB)
    served.lies = True
    with pytest.raises(OSError, match="other bytes than it was asked for"):
        fetch(served, parts, fresh(tmp_path))


class Short:
    root = "short"

    def files(self, _path: str, _shown: str) -> list[StoredFile]:
        return [StoredFile("a", 10)]

    def fetch(self, _file: StoredFile, part: Path, arrived: Callable[[int], None]) -> None:
        part.write_bytes(b"1234567")
        arrived(7)


def test_a_file_that_ends_too_soon_is_noticed(tmp_path: Path, parts: Path) -> None:
    with pytest.raises(RegistryError, match="a of the model ended after 7 of 10 bytes"):
        transfer(Short(), "", tmp_path, parts, shown="the model", progress=no_progress)


def test_a_path_that_leaves_the_folder_is_refused_before_anything_is_fetched(
    tmp_path: Path, parts: Path
) -> None:
    hostile = Short()
    hostile.files = lambda *_: [StoredFile("a", 7), StoredFile("../b", 7)]  # type: ignore[method-assign]
    with pytest.raises(ModelError, match="unsafe path"):
        transfer(hostile, "", tmp_path, parts, shown="the model", progress=no_progress)
    assert not parts.exists()


def test_parts_are_kept_until_a_download_is_complete_and_have_one_owner(tmp_path: Path) -> None:
    cache = SnapshotCache(tmp_path)
    seen = []

    def second() -> None:
        with cache.parts("uri", "name", "1") as folder:
            seen.append(sorted(file.name for file in folder.iterdir()))

    def interrupted() -> None:
        with cache.parts("uri", "name", "1") as folder:
            (folder / "part").write_text("x")
            thread.start()
            thread.join(0.3)
            assert seen == []
            raise KeyboardInterrupt

    thread = threading.Thread(target=second)
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    thread.join()
    assert seen == [["part"]]
    with cache.parts("uri", "name", "1") as folder:
        assert list(folder.iterdir()) == []
