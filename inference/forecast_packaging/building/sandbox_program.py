"""The program that runs inside the sandbox; started by its path, with no other file of ours.

A task is a JSON document. `{"do": "answer", "root": …, "requests": […], "libraries": {…}}` loads
the extracted archive at `root` and answers requests of the form `{"body", "content_type",
"accept"}`; `{"do": "convert", "source": …, "target": …, "trusted_types": […], "libraries": {…}}`
turns a skops file into a pickle;
`{"do": "compile", "root": …, "target": …, "relative": …, "absolute": …, "libraries": {…}}` converts
the model of an extracted archive to ONNX and compares the two.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import logging
import pickle
import sys
from pathlib import Path
from typing import Any

_LONGEST_ERROR = 400


def main() -> None:
    """Do the task in the first argument's file and leave the result in the second's."""
    task = json.loads(Path(sys.argv[1]).read_bytes())
    actions = {"answer": _answer, "convert": _convert, "compile": _compile}
    try:
        _check_libraries(task["libraries"])
        result = actions[task["do"]](task)
    except BaseException as error:  # noqa: BLE001  # whatever a model raises is its result
        result = {"error": _in_short(error)}
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")


def _load(root: Path) -> Any:
    """The predictor of the archive at `root`, made by the archive's own code."""
    code = root / "code"
    sys.path.insert(0, str(code))
    handler = importlib.import_module("forecast_inference.handler")
    if not Path(str(handler.__file__)).is_relative_to(code):
        raise RuntimeError(
            f"the runtime was imported from {handler.__file__}, not from the archive"
        )
    return handler.Predictor.load(root)


def _answer(task: dict[str, Any]) -> dict[str, Any]:
    predictor = _load(Path(task["root"]))
    answers = []
    for request in task["requests"]:
        failures = _Failures()
        logging.getLogger("forecast_inference").addHandler(failures)
        body = request["body"].encode()
        response = predictor.respond(body, request["content_type"], request["accept"])
        logging.getLogger("forecast_inference").removeHandler(failures)
        answers.append(
            {
                "status": response.status,
                "content_type": response.content_type,
                "body": response.body.decode(),
                "failure": failures.shown(),
            }
        )
    return {"answers": answers}


class _Failures(logging.Handler):
    """The errors that the runtime logs and tells no client."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the exception of a log record."""
        if record.exc_info and record.exc_info[1] is not None:
            self._errors.append(_in_short(record.exc_info[1]))

    def shown(self) -> str:
        """The first exception, in brackets; empty if there is none."""
        return f"({self._errors[0]})" if self._errors else ""


def _convert(task: dict[str, Any]) -> dict[str, Any]:
    skops_io = importlib.import_module("skops.io")
    model = skops_io.load(task["source"], trusted=task["trusted_types"])
    with Path(task["target"]).open("wb") as file:
        _Pickler(file, protocol=5).dump(model)
    return {}


def _compile(task: dict[str, Any]) -> dict[str, Any]:
    root = Path(task["root"])
    sys.path.insert(0, str(root / "code"))
    try:
        for name in ("onnx", "onnxruntime", "skl2onnx"):
            importlib.import_module(name)
    except ImportError as error:
        raise RuntimeError(
            f"{error.name} is not installed: pip install 'forecast-endpoint[compile,models]'"
        ) from None
    program = importlib.import_module("forecast_packaging.formats.converting.program")
    result: dict[str, Any] = program.convert_archive(
        root, Path(task["target"]), task["relative"], task["absolute"]
    )
    return result


class _Pickler(pickle.Pickler):
    """A pickler that leaves out what differs between equal models.

    The nodes of scikit-learn's trees are records with unused bytes between their fields, which
    hold whatever was in memory before. A random generator keeps the seeds that it started from,
    which skops does not store: they are drawn anew at each load, and then its state is restored.
    """

    def reducer_override(self, value: Any) -> Any:
        """The parts that a value is pickled as."""
        if type(value).__name__ == "SeedSequence":
            return type(value)(0).__reduce__()
        names = getattr(getattr(value, "dtype", None), "names", None)
        if type(value).__name__ != "ndarray" or not names:
            return NotImplemented
        zeros = bytearray(value.nbytes)
        clean = type(value)(value.shape, value.dtype, zeros)
        for name in names:
            clean[name] = value[name]
        return clean.__reduce_ex__(5)


def _check_libraries(expected: dict[str, str]) -> None:
    """Refuse to run a pickle by other versions than it was made by: its answers may differ."""
    for name, version in expected.items():
        installed = _installed(name)
        if installed != version:
            here = f"{installed} is installed" if installed else "it is not installed"
            raise RuntimeError(
                f"the model was logged with {name} {version}, and {here}: "
                f"pip install {name}=={version}"
            )


def _installed(name: str) -> str | None:
    for candidate in (name, f"{name}-cpu"):
        try:
            return importlib.metadata.version(candidate)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def _in_short(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if len(text) > _LONGEST_ERROR:
        text = f"{text[:_LONGEST_ERROR]}…"
    return text if type(error) is RuntimeError and text else f"{type(error).__name__}: {text}"


if __name__ == "__main__":
    main()
