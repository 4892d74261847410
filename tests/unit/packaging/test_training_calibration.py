"""Calibrated intervals: their ranks, their promise, and what cannot be promised."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_packaging.training import (
    conformalized_quantiles,
    empirical_coverage,
    rows_needed,
    split_conformal,
)

LEVELS = [0.5, 0.8, 0.9, 0.95]
COLUMNS = [("q05", "q95")]


def offsets_of(actual: object, predicted: object, level: float, kind: str) -> list[float]:
    entry = split_conformal(actual, predicted, [level], kind)  # type: ignore[arg-type]
    assert entry["kind"] == kind
    return list(entry["offsets"][repr(level)])


def test_each_side_takes_its_finite_sample_quantile() -> None:
    # Errors -10 … 9: with 20 rows and a level of 0.9, rank ceil(21 * 0.95) = 20 on each side.
    actual, predicted = np.arange(-10.0, 10.0), np.zeros(20)
    assert offsets_of(actual, predicted, 0.9, "absolute") == [-10.0, 9.0]
    # With a level of 0.5, rank ceil(21 * 0.75) = 16: four errors are left out on each side.
    assert offsets_of(actual, predicted, 0.5, "absolute") == [-6.0, 5.0]


def test_a_rank_that_is_whole_is_not_rounded_up() -> None:
    # 19 rows at 0.9: (19 + 1) * 0.95 is 19, though 0.95 is above 19 / 20 as a float.
    assert offsets_of(np.arange(-9.0, 10.0), np.zeros(19), 0.9, "absolute") == [-9.0, 9.0]


def test_relative_errors_are_shares_of_the_prediction() -> None:
    predicted = np.array([10.0, -20.0] * 20)
    found = offsets_of(predicted * 1.25, predicted, 0.9, "relative")
    assert found == [0.0, 0.25]


def test_the_prediction_is_inside_even_when_all_errors_have_one_sign() -> None:
    lower, upper = offsets_of(np.full(50, 12.0), np.full(50, 10.0), 0.9, "relative")
    assert (lower, upper) == (0.0, pytest.approx(0.2))


def test_a_prediction_of_zero_that_came_true_misses_by_no_share() -> None:
    actual, predicted = np.append(np.full(60, 1.1), 0.0), np.append(np.full(60, 1.0), 0.0)
    assert offsets_of(actual, predicted, 0.9, "relative") == [0.0, pytest.approx(0.1)]


def test_relative_intervals_of_predictions_of_zero_are_refused() -> None:
    with pytest.raises(ValueError, match=r"got 30 predictions of 0 among 60.*kind='absolute'"):
        split_conformal(np.ones(60), np.repeat([0.0, 1.0], 30), [0.9], "relative")


def test_the_margin_is_the_finite_sample_quantile_of_the_misses() -> None:
    # Scores max(lower - actual, actual - upper): outcomes 0 … 9 above the upper bound at 0.
    actual, zeros = np.arange(10.0), np.zeros(10)
    entry = conformalized_quantiles(actual, [zeros - 99], [zeros], [0.8], columns=[("a", "b")])
    # Rank ceil(11 * 0.8) = 9.
    assert entry == {"kind": "quantiles", "columns": {"0.8": ["a", "b"]}, "margins": {"0.8": 8.0}}


def test_quantiles_that_promise_too_little_are_narrowed() -> None:
    actual = np.linspace(-1, 1, 99)
    entry = conformalized_quantiles(
        actual, [np.full(99, -5.0)], [np.full(99, 5.0)], [0.9], columns=COLUMNS
    )
    assert entry["margins"]["0.9"] == pytest.approx(-4.0, abs=0.11)


@pytest.mark.parametrize(("level", "needed"), [(0.5, 3), (0.8, 9), (0.9, 19), (0.95, 39)])
def test_a_level_says_how_many_rows_it_needs(level: float, needed: int) -> None:
    assert rows_needed(level) == needed
    split_conformal(np.zeros(needed), np.zeros(needed), [level], "absolute")
    with pytest.raises(
        ValueError, match=f"got {needed - 1} calibration rows, expected at least {needed} for"
    ):
        split_conformal(np.zeros(needed - 1), np.zeros(needed - 1), [level], "absolute")


@pytest.mark.parametrize(("level", "needed"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19)])
def test_one_sided_scores_need_half_as_many(level: float, needed: int) -> None:
    assert rows_needed(level, sides=1) == needed

    def calibrate(rows: int) -> None:
        zeros = np.zeros(rows)
        conformalized_quantiles(zeros, [zeros], [zeros], [level], columns=COLUMNS)

    calibrate(needed)
    with pytest.raises(ValueError, match=f"expected at least {needed} for"):
        calibrate(needed - 1)


@pytest.mark.parametrize("levels", [[], [0.0], [1.0], [0.9, 0.9], [90.0], [math.nan]])
def test_levels_that_are_none_are_refused(levels: list[float]) -> None:
    with pytest.raises(ValueError, match="expected different shares between 0 and 1"):
        split_conformal(np.zeros(99), np.zeros(99), levels)


@pytest.mark.parametrize(
    ("actual", "predicted", "message"),
    [
        ([1.0, 2.0], [1.0], r"got the shapes actual \(2,\), predicted \(1,\)"),
        ([[1.0]], [[1.0]], r"actual \(1, 1\)"),
        ([1.0, math.nan], [1.0, 1.0], "got 1 values in actual that are missing or infinite"),
        ([1.0, 2.0], [math.inf, math.nan], "got 2 values in predicted"),
    ],
)
def test_columns_that_do_not_fit_are_refused(
    actual: list[float], predicted: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        split_conformal(actual, predicted, [0.5])


def test_quantiles_without_their_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="got 1 lower and 1 upper quantiles and 0 pairs"):
        conformalized_quantiles([0.0], [[0.0]], [[0.0]], [0.5], columns=[])
    with pytest.raises(ValueError, match="expected 'absolute' or 'relative'"):
        split_conformal([0.0], [0.0], [0.5], "logarithmic")  # type: ignore[arg-type]


@given(
    rows=st.integers(39, 200),
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["absolute", "relative"]),
)
def test_levels_are_nested_around_the_prediction(rows: int, seed: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    predicted = random.uniform(0.1, 50, rows)
    actual = predicted + random.standard_t(2, rows)
    entry = split_conformal(actual, predicted, LEVELS, kind)  # type: ignore[arg-type]
    lower, upper = zip(*entry["offsets"].values(), strict=True)
    assert list(lower) == sorted(lower, reverse=True)
    assert list(upper) == sorted(upper)
    assert max(lower) <= 0 <= min(upper)


@pytest.mark.parametrize("kind", ["absolute", "relative"])
def test_held_out_outcomes_are_covered_as_promised(kind: str) -> None:
    random = np.random.default_rng(5)
    predicted = random.uniform(5, 50, 6000)
    actual = predicted * random.lognormal(0.0, 0.3, 6000)
    entry = split_conformal(actual[:2000], predicted[:2000], LEVELS, kind)  # type: ignore[arg-type]
    held_out, centers = actual[2000:], predicted[2000:]
    for level in LEVELS:
        lower, upper = entry["offsets"][repr(level)]
        scale = centers if kind == "relative" else 1.0
        coverage = empirical_coverage(
            held_out, centers + scale * lower, centers + scale * upper, level, calibration_rows=2000
        )
        assert coverage.is_exact, coverage


def test_conformalized_quantiles_cover_as_promised_where_the_model_does_not() -> None:
    random = np.random.default_rng(6)
    spread = random.uniform(1, 10, 6000)
    actual = random.normal(0, spread)
    # The quantile model knows the shape of the spread, and half of its size.
    guess = {level: spread * 0.5 * quantile for level, quantile in ((0.8, 1.2816), (0.95, 1.96))}
    lower, upper = [-guess[0.8], -guess[0.95]], [guess[0.8], guess[0.95]]
    entry = conformalized_quantiles(
        actual[:2000],
        [bound[:2000] for bound in lower],
        [bound[:2000] for bound in upper],
        [0.8, 0.95],
        columns=[("q10", "q90"), ("q025", "q975")],
    )
    for level, low, high in zip((0.8, 0.95), lower, upper, strict=True):
        margin = entry["margins"][repr(level)]
        before = empirical_coverage(actual[2000:], low[2000:], high[2000:], level)
        after = empirical_coverage(
            actual[2000:], low[2000:] - margin, high[2000:] + margin, level, calibration_rows=2000
        )
        assert not before.holds
        assert after.is_exact, after


def test_a_coverage_that_is_too_low_does_not_hold() -> None:
    actual = np.concatenate([np.zeros(80), np.ones(20)])
    found = empirical_coverage(actual, np.zeros(100), np.zeros(100), 0.95)
    assert (found.share, found.rows) == (0.8, 100)
    assert found.tolerance == pytest.approx(3 * math.sqrt(0.95 * 0.05 / 100))
    assert not found.holds
    assert not found.is_exact
    wide = empirical_coverage(actual, np.zeros(100), np.ones(100), 0.5)
    assert wide.holds
    assert not wide.is_exact


def test_few_calibration_rows_widen_the_tolerance() -> None:
    zeros = np.zeros(1000)
    known = empirical_coverage(zeros, zeros, zeros, 0.9)
    calibrated = empirical_coverage(zeros, zeros, zeros, 0.9, calibration_rows=19)
    assert calibrated.tolerance > 3 * known.tolerance


@pytest.mark.parametrize("shape", [(0,), (2, 2)])
def test_a_coverage_of_no_rows_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected one actual value"):
        empirical_coverage(np.zeros(shape), np.zeros(shape), np.zeros(shape), 0.9)
