"""Golden requests: what an archive was asked where it was packaged, and must answer alike here."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.contract.reading import read_json, take
from forecast_inference.errors import ArtifactError
from forecast_inference.requests.content import CSV, JSON_LINES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GOLDEN_FILE: Final = "artifacts/golden_requests.json"
GOLDEN_VERSION: Final = 2
TOLERANCE: Final = 1e-3
"""Relative difference allowed between the answer here and where the model was packaged: well above
what library versions and processors change, well below a confusion of features."""

_TIMESTAMP: Final = "prediction_timestamp"
_KEYS: Final = frozenset({"name", "content_type", "accept", "body", "status", "answer"})


def replay(path: Path, respond: Callable[[str, str, str], Any]) -> None:
    """Ask everything again.

    Args:
        path: the file of the requests and their answers.
        respond: what gives the status, the body and its type for a body, its type and what is
            accepted.

    Raises:
        ArtifactError: a request gets no answer, or another one than where it was packaged.
    """
    for request in read_requests(path):
        status, body, _ = respond(request["body"], request["content_type"], request["accept"])
        found = difference(request, status, body)
        if found is not None:
            raise ArtifactError(
                f"the golden request {request['name']!r}: {found}; another library version may "
                "read the model differently"
            )


def read_requests(path: Path) -> list[dict[str, Any]]:
    """The golden requests of a file, each with its answer.

    Raises:
        ArtifactError: it is no such file, or one of another version.
    """
    document = take(read_json(path), path.name, {"schema_version", "requests"})
    if document["schema_version"] != GOLDEN_VERSION:
        raise ArtifactError(
            f"{path.name} has schema_version {document['schema_version']!r}, this runtime reads "
            f"{GOLDEN_VERSION}"
        )
    return [take(entry, "a golden request", _KEYS) for entry in document["requests"]]


def difference(request: dict[str, Any], status: int, body: bytes) -> str | None:
    """The first difference between an answer and the recorded one; None when they are alike.

    The time of an answer is left out, and numbers may differ by the tolerance.

    Args:
        request: the golden request.
        status: the status of the answer.
        body: the answer.
    """
    if status != request["status"]:
        return (
            f"answered with status {status}, expected {request['status']}: "
            f"{body.decode(errors='replace')[:1000]}"
        )
    try:
        found: Any = body.decode()
        wanted = request["answer"]
        if not isinstance(wanted, str):
            found = json.loads(found)
        elif request["accept"] in {CSV, JSON_LINES}:
            read = _table if request["accept"] == CSV else _lines
            found, wanted = read(found), read(wanted)
    except ValueError:
        return f"the answer is no {request['accept']}"
    return next(_differences(_without_time(found), _without_time(wanted), "the answer"), None)


def _table(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(text)))


def _lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def _without_time(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_time(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_time(item) for key, item in value.items() if key != _TIMESTAMP}
    return value


def _differences(found: Any, wanted: Any, where: str) -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        if found.keys() != wanted.keys():
            yield f"{where} has the keys {', '.join(found)}, expected {', '.join(wanted)}"
            return
        for key, value in wanted.items():
            yield from _differences(found[key], value, f"{key} of {where}")
    elif isinstance(wanted, list) and isinstance(found, list):
        if len(found) != len(wanted):
            yield f"{where} has {len(found)} entries, expected {len(wanted)}"
            return
        for number, value in enumerate(wanted):
            yield from _differences(found[number], value, f"entry {number} of {where}")
    elif not _is_close(found, wanted):
        yield f"{where} is {found!r}, expected {wanted!r}"


def _is_close(found: Any, wanted: Any) -> bool:
    if found == wanted:
        return True
    try:
        return math.isclose(float(found), float(wanted), rel_tol=TOLERANCE, abs_tol=TOLERANCE**2)
    except (TypeError, ValueError):
        return False
