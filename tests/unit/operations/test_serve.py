"""`forecast serve` and `forecast invoke`: the packed archive on this machine, and its answers."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from botocore.exceptions import ClientError, NoCredentialsError

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.commands import invoke
from forecast_operations.serving import archive as served
from forecast_packaging.building.archive import write_archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

TESTS = Path(__file__).parents[1]
ROW = {"a": 1.0, "b": 2.0, "c": 3.0}
BODY = json.dumps({"instances": [ROW]})


def _load(name: str) -> ModuleType:
    """A module of the runtime's tests: importlib mode puts no test folder on sys.path."""
    spec = importlib.util.spec_from_file_location(f"serve_{name}", TESTS / f"inference/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("packed")
    folder = _load("models").lightgbm_text(_load("archives"), root / "model").path
    write_archive(folder, root / "model.tar.gz")
    return root / "model.tar.gz"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose model is never packed."""
    path = tmp_path / "forecast.yaml"
    document = {
        "model": {
            "name": "forecaster",
            "candidate": {"approval": {"name": "status", "value": "approved"}},
        },
        "allowed_regions": ["eu-central-1"],
        "defaults": {
            "region": "eu-central-1",
            "image": {"kind": "aws", "framework": "scikit-learn", "version": "1.9-0"},
            "tags": {"team": "forecasting", "cost_centre": "CC-1"},
        },
        "environments": {
            "dev": {
                "endpoint": {
                    "kind": "realtime",
                    "name": "forecast-dev",
                    "instance_type": "ml.m5.large",
                }
            }
        },
    }
    path.write_text(yaml.safe_dump(document))
    return path


def forecast(*arguments: str, folder: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("forecast")), *arguments]
    return subprocess.run(
        command, cwd=folder, input=stdin, capture_output=True, text=True, check=False
    )


@pytest.fixture
def serving(archive: Path, config: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A running `forecast serve`, and the lines with which it greets."""
    command = [str(Path(sys.executable).with_name("forecast")), "serve", "--archive", str(archive)]
    process = subprocess.Popen(
        [*command, "--port", "0", "--config", str(config)],
        cwd=config.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        yield process, [process.stdout.readline() for _ in range(5)]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_the_archive_is_served_until_it_is_interrupted(
    serving: tuple[subprocess.Popen[str], list[str]], config: Path
) -> None:
    process, greeting = serving
    url = greeting[0].split()[2].rstrip(";")
    assert "Ctrl-C ends it" in greeting[0]
    assert "forecast invoke --local --file" in greeting[3]
    assert f"{url}/invocations" in greeting[4]
    example = config.parent / greeting[3].split()[-1]
    assert "instances" in json.loads(example.read_text())
    assert served.ask(url, "GET", "/ping").status == 200
    assert served.find_running(config.parent) == served.Running(
        url, json.loads((served.serve_folder(config.parent) / "running.json").read_text())["pid"],
        served.find_running(config.parent).archive,  # type: ignore[union-attr]  # it runs
    )  # fmt: skip

    asked = forecast("invoke", "--local", "--config", str(config), folder=config.parent, stdin=BODY)

    assert (asked.returncode, asked.stderr) == (0, "")
    assert len(json.loads(asked.stdout)["predictions"]) == 1
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (0, "")
    log, last = stdout.splitlines()
    assert (json.loads(log)["status"], last) == (200, "stopped")
    assert served.find_running(config.parent) is None


def test_a_refusal_is_one_sentence_and_exit_code_1(
    serving: tuple[subprocess.Popen[str], list[str]], config: Path
) -> None:
    _, greeting = serving
    url = greeting[0].split()[2].rstrip(";")
    body = json.dumps({"instances": [{**ROW, "b": "s3cr3t"}]})
    asked = forecast("invoke", "--url", url, folder=config.parent, stdin=body)
    assert (asked.returncode, asked.stdout) == (1, "")
    assert asked.stderr.startswith("error: status 400 invalid_type, row 0, feature b: ")
    assert "s3cr3t" not in asked.stderr


def test_csv_is_asked_and_answered_by_the_file_s_name(
    serving: tuple[subprocess.Popen[str], list[str]], config: Path
) -> None:
    _, greeting = serving
    url = greeting[0].split()[2].rstrip(";")
    (config.parent / "rows.csv").write_text("a,b,c\n1,2,3\n4,5,6\n")
    asked = forecast(
        "invoke", "--url", url, "--file", "rows.csv", "--accept", "text/csv", folder=config.parent
    )
    assert asked.returncode == 0
    assert len(asked.stdout.splitlines()) == 3


def test_without_a_server_the_archive_answers_once(archive: Path, tmp_path: Path) -> None:
    asked = forecast("invoke", "--archive", str(archive), folder=tmp_path, stdin=BODY)
    assert asked.returncode == 0
    assert asked.stderr.startswith("no server runs (start one with: forecast serve)")
    assert len(json.loads(asked.stdout)["predictions"]) == 1
    assert len(list((tmp_path / ".forecast/serve").iterdir())) == 1  # unpacked once


def test_an_archive_that_is_none_is_refused(tmp_path: Path) -> None:
    missing = forecast("serve", "--archive", "model.tar.gz", folder=tmp_path)
    assert missing.returncode != 0
    assert "there is no archive model.tar.gz; make it with: forecast package" in missing.stderr
    (tmp_path / "model.tar.gz").write_bytes(b"no archive")
    broken = forecast("serve", "--archive", "model.tar.gz", folder=tmp_path)
    assert broken.returncode != 0
    assert "model.tar.gz is not served" in broken.stderr
    assert "Traceback" not in missing.stderr + broken.stderr
    assert list((tmp_path / ".forecast/serve").iterdir()) == []


def test_a_taken_port_is_named_with_a_way_out(archive: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = forecast("serve", "--archive", str(archive), "--port", port, folder=tmp_path)
    assert done.returncode != 0
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("url", ["ftp://x", "nonsense", "http://"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ForecastError, match="expected a URL like"):
        served.ask(url, "GET", "/ping")


def test_nobody_at_a_url_is_said_with_what_to_do() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(ForecastError, match="start it with: forecast serve"):
            served.ask(url, "GET", "/ping")


def test_a_file_that_is_not_there_is_named(tmp_path: Path, config: Path) -> None:
    with pytest.raises(ForecastError, match=r"cannot read .*rows\.json: No such file"):
        invoke.invoke_command(file=tmp_path / "rows.json", config=config, local=True)


class Runtime:
    """A stand-in for boto3's client of sagemaker-runtime."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: dict[str, Any] = {}

    def invoke_endpoint(self, **asked: Any) -> Any:
        self.asked = asked
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def _ask_endpoint(monkeypatch: pytest.MonkeyPatch, config: Path, answer: Any) -> Runtime:
    runtime = Runtime(answer)

    def client(cloud: Cloud, service: str) -> Runtime:
        assert (service, cloud.region) == ("sagemaker-runtime", "eu-central-1")
        return runtime

    monkeypatch.setattr(Cloud, "client", client)
    (config.parent / "rows.json").write_text(BODY)
    invoke.invoke_command("dev", file=config.parent / "rows.json", config=config)
    return runtime


def test_an_endpoint_is_asked_by_its_name(
    monkeypatch: pytest.MonkeyPatch, config: Path, capfdbinary: Any
) -> None:
    answer = {"Body": io.BytesIO(b'{"predictions": []}'), "ContentType": "application/json"}
    runtime = _ask_endpoint(monkeypatch, config, answer)
    assert runtime.asked == {
        "EndpointName": "forecast-dev", "Body": BODY.encode(),
        "ContentType": "application/json", "Accept": "application/json",
    }  # fmt: skip
    assert capfdbinary.readouterr().out == b'{"predictions": []}\n'


def test_a_model_s_refusal_passes_through_sagemaker(
    monkeypatch: pytest.MonkeyPatch, config: Path
) -> None:
    message = json.dumps({"error": {"code": "null_value", "message": "…", "row": 3}})
    error = {
        "Error": {"Code": "ModelError", "Message": "Received client error (400) …"},
        "OriginalStatusCode": 400,
        "OriginalMessage": message,
    }
    with pytest.raises(ForecastError, match="status 400 null_value, row 3"):
        _ask_endpoint(monkeypatch, config, ClientError(error, "InvokeEndpoint"))  # type: ignore[arg-type]  # as AWS sends it


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ClientError(
                {
                    "Error": {
                        "Code": "ValidationError",
                        "Message": "Endpoint forecast-dev of account 1 not found.",
                    }
                },
                "InvokeEndpoint",
            ),
            r"not found\.; deploy it first; or ask the archive here with: --local",
        ),
        (
            ClientError(
                {
                    "Error": {
                        "Code": "ServiceUnavailable",
                        "Message": "its capacity is exceeded",
                    }
                },
                "InvokeEndpoint",
            ),
            "exceeded; see how it is with: forecast endpoints describe forecast-dev, and ask",
        ),
        (NoCredentialsError(), "no AWS credentials; sign in .*; or ask the archive here"),
    ],
)
def test_an_endpoint_that_does_not_answer_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, config: Path, error: Exception, said: str
) -> None:
    with pytest.raises(ForecastError, match=said):
        _ask_endpoint(monkeypatch, config, error)
