"""Starts the model server: ``python -m forecast_inference.server --model-dir DIR --port P``."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.server.startup import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_PORT: Final = 65_535
_MAX_WORKERS: Final = 256


class _JsonLines(logging.Formatter):
    """Log records as JSON, one line each."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the model server; requests are logged to standard output, problems to standard error."""
    options = _parser().parse_args(arguments)
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    prepare(options.model_dir)
    # Only now: what these import may lie in the archive.
    from forecast_inference.server import serving, workers  # noqa: PLC0415

    if options.worker is not None:
        return workers.run_worker(options.model_dir, options.worker)
    where = (options.model_dir, options.host, options.port)
    if options.workers == 1:
        return serving.serve_alone(*where)
    return workers.serve_shared(*where, options.workers)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m forecast_inference.server", description="Serve a forecasting model."
    )
    parser.add_argument("--model-dir", type=Path, required=True, help="the extracted archive")
    parser.add_argument("--port", type=_port, default=8080, help="0 takes a free port")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 within a container")
    parser.add_argument(
        "--workers",
        type=_workers,
        default=os.environ.get("SAGEMAKER_MODEL_SERVER_WORKERS") or "1",
        help="processes, each with its own copy of the model",
    )
    parser.add_argument("--worker", help=argparse.SUPPRESS)  # the parent of workers passes it
    return parser


def _port(text: str) -> int:
    return _whole_number(text, 0, _MAX_PORT, "a port")


def _workers(text: str) -> int:
    return _whole_number(text, 1, _MAX_WORKERS, "a number of workers")


def _whole_number(text: str, least: int, most: int, what: str) -> int:
    # Digits first: Python refuses to read numbers of thousands of them.
    if text.isascii() and text.isdigit() and len(text.lstrip("0")) <= len(str(most)):
        number = int(text)
        if least <= number <= most:
            return number
    raise argparse.ArgumentTypeError(f"expected {what} from {least} to {most}, got {text[:20]!r}")


if __name__ == "__main__":
    sys.exit(main())
