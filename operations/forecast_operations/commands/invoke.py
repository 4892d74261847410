"""`forecast invoke`: one request to an endpoint, or to the archive on this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path  # noqa: TC003  # typer reads the annotations
from typing import Annotated

import typer

from forecast_config import ForecastError, load_config, load_environments
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.invocation import OK
from forecast_operations.commands.serve import ArchiveOption, EnvironmentArgument, find_model
from forecast_operations.console import err
from forecast_operations.endpoints.asking import ask_endpoint, check_answers_at_once
from forecast_operations.options import (
    DEFAULT_CONFIG,
    AcceptOption,
    ConfigOption,
    ContentTypeOption,
    RequestFileOption,
)
from forecast_operations.serving.archive import Answer, ask, find_running, server

_TYPES = {
    ".json": "application/json",
    ".csv": "text/csv",
    ".jsonl": "application/jsonlines",
    ".ndjson": "application/x-ndjson",
}


def invoke_command(  # noqa: PLR0917 - typer names them on the command line
    environment: EnvironmentArgument = None,
    file: RequestFileOption = None,
    content_type: ContentTypeOption = None,
    accept: AcceptOption = "application/json",
    url: Annotated[
        str | None, typer.Option(help="A model server, such as http://127.0.0.1:8080.")
    ] = None,
    archive: ArchiveOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    local: Annotated[
        bool, typer.Option("--local", help="Ask what `forecast serve` serves, not the endpoint.")
    ] = False,
) -> None:
    """Send one request; the answer alone goes to standard output.

    The exit code is 0 for an answer, and 1 for a refusal or when nobody answers.
    """
    body, headers = read_request(file, content_type, accept)
    if url is not None:
        answer = ask(url, "POST", "/invocations", body, headers)
    elif local or archive is not None:
        answer = _ask_here(config, environment, archive, body, headers)
    else:
        answer = _ask_environment(config, environment, body, headers)
    write_answer(answer)


def read_request(
    file: Path | None, content_type: str | None, accept: str
) -> tuple[bytes, dict[str, str]]:
    """The body of a request and its headers.

    Args:
        file: The file of the body; None: standard input.
        content_type: Type of the body; None: by the file's name, or JSON.
        accept: Type of the answer.

    Raises:
        ForecastError: There is no such file, or nothing is piped in.
    """
    return _read(file), {"Content-Type": content_type or _type_of(file), "Accept": accept}


def write_answer(answer: Answer) -> None:
    """Write the body of an answer, and nothing else, to standard output.

    Raises:
        ForecastError: It is a refusal.
    """
    if answer.status != OK:
        raise ForecastError(_refusal(answer))
    sys.stdout.buffer.write(answer.body.rstrip(b"\n") + b"\n")
    sys.stdout.flush()


def _read(file: Path | None) -> bytes:
    if file is None:
        if sys.stdin.isatty():
            raise ForecastError("no request; give --file request.json, or pipe one in")
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise ForecastError(f"cannot read {file}: {error.strerror}") from None


def _type_of(file: Path | None) -> str:
    return _TYPES.get(file.suffix.lower() if file else "", "application/json")


def _ask_here(
    config: Path,
    environment: str | None,
    archive: Path | None,
    body: bytes,
    headers: dict[str, str],
) -> Answer:
    """Ask the server that runs, or one that is started for this request alone."""
    running = find_running(load_config(config).root) if archive is None else None
    if running is not None:
        return ask(running.url, "POST", "/invocations", body, headers)
    model_dir, _ = find_model(config, environment, archive)
    err.print("no server runs (start one with: forecast serve); the archive answers this once")
    quiet = {"FORECAST_REQUEST_LOG": "none"}
    with server(model_dir, port=0, workers=1, variables=quiet) as (_, url):
        return ask(url, "POST", "/invocations", body, headers)


def _ask_environment(
    config: Path, environment: str | None, body: bytes, headers: dict[str, str]
) -> Answer:
    _, wanted = load_environments(config, [environment] if environment else None)
    settings = next(iter(wanted.values()))
    check_answers_at_once(settings)
    cloud, name = Cloud(settings.region), settings.endpoint.name
    return ask_endpoint(cloud, name, body, headers, "ask the archive here with: --local")


def _refusal(answer: Answer) -> str:
    """What a refused request's author is told."""
    try:
        error = json.loads(answer.body)["error"]
        place = "".join(f", {key} {error[key]}" for key in ("row", "feature") if key in error)
        return f"status {answer.status} {error['code']}{place}: {error['message']}"
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status}: {answer.body[:200].decode(errors='replace')}"
