"""Prediction intervals calibrated on rows that the model was not trained on.

Both functions give the entry of one output in `intervals` of `serving.json`. Their promise, for a
level of 0.9, is that at least 90 % of new outcomes fall inside, whatever the model and the
distribution, as far as new rows are exchangeable with the calibration rows: a market that changes
after them breaks it, so calibrate on the newest rows there are.

* Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, "Distribution-free predictive inference for
  regression", JASA 113 (2018): split-conformal intervals around any prediction.
* Romano, Patterson and Candès, "Conformalized quantile regression", NeurIPS 2019: calibrated
  quantile models, whose intervals are wider where the outcome is less certain.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

Kind = Literal["absolute", "relative"]


def split_conformal(
    actual: ArrayLike, predicted: ArrayLike, levels: Sequence[float], kind: Kind = "relative"
) -> dict[str, Any]:
    """Intervals of one output by split-conformal calibration, two-sided.

    Each side gets half of the misses alpha = 1 - level: its offset is the
    ceil((n + 1) (1 - alpha / 2))-th smallest of n errors, the finite-sample quantile of Lei et al.
    (2018), taken for each side by itself as in Romano et al. (2019, section 4). The offsets hold
    the prediction between them (lower <= 0 <= upper) and those of a higher level contain those of
    a lower one.

    Args:
        actual: What came true, n values in the output's unit.
        predicted: What the model said of the same rows, after the output's transform; the model
            must not have been trained on them.
        levels: Shares of outcomes to cover, each between 0 and 1.
        kind: `absolute` takes errors as they are, `relative` in shares of the prediction: the
            better choice where large predictions miss by more.

    Returns:
        `{"kind": "relative", "offsets": {"0.9": [-0.2, 0.3]}}`, the output's entry in
        `intervals.outputs` of `serving.json`.

    Raises:
        ValueError: Too few rows for a level (`rows_needed` tells how many), values that are
            missing or of different numbers, levels that are none, or predictions of 0 for
            relative intervals.
    """
    if kind not in {"absolute", "relative"}:
        raise ValueError(f"got the kind {kind!r}, expected 'absolute' or 'relative'")
    known, said = _columns(actual=actual, predicted=predicted)
    errors = np.sort(known - said if kind == "absolute" else _shares(known, said))
    offsets = {}
    for level in _checked(levels):
        _check_rows(len(errors), level, needed=rows_needed(level))
        rank = _rank(len(errors), (1 + _exact(level)) / 2)
        lower, upper = float(errors[len(errors) - rank]), float(errors[rank - 1])
        if not (math.isfinite(lower) and math.isfinite(upper)):
            raise ValueError(
                f"got {int((said == 0).sum())} predictions of 0 among {len(said)}, of which no "
                "share can be taken: use kind='absolute'"
            )
        offsets[_text(level)] = [min(lower, 0.0), max(upper, 0.0)]
    return {"kind": kind, "offsets": offsets}


def conformalized_quantiles(
    actual: ArrayLike,
    lower: Sequence[ArrayLike],
    upper: Sequence[ArrayLike],
    levels: Sequence[float],
    *,
    columns: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    """Intervals of one output between quantile models, widened until they keep their promise.

    The margin of a level is the ceil((n + 1) (1 - alpha))-th smallest of
    max(lower - actual, actual - upper), formulas 6 and 8 of Romano et al. (2019). It is below 0
    where the quantile models promise too little: the interval is then narrowed.

    Args:
        actual: What came true, n values in the output's unit.
        lower: For each level the n predictions of its lower quantile, as for 0.05 at a level of
            0.9, after the output's transform; not of training rows.
        upper: The same of its upper quantile.
        levels: Shares of outcomes to cover, in the order of `lower` and `upper`.
        columns: For each level the names of both columns in the model's output.

    Returns:
        `{"kind": "quantiles", "columns": {"0.9": ["q05", "q95"]}, "margins": {"0.9": 0.4}}`, the
        output's entry in `intervals.outputs` of `serving.json`.

    Raises:
        ValueError: Too few rows for a level (`rows_needed(level, sides=1)` tells how many), values
            that are missing or of different numbers, or levels that are none.
    """
    checked = _checked(levels)
    if not len(lower) == len(upper) == len(columns) == len(checked):
        raise ValueError(
            f"got {len(lower)} lower and {len(upper)} upper quantiles and {len(columns)} pairs of "
            f"columns, expected one for each of {len(checked)} levels"
        )
    margins, pairs = {}, {}
    for level, low, high, pair in zip(checked, lower, upper, columns, strict=True):
        known, least, most = _columns(actual=actual, lower=low, upper=high)
        _check_rows(len(known), level, needed=rows_needed(level, sides=1))
        scores = np.sort(np.maximum(least - known, known - most))
        margins[_text(level)] = float(scores[_rank(len(known), _exact(level)) - 1])
        pairs[_text(level)] = list(pair)
    return {"kind": "quantiles", "columns": pairs, "margins": margins}


def rows_needed(level: float, *, sides: Literal[1, 2] = 2) -> int:
    """The smallest number of calibration rows that a level can be promised with.

    Below it the rank of the finite-sample quantile is beyond the largest error.

    Args:
        level: Share of outcomes to cover, between 0 and 1.
        sides: 2 for `split_conformal`, which shares the misses out to both sides, 1 for
            `conformalized_quantiles`.

    Raises:
        ValueError: A level that is not between 0 and 1.
    """
    (checked,) = _checked([level])
    misses = (1 - _exact(checked)) / sides
    return math.ceil((1 - misses) / misses)


def _rank(rows: int, share: Fraction) -> int:
    return math.ceil((rows + 1) * share)


def _exact(level: float) -> Fraction:
    """The level as it is written: 20 rows at 0.95 are 19, which floats make 20 of now and then."""
    return Fraction(_text(level))


def _text(level: float) -> str:
    return repr(float(level))


def _checked(levels: Sequence[float]) -> list[float]:
    wrong = [level for level in levels if not 0 < level < 1]
    if wrong or not levels or len(set(levels)) != len(levels):
        shown = ", ".join(f"{level:g}" for level in levels) or "none"
        raise ValueError(f"got the levels {shown}, expected different shares between 0 and 1")
    return [float(level) for level in levels]


def _check_rows(rows: int, level: float, *, needed: int) -> None:
    if rows < needed:
        raise ValueError(
            f"got {rows} calibration rows, expected at least {needed} for a level of {level:g}: "
            "calibrate on more rows or ask for a lower level"
        )


def _columns(**columns: ArrayLike) -> list[NDArray[np.float64]]:
    """The columns as float64, once they are equally long, one-dimensional and finite."""
    arrays = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
    shapes = {array.shape for array in arrays.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        shown = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"got the shapes {shown}, expected one value per row in each")
    for name, array in arrays.items():
        wrong = int(np.count_nonzero(~np.isfinite(array)))
        if wrong:
            raise ValueError(
                f"got {wrong} values in {name} that are missing or infinite, expected numbers: "
                "leave those rows out"
            )
    return list(arrays.values())


def _shares(actual: NDArray[np.float64], predicted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Errors in shares of the prediction; infinite where that is 0 and the outcome is not."""
    error = actual - predicted
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, 0.0, error / predicted)
