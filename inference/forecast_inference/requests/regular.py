"""Large JSON bodies of plain numbers read as one table of text, without a JSON reader.

Programs write rows alike: the same keys in the same order, numbers between them. Once every key of
a body is found where it must be, what is left is a list of numbers. Anything that is not exactly so
gives nothing, and the strict reader then reads or explains the body.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import numpy as np

from forecast_inference.contract.values import NUMBER_LIMIT
from forecast_inference.requests.content import MAX_ROWS
from forecast_inference.requests.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from forecast_inference.requests.columns import Group

_FLOATS: Final = frozenset({"float", "double"})
_FEWEST_BYTES: Final = 65_536
"""Body below which the JSON reader is as fast."""

_LONGEST_ROW: Final = 65_536
"""First row beyond which the keys are not looked for."""

_HEADS: Final = ((b'{"instances": [{', b", ", b": "), (b'{"instances":[{', b",", b":"))
"""How a body starts, and what stands between values and after keys, in the two usual layouts."""

_TAIL: Final = b"}]}"
_QUOTE, _COMMA, _MINUS, _DOT, _ZERO, _SPACE = b'",-.0 '
_AFTER_ZERO: Final = np.isin(np.arange(256), list(b".eE"))
_TEN: Final = 10
_HALF: Final = 0.4997
_QUARTER: Final = 0.25
_NEAR: Final = 0.0003


class _NotRegularError(Exception):
    """The body is another than this module reads."""


class RegularReader:
    """Reads the bodies of one schema, when all its inputs are plain numbers.

    Args:
        groups: the inputs in groups.
        fewest_bytes: the body below which it is not tried.
    """

    def __init__(self, groups: Sequence[Group], fewest_bytes: int = _FEWEST_BYTES) -> None:
        names = [spec.name for group in groups for spec in group.inputs]
        self._places = {name: place for place, name in enumerate(names)}
        self._fewest_bytes = fewest_bytes
        only = groups[0]
        self._is_possible = len(groups) == 1 and only.type in _FLOATS and not only.takes_null

    def __call__(self, body: bytes) -> Rows | None:
        """The rows of a body that is valid for certain, apart from the policies of its inputs."""
        if not self._is_possible or len(body) < self._fewest_bytes:
            return None
        try:
            numbers, keys = _read(body, self._places)
        except _NotRegularError:
            return None
        order = np.argsort([self._places[key] for key in keys])
        return Rows(len(numbers), [], blocks=[numbers.T[order]])


def _read(body: bytes, names: dict[str, int]) -> tuple[NDArray[np.float64], list[str]]:
    """The numbers, rows by keys, and the keys in their order."""
    head, comma, colon = next((head for head in _HEADS if body.startswith(head[0])), (b"",) * 3)
    if not head or not body.endswith(_TAIL):
        raise _NotRegularError
    keys = _keys_of_first_row(body, len(head) - 1, names)
    text = np.frombuffer(body, np.uint8, len(body) - len(_TAIL))
    quotes = np.flatnonzero(text == _QUOTE)
    count, rest = divmod(len(quotes) - 2, 2 * len(keys))
    if rest or not 0 < count <= MAX_ROWS:
        raise _NotRegularError
    opening = quotes[2::2].reshape(count, len(keys))
    starts, ends = np.empty_like(opening), np.empty_like(opening)
    ends[:, :-1] = opening[:, 1:] - len(comma)
    ends[:-1, -1] = opening[1:, 0] - len(comma) - 2
    ends[-1, -1] = len(text)
    left = text.copy()
    for place, key in enumerate(keys):
        name = f'"{key}"'.encode() + colon
        starts[:, place] = opening[:, place] + len(name)
        if place:
            _blank(left, opening[:, place] - len(comma), comma + name)
        else:
            _blank(left, opening[1:, 0] - len(comma) - 2, b"}" + comma + b"{" + name)
            _blank(left, opening[:1, 0] - len(head), head + name)
    left[0] = _SPACE
    return _numbers(left, starts.ravel(), ends.ravel()).reshape(starts.shape), keys


def _keys_of_first_row(body: bytes, start: int, names: dict[str, int]) -> list[str]:
    end = body.find(b"}", start, start + _LONGEST_ROW)
    try:
        row = json.loads(body[start : end + 1])
    except ValueError:
        raise _NotRegularError from None
    if type(row) is not dict or row.keys() != names.keys():
        raise _NotRegularError
    return list(row)


def _blank(text: NDArray[np.uint8], places: NDArray[np.intp], literal: bytes) -> None:
    """Put a comma and blanks in place of a literal, which must stand at each of the places."""
    size = len(literal)
    if not len(places):
        return
    if places.min() < 0 or places.max() + size > len(text):
        raise _NotRegularError
    windows = np.ndarray((len(text) - size + 1,), f"V{size}", text, strides=(1,))
    if windows[places].tobytes() != literal * len(places):
        raise _NotRegularError
    windows[places] = np.void(b",".ljust(size))


def _numbers(
    text: NDArray[np.uint8], starts: NDArray[np.intp], ends: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The numbers of a text that separates them by commas and blanks, each as JSON writes one."""
    listed = text.tobytes()
    _check_grammar(text, listed, starts, ends)
    try:
        # The C library reads long doubles several times as fast as Python reads floats.
        wide = np.fromstring(listed, np.longdouble, sep=",")
    except (ValueError, DeprecationWarning):
        raise _NotRegularError from None
    if len(wide) != len(starts):
        raise _NotRegularError
    with np.errstate(over="ignore"):
        numbers = wide.astype(np.float64)
    if not (np.abs(numbers) <= NUMBER_LIMIT).all():
        raise _NotRegularError
    for place in _doubtful(wide, numbers):
        numbers[place] = float(listed[starts[place] : ends[place]])
    return numbers


def _check_grammar(
    text: NDArray[np.uint8], listed: bytes, starts: NDArray[np.intp], ends: NDArray[np.intp]
) -> None:
    """Check that no number is written in a way that only the C library takes.

    It also takes a plus or a dot as the first character, a dot as the last or before an exponent,
    leading zeros and hexadecimal digits, blanks before a number, NaN and infinities.
    """
    leading = starts + (text[np.minimum(starts, len(text) - 1)] == _MINUS)
    if (leading >= ends).any():
        raise _NotRegularError
    if not (_is_digit(text[leading]) & _is_digit(text[ends - 1])).all():
        raise _NotRegularError
    zeros = leading[text[leading] == _ZERO]
    more = zeros[zeros + 1 < ends[text[leading] == _ZERO]] + 1
    if not _AFTER_ZERO[text[more]].all():
        raise _NotRegularError
    if (b"e" in listed and b".e" in listed) or (b"E" in listed and b".E" in listed):
        raise _NotRegularError


def _is_digit(characters: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return characters - np.uint8(_ZERO) < _TEN


def _doubtful(wide: NDArray[np.longdouble], numbers: NDArray[np.float64]) -> list[int]:
    """Where rounding a long double once more may not give the double nearest to what is written.

    That is where it lies half-way between two doubles, a quarter of the way below a power of two.
    """
    way = np.abs((wide - numbers).astype(np.float64) / np.spacing(numbers))
    found = np.flatnonzero((way > _HALF) | (np.abs(way - _QUARTER) < _NEAR))
    return found.tolist()
