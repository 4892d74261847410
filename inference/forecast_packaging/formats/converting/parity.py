"""Parity: whether a converted model answers as the original does, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

_SHOWN_DIGITS = 3


class Parity(NamedTuple):
    """The outcome of a comparison.

    Attributes:
        agrees: Whether each column agrees in every row.
        differences: The largest difference by column, absolute and relative to the original.
        refused: Rows that the original itself refuses.
        reason: The first disagreement; None if there is none.
    """

    agrees: bool
    differences: dict[str, dict[str, float | None]]
    refused: int
    reason: str | None


def compare(
    original: Callable[[Any], Any],
    converted: Callable[[Any], Any],
    rows: NDArray[np.float64],
    *,
    columns: Sequence[str],
    transforms: Mapping[str, str],
    relative: float,
    absolute: float,
) -> Parity:
    """Both models asked for the same rows.

    Args:
        original: The model as it was logged; a matrix in, a matrix out.
        converted: The converted one.
        rows: Features, rows by features.
        columns: The columns of the output.
        transforms: What is done to a column before it is answered; differences are those of the
            answers.
        relative: Share of the original's value by which an answer may differ.
        absolute: How much it may differ besides.
    """
    expected, accepted = _answers(original, rows, len(columns))
    found = np.asarray(converted(rows[accepted]), dtype=np.float64).reshape(-1, len(columns))
    differences: dict[str, dict[str, float | None]] = {}
    reason = None
    for place, name in enumerate(columns):
        one, other = (
            _transformed(it[:, place], transforms.get(name, "identity")) for it in (expected, found)
        )
        same = (one == other) | (np.isnan(one) & np.isnan(other))
        with np.errstate(all="ignore"):
            distance = np.where(same, 0.0, np.abs(one - other))
            share = np.where(same, 0.0, distance / np.abs(one))
            wrong = ~same & ~(distance <= absolute + relative * np.abs(one))
        differences[name] = {"absolute": _rounded(distance), "relative": _rounded(share)}
        if wrong.any() and reason is None:
            first = int(np.flatnonzero(wrong)[0])
            reason = (
                f"{name} is {other[first]:.9g} in {int(wrong.sum())} of {len(one)} rows where the "
                f"original gives {one[first]:.9g}, expected within {absolute:g} + {relative:g} of "
                "it"
            )
    return Parity(reason is None, differences, int((~accepted).sum()), reason)


def _answers(
    predict: Callable[[Any], Any], rows: NDArray[np.float64], width: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The answers, and which rows got one: an estimator may refuse missing or huge values."""
    accepted = np.ones(len(rows), dtype=bool)
    together = _answer(predict, rows, width)
    if together is not None:
        return together, accepted
    answers = [np.empty((0, width))]
    for place in range(len(rows)):
        answer = _answer(predict, rows[place : place + 1], width)
        accepted[place] = answer is not None
        answers += [] if answer is None else [answer]
    return np.concatenate(answers), accepted


def _answer(
    predict: Callable[[Any], Any], rows: NDArray[np.float64], width: int
) -> NDArray[np.float64] | None:
    try:
        return _matrix(predict(rows), width)
    except Exception:  # noqa: BLE001  # a model may raise anything, and then has no answer
        return None


def _matrix(raw: Any, width: int) -> NDArray[np.float64]:
    return np.asarray(raw, dtype=np.float64).reshape(-1, width)


def _transformed(values: NDArray[np.float64], transform: str) -> NDArray[np.float64]:
    with np.errstate(all="ignore"):
        if transform == "exp":
            return np.exp(values)
        return np.expm1(values) if transform == "expm1" else values


def _rounded(values: NDArray[np.float64]) -> float | None:
    """The largest of some differences; None for one without a value, as JSON has no infinity."""
    largest = float(np.max(values, initial=0.0))
    return float(f"{largest:.{_SHOWN_DIGITS}g}") if np.isfinite(largest) else None
