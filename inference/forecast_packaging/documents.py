"""JSON and YAML documents, read strictly and written so that equal content is equal bytes."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import yaml

from forecast_packaging.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
"""Largest JSON or YAML document read from a model, in bytes: more is not a description."""


def canonical(value: Any) -> bytes:
    """The one byte string of a JSON value: sorted keys, no blanks, UTF-8, no NaN."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def readable(value: Any) -> bytes:
    """A JSON document for people: keys in the order given, indented, with a final newline."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def sha256_of(data: bytes) -> str:
    """The digest of bytes, as `sha256:<64 hexadecimal digits>`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def read_json(path: Path, shown: str) -> Any:
    """The content of a JSON file, without duplicate keys and without NaN.

    Args:
        path: The file.
        shown: The file's name in error messages.

    Raises:
        ModelError: The file is too large, not UTF-8, not JSON, or says a key twice.
    """
    try:
        return json.loads(
            _text(path, shown), object_pairs_hook=_unique_keys, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{shown} is not valid JSON: {error}") from None


def read_yaml(path: Path, shown: str) -> dict[str, Any]:
    """The content of a YAML file whose root is a mapping.

    Raises:
        ModelError: The file is too large, not UTF-8, not YAML, or not a mapping.
    """
    try:
        document = yaml.safe_load(_text(path, shown))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = getattr(error, "problem", None) or type(error).__name__
        raise ModelError(f"{shown} is not valid YAML: {reason}") from None
    if not isinstance(document, dict):
        raise ModelError(f"{shown} must hold a mapping, got {type(document).__name__}")
    return document


def _text(path: Path, shown: str) -> str:
    size = path.stat().st_size
    if size > MAX_DOCUMENT_BYTES:
        raise ModelError(f"{shown} has {size} bytes, expected at most {MAX_DOCUMENT_BYTES}")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ModelError(f"{shown} is not UTF-8 text") from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is given twice")
    return result


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
