"""JSON as RFC 8259 has it: no repeated keys, no NaN, and no more of it than a request can need."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from forecast_inference.errors import PayloadTooLargeError, RequestError
from forecast_inference.requests.content import MAX_ROWS

_SMALL_TEXT: Final = 65_536
"""Characters below which a text cannot hold enough to be worth counting."""

_STRINGS: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+\\?(?:"|\Z)', re.DOTALL)
"""Strings, also one that does not end: looking for the end of each again would take forever."""


class DuplicateKey:
    """A marker in place of a JSON object that repeats a key."""

    __slots__ = ("key",)

    def __init__(self, key: str) -> None:
        self.key = key


class _NotJsonError(ValueError):
    """A literal that Python's JSON reader takes and RFC 8259 does not know."""


def _refuse_constant(_: str) -> None:
    raise _NotJsonError


def _mark_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any] | DuplicateKey:
    document = dict(pairs)
    if len(document) == len(pairs):
        return document
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            break
        seen.add(key)
    return DuplicateKey(key)


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)
_DUPLICATE_DECODER: Final = json.JSONDecoder(
    parse_constant=_refuse_constant, object_pairs_hook=_mark_duplicates
)


def parse(text: str, row: int | None = None) -> Any:
    """The document of a JSON text; objects that repeat a key are ``DuplicateKey`` in it.

    Args:
        text: the JSON text.
        row: the row that the text is, when it is one.

    Raises:
        RequestError: the text is not JSON, or is nested too deeply.
    """
    document = _decode(_DECODER, text, row)
    # Every key costs one colon. More colons than keys: one is repeated, or is within a string.
    if text.count(":") != _count_keys(document):
        return _decode(_DUPLICATE_DECODER, text, row)
    return document


def _decode(decoder: json.JSONDecoder, text: str, row: int | None) -> Any:
    try:
        return decoder.decode(text)
    except _NotJsonError:
        message = "NaN and Infinity are not JSON, send null for a missing value"
    except RecursionError:
        message = "the body is nested too deeply, expected an object with instances"
    except json.JSONDecodeError as error:
        message = f"the body is not JSON, at character {error.pos}"
    except ValueError:
        message = "the body holds a number with too many digits"
    raise RequestError(message, code="invalid_json", row=row)


def _count_keys(document: Any) -> int:
    """Keys of an object, of the objects in it, and of those in its lists: a body has no others."""
    if type(document) is not dict:
        return 0
    count = len(document)
    for value in document.values():
        if type(value) is dict:
            count += len(value)
        elif type(value) is list:
            count += sum([len(item) for item in value if type(item) is dict])
    return count


def check_structure(text: str, width: int) -> None:
    """Check that a JSON text can be one of at most ``MAX_ROWS`` rows, before anything is built.

    Two characters may become an object of 64 bytes, and a body is large enough for millions.

    Args:
        text: the JSON text.
        width: values in a row.

    Raises:
        PayloadTooLargeError: there are more objects, or more values, than so many rows have.
    """
    if len(text) < _SMALL_TEXT or _is_plausible(text, width):
        return
    if not _is_plausible(_STRINGS.sub("", text), width):
        raise PayloadTooLargeError(
            f"more objects, lists or values than {MAX_ROWS} rows of {width} features can have",
            code="too_many_values",
        )


def _is_plausible(text: str, width: int) -> bool:
    spare = 16  # the object around the rows, and the parameters
    values = MAX_ROWS * (width + 1) + spare
    return (
        text.count("{") <= MAX_ROWS + spare
        and text.count("[") <= values
        and text.count(",") <= values
    )
