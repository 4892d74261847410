"""The own image: the same build context everywhere, and a start script that becomes the server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forecast_config import LockedWheel
from forecast_config.settings import OwnImage
from forecast_packaging.container.context import base_image, write_context

if TYPE_CHECKING:
    from collections.abc import Callable

WHEELS = {
    "numpy": LockedWheel(version="2.5.5", file="numpy-2.5.5-cp313-cp313-any.whl", sha256="1" * 64),
    "lightgbm": LockedWheel(version="4.7.0", file="lightgbm-4.7.0-any.whl", sha256="0" * 64),
}
IMAGE = OwnImage(kind="own", python="3.13")
SERVE = Path(str(files("forecast_packaging").joinpath("container/serve")))

SERVER = """
import json, os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(json.dumps({"arguments": sys.argv[1:], "path": os.environ["PYTHONPATH"], "pid": os.getpid()}),
      flush=True)
signal.pause()
"""


def test_the_context_is_the_same_for_the_same_libraries(tmp_path: Path) -> None:
    one = write_context(tmp_path / "one", IMAGE, WHEELS)
    other = write_context(tmp_path / "other", IMAGE, dict(reversed(WHEELS.items())))

    assert one.name == other.name
    assert one == write_context(tmp_path / "one", IMAGE, WHEELS)
    assert {path.name: path.read_bytes() for path in one.iterdir()} == {
        path.name: path.read_bytes() for path in other.iterdir()
    }
    assert one.relative_to(tmp_path).parts[:3] == ("one", ".forecast", "images")


@pytest.mark.parametrize(
    ("image", "wheels"),
    [
        (OwnImage(kind="own", python="3.12"), WHEELS),
        (OwnImage(kind="own", python="3.13", base_digest=f"sha256:{'0' * 64}"), WHEELS),
        (IMAGE, {"numpy": WHEELS["numpy"]}),
    ],
)
def test_another_python_base_or_library_is_another_context(
    tmp_path: Path, image: OwnImage, wheels: dict[str, LockedWheel]
) -> None:
    assert write_context(tmp_path, image, wheels) != write_context(tmp_path, IMAGE, WHEELS)


def test_libraries_are_installed_by_version_and_digest_and_nothing_else(tmp_path: Path) -> None:
    context = write_context(tmp_path, IMAGE, WHEELS)

    assert (context / "requirements.txt").read_text() == (
        f"lightgbm==4.7.0 --hash=sha256:{'0' * 64}\nnumpy==2.5.5 --hash=sha256:{'1' * 64}\n"
    )
    dockerfile = (context / "Dockerfile").read_text()
    assert "--no-deps --require-hashes" in dockerfile
    assert {path.name for path in context.iterdir()} == {"Dockerfile", "requirements.txt", "serve"}


def test_the_base_is_pinned_by_tag_and_by_digest_where_one_is_given(tmp_path: Path) -> None:
    pinned = OwnImage(kind="own", python="3.12", base_digest=f"sha256:{'a' * 64}")

    assert base_image(IMAGE) == "python:3.13-slim-bookworm"
    assert base_image(pinned) == f"python:3.12-slim-bookworm@sha256:{'a' * 64}"
    lines = (write_context(tmp_path, pinned, WHEELS) / "Dockerfile").read_text().splitlines()
    assert f"ARG BASE_IMAGE={base_image(pinned)}" in lines


def test_the_image_runs_as_nobody_and_brings_openmp() -> None:
    dockerfile = files("forecast_packaging").joinpath("container/Dockerfile").read_text()
    lines = dockerfile.splitlines()

    assert "libgomp1" in dockerfile
    assert next(line for line in reversed(lines) if line.startswith("USER ")) == "USER 10001"
    assert 'CMD ["serve"]' in lines
    assert "HEALTHCHECK NONE" in lines
    assert not [line for line in lines if line.startswith(("ADD ", "VOLUME "))]


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    def start(**environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, SERVE],
            env={"PATH": os.environ["PATH"], "SAGEMAKER_BASE_DIR": str(tmp_path), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An extracted archive with a server that says how it was started."""
    package = tmp_path / "model" / "code" / "forecast_inference" / "server"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(SERVER)
    return tmp_path / "model"


def test_serve_becomes_the_archives_own_server(
    serve: Callable[..., subprocess.Popen[str]], archive: Path
) -> None:
    process = serve(SAGEMAKER_MODEL_SERVER_WORKERS="3")
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    process.communicate()

    assert " ".join(said["arguments"]) == (
        f"--model-dir {archive} --host 0.0.0.0 --port 8080 --workers 3"
    )
    assert said["path"] == str(archive / "code")
    # The same process: SageMaker's SIGTERM reaches the server, and its exit code SageMaker.
    assert said["pid"] == process.pid
    assert process.returncode == 7


def test_serve_takes_the_port_that_sagemaker_names(
    serve: Callable[..., subprocess.Popen[str]],
    archive: Path,  # noqa: ARG001
) -> None:
    process = serve(SAGEMAKER_BIND_TO_PORT="8081")
    assert process.stdout is not None
    said = process.stdout.readline()
    process.terminate()
    process.communicate()

    assert '"--port", "8081"' in said
    assert "--workers" not in said


def test_serve_without_an_archive_says_what_is_missing(
    serve: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    _, errors = serve().communicate(timeout=60)

    code = tmp_path / "model" / "code"
    assert errors.strip() == (
        f"{code} holds no forecast_inference, expected an extracted model.tar.gz in {code.parent}"
    )
