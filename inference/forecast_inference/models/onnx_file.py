"""The ONNX file: what a model refers to, read from the file's bytes without the onnx library.

The messages and the numbers of their fields are those of onnx.proto; the encoding is that of
https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Final

from forecast_inference.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOMAINS: Final = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
"""Operators that every build of ONNX Runtime for the CPU computes."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SIZES: Final = {_FIXED64: 8, _FIXED32: 4}
_DEEPEST: Final = 64
_LONGEST_VARINT: Final = 10

_PARTS: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""Numbers of the fields that hold parts which may hold a tensor, by the kind of message."""

_OPSET_IMPORT: Final = 8
_OPSET_DOMAIN: Final = 1
_EXTERNAL_DATA: Final = 13
_KEY: Final = b"location"
"""The key that names a tensor's other file; a part without these bytes refers to none."""


def check_self_contained(path: Path) -> None:
    """Check that a model needs no other file and no operator from outside ONNX Runtime.

    Raises:
        ArtifactError: it does, or the file is no ONNX model.
    """
    with path.open("rb") as stream:
        try:
            data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise ArtifactError("the file is empty, expected an ONNX model") from None
        with data:
            try:
                _check_domains(data)
                _check_tensors(data, 0, len(data), "model", 0)
            except (IndexError, KeyError, UnicodeDecodeError):
                raise ArtifactError("the file is damaged, expected an ONNX model") from None


def _check_domains(data: mmap.mmap) -> None:
    for field, start, end in _fields(data, 0, len(data)):
        if field != _OPSET_IMPORT:
            continue
        for part, first, last in _fields(data, start, end):
            domain = data[first:last].decode() if part == _OPSET_DOMAIN else ""
            if domain not in DOMAINS:
                raise ArtifactError(
                    f"the model uses operators of the domain {domain!r}, expected one of "
                    f"{', '.join(repr(name) for name in sorted(DOMAINS))}"
                )


def _check_tensors(data: mmap.mmap, start: int, end: int, kind: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise ArtifactError(f"the model is nested deeper than {_DEEPEST} levels")
    if data.find(_KEY, start, end) < 0:
        return
    parts = _PARTS[kind]
    for field, first, last in _fields(data, start, end):
        if field in parts:
            _check_tensors(data, first, last, parts[field], depth + 1)
        elif kind == "tensor" and field == _EXTERNAL_DATA:
            raise ArtifactError(
                "the model keeps tensors in another file, expected all of them inside: save it "
                "without external data"
            )


def _fields(data: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The fields of a message: number, and where its content begins and ends."""
    place = start
    while place < end:
        key, place = _varint(data, place, end)
        wire, first = key & 7, place
        if wire == _VARINT:
            _, place = _varint(data, place, end)
        elif wire == _BYTES:
            length, first = _varint(data, place, end)
            place = first + length
        else:
            place += _SIZES[wire]
        if place > end:
            raise IndexError(place)
        yield key >> 3, first, place


def _varint(data: mmap.mmap, place: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(_LONGEST_VARINT):
        if place >= end:
            raise IndexError(place)
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:  # noqa: PLR2004 - the bit that announces another byte
            return value, place
    raise IndexError(place)
