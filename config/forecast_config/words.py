"""The words that errors are made of: places, kinds of values, and the values themselves."""

from __future__ import annotations

import datetime as dt
import difflib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the document's root to a value."""

_SHOWN_CHARACTERS = 80

_TYPE_NAMES: dict[type, str] = {
    dict: "a mapping",
    tuple: "a list",
    list: "a list",
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    bytes: "binary data",
    dt.date: "a date",
    dt.datetime: "a date and time",
    type(None): "null",
}


def dotted(path: KeyPath) -> str:
    """A key path as a person writes it: `environments.prod.tags`."""
    return ".".join(str(part) for part in path)


def type_name(value: Any) -> str:
    """What a value is, in the words of YAML."""
    return _TYPE_NAMES.get(type(value), type(value).__name__)


def shown(value: Any) -> str:
    """A value as it stands in an error: quoted when it is text, cut when it is long."""
    if not isinstance(value, int | float | str):
        return type_name(value)
    if isinstance(value, str) and len(value) > _SHOWN_CHARACTERS:
        return f"{value[:_SHOWN_CHARACTERS]!r}… ({len(value)} characters)"
    # Python refuses to print integers of some thousand digits.
    if isinstance(value, int) and abs(value) >= 10**_SHOWN_CHARACTERS:
        return f"an integer of more than {_SHOWN_CHARACTERS} digits"
    return repr(value)


def unknown_key(key: str, known: Iterable[str]) -> str:
    """What to say of a key that no setting has: the nearest one, or all."""
    names = list(known)
    close = difflib.get_close_matches(key, names, n=1)
    hint = f"; did you mean {close[0]}" if close else f"; expected one of: {', '.join(names)}"
    return f"unknown key{hint}"
