"""The test of loss differentials, against published and independent computations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from forecast_operations.comparing.limits import MIN_SAMPLES
from forecast_operations.comparing.significance import (
    compare_losses,
    diebold_mariano,
    holm,
    needed_samples,
)

ERRORS = (
    np.array([1.2, -0.4, 0.8, 2.0, -1.1, 0.3, 0.9, -0.7, 1.6, 0.2, -0.5, 1.0]),
    np.array([0.9, -0.9, 0.5, 1.1, -1.4, 0.6, 0.4, -0.2, 1.9, 0.1, -0.8, 0.7]),
)
ROUNDS = 400


def autoregressive(rng: np.random.Generator, count: int, rho: float) -> np.ndarray:
    noise, found = rng.standard_normal(count + 50), [0.0]
    for each in noise:
        found.append(rho * found[-1] + each)
    return np.array(found[-count:])


def overlapping(rng: np.random.Generator, count: int, steps: int) -> np.ndarray:
    return np.convolve(rng.standard_normal(count + steps - 1), np.ones(steps), "valid")


def found_different(samples: list[np.ndarray], horizon: int = 1) -> float:
    return float(np.mean([compare_losses(each, horizon).p_value < 0.05 for each in samples]))


def test_the_published_example_of_another_implementation_comes_out() -> None:
    # https://pypi.org/project/dieboldmariano: squared errors, one-sided p of 0.04515565862099125.
    actual = np.array([10.0, 20, 30, 40, 50])
    first, second = np.array([11.0, 21, 29, 42, 53]), np.array([13.0, 26, 24, 40, 59])

    outcome = compare_losses((first - actual) ** 2 - (second - actual) ** 2)

    assert outcome.statistic == pytest.approx(-2.2229922805746782, rel=1e-12)
    assert outcome.p_overlap == pytest.approx(2 * 0.04515565862099125, rel=1e-9)


@pytest.mark.parametrize(
    ("power", "horizon", "statistic", "p_value"),
    [
        # statsmodels 0.15.0, diebold_mariano_test(..., harvey_adj=True, lags=0).
        (2, 1, 0.6731995662843484, 0.514715179373162),
        (1, 1, 0.7966275068156913, 0.4425218738815357),
        # dieboldmariano 1.1.0, dm_test(..., h=2).
        (2, 2, 0.8080328416411873, 0.4361978542310362),
        (1, 2, 0.9910312089651155, 0.3429696767733488),
    ],
)
def test_the_statistic_is_that_of_two_libraries(
    power: int, horizon: int, statistic: float, p_value: float
) -> None:
    losses = [np.abs(errors) ** power for errors in ERRORS]

    outcome = compare_losses(losses[0] - losses[1], horizon)

    assert outcome.statistic == pytest.approx(statistic, rel=1e-12)
    assert outcome.p_overlap == pytest.approx(p_value, rel=1e-9)


def test_a_variance_that_is_not_above_zero_leaves_the_other_test() -> None:
    losses = ERRORS[0] ** 2 - ERRORS[1] ** 2

    outcome = compare_losses(losses, horizon=3)

    # dieboldmariano 1.1.0 refuses the same series for the same reason.
    assert diebold_mariano(losses, 3) is None
    assert outcome.p_overlap is None
    assert outcome.p_value == outcome.p_persistent


def test_the_periodogram_is_that_of_its_definition() -> None:
    losses = np.sin(np.arange(40) ** 1.5) + 0.4
    count, frequencies = 40, 3
    total = 0.0
    for number in range(1, frequencies + 1):
        angles = 2 * math.pi * number / count * np.arange(count)
        total += (losses @ np.cos(angles)) ** 2 + (losses @ np.sin(angles)) ** 2
    variance = total / frequencies / count
    statistic = losses.mean() / math.sqrt(variance / count)
    # Student's t with six degrees of freedom has a closed distribution function.
    share = statistic / math.sqrt(statistic**2 + 6)
    expected = 1 - share * (15 - 10 * share**2 + 3 * share**4) / 8

    assert compare_losses(losses).p_persistent == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("count", [MIN_SAMPLES, 100])
def test_equal_forecasts_are_found_different_in_one_of_twenty_at_most(count: int) -> None:
    rng = np.random.default_rng(7)

    found = found_different([rng.standard_normal(count) for _ in range(ROUNDS)])

    assert found <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / ROUNDS)


def test_errors_that_persist_are_not_taken_for_a_difference() -> None:
    rng = np.random.default_rng(11)
    samples = [autoregressive(rng, 60, 0.5) for _ in range(ROUNDS)]

    classic = np.mean([(compare_losses(each).p_overlap or 1) < 0.05 for each in samples])

    assert classic > 0.15  # why the classic test alone is not enough
    assert found_different(samples) <= 0.08


def test_overlapping_horizons_are_not_taken_for_a_difference() -> None:
    rng = np.random.default_rng(13)
    count = needed_samples(MIN_SAMPLES, 7)

    assert found_different([overlapping(rng, count, 7) for _ in range(ROUNDS)], 7) <= 0.1


def test_a_difference_is_found() -> None:
    rng = np.random.default_rng(17)

    assert found_different([rng.standard_normal(60) + 0.6 for _ in range(200)]) > 0.9
    assert compare_losses(np.array([0.9, 1.1] * 20)).p_value < 1e-6
    assert compare_losses(np.array([0.9, 1.1] * 20)).mean > 0


def test_the_direction_is_kept_apart_from_the_size() -> None:
    losses = np.sin(np.arange(50)) - 0.8

    assert compare_losses(losses).mean < 0
    assert compare_losses(-losses).p_value == compare_losses(losses).p_value


def test_series_without_variation_are_the_same_or_plainly_different() -> None:
    assert compare_losses(np.zeros(40)).p_value == 1.0
    assert compare_losses(np.full(40, 0.5)).p_value == 0.0


def test_too_few_time_points_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 3 time points, got 2"):
        compare_losses(np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="at least 8"):
        compare_losses(np.ones(7), horizon=7)


def test_a_horizon_asks_for_more_time_points() -> None:
    assert needed_samples(30, 1) == 30
    assert needed_samples(30, 3) == 30
    assert needed_samples(30, 7) == 56
    assert needed_samples(90, 7) == 90


def test_holm_s_correction_is_that_of_the_textbook() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
