"""Documents of the archive read strictly: a key that is missing or unknown is an error by name."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from forecast_inference.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path


def read_json(path: Path) -> Any:
    """The JSON document in a file of the archive.

    Raises:
        ArtifactError: the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArtifactError(f"{path.name} is missing from the model archive") from None
    except ValueError as error:
        raise ArtifactError(f"{path.name} is not JSON: {error}") from None


def take(
    entry: Any, where: str, required: Collection[str], optional: Collection[str] = ()
) -> dict[str, Any]:
    """The entry itself, once it is an object with the required keys and no unknown ones.

    Raises:
        ArtifactError: it is not.
    """
    if not isinstance(entry, dict):
        raise ArtifactError(f"{where} is {type(entry).__name__}, expected an object")
    missing = sorted(set(required) - entry.keys())
    if missing:
        raise ArtifactError(f"{where} lacks {', '.join(missing)}")
    unknown = sorted(entry.keys() - set(required) - set(optional))
    if unknown:
        raise ArtifactError(f"{where} has unknown keys: {', '.join(unknown)}")
    return entry


def named_entries(top: Mapping[str, Any], key: str) -> list[Any]:
    """The entries under a key, each of which is an object with a name of its own.

    Raises:
        ArtifactError: they are not.
    """
    entries = top[key]
    if not isinstance(entries, list) or not entries:
        raise ArtifactError(f"{key} must be a list with at least one entry")
    names = [entry.get("name") if isinstance(entry, dict) else None for entry in entries]
    if not all(isinstance(name, str) and name for name in names):
        raise ArtifactError(f"every entry of {key} needs a name")
    if len(set(names)) != len(names):
        raise ArtifactError(f"{key} holds a name twice")
    return entries


def take_choice(entry: Mapping[str, Any], key: str, where: str, choices: Collection[str]) -> str:
    """The word under a required key.

    Raises:
        ArtifactError: the word is none of the choices.
    """
    word = entry[key]
    if not isinstance(word, str) or word not in choices:
        raise ArtifactError(
            f"{where}: {key} is {word!r}, expected one of {', '.join(sorted(choices))}"
        )
    return word


def take_flag(entry: Mapping[str, Any], key: str, where: str) -> bool:
    """The boolean under an optional key; it is false when absent.

    Raises:
        ArtifactError: it is something else.
    """
    flag = entry.get(key, False)
    if not isinstance(flag, bool):
        raise ArtifactError(f"{where}: {key} is {flag!r}, expected true or false")
    return flag


def take_number(entry: Mapping[str, Any], key: str, where: str) -> float | None:
    """The finite number under an optional key, where null is the same as absent.

    Raises:
        ArtifactError: it is something else.
    """
    number = entry.get(key)
    if number is None:
        return None
    if not is_number(number):
        raise ArtifactError(f"{where}: {key} is {number!r}, expected a finite number")
    return float(number)


def take_bounds(entry: Mapping[str, Any], where: str) -> tuple[float | None, float | None]:
    """The numbers under ``minimum`` and ``maximum``, each of which may be absent.

    Raises:
        ArtifactError: one is no finite number, or the minimum is above the maximum.
    """
    minimum, maximum = (take_number(entry, key, where) for key in ("minimum", "maximum"))
    if minimum is not None and maximum is not None and minimum > maximum:
        raise ArtifactError(f"{where} has the minimum {minimum!r} above the maximum {maximum!r}")
    return minimum, maximum


def take_text(entry: Mapping[str, Any], key: str, where: str) -> str | None:
    """The text under an optional key, where null is the same as absent.

    Raises:
        ArtifactError: it is something else, or empty.
    """
    text = entry.get(key)
    if text is not None and (not isinstance(text, str) or not text):
        raise ArtifactError(f"{where}: {key} is {text!r}, expected a text")
    return text


def is_number(value: Any) -> bool:
    """Whether a JSON value is a finite number, in the range of float64."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
