from datetime import date

import numpy as np
import pandas as pd
import pytest

from produce_market import metrics
from produce_market.errors import DataError
from produce_market.evaluation import Evaluation, lost_targets, simple_forecasts
from produce_market.intervals import Interval, Kind, calibrate
from produce_market.market import Market
from produce_market.panel import training_rows
from produce_market.split import split_by_time

ACTUAL = np.array([10.0, 20.0, 0.0, 30.0])
FORECAST = np.array([12.0, 16.0, 1.0, 30.0])


def test_wape_is_the_sum_of_errors_over_the_sum_of_actuals() -> None:
    assert metrics.wape(ACTUAL, FORECAST) == pytest.approx(7 / 60)


def test_mase_is_the_mean_error_over_the_naive_mean_error() -> None:
    assert metrics.mase(ACTUAL, FORECAST, naive_mae=3.5) == pytest.approx(1.75 / 3.5)


def test_bias_keeps_its_sign() -> None:
    assert metrics.bias(ACTUAL, FORECAST) == pytest.approx(-1 / 60)


def test_coverage_counts_the_bounds_and_width_is_in_units() -> None:
    lower, upper = np.array([10.0, 0.0, 1.0, 31.0]), np.array([11.0, 20.0, 2.0, 32.0])
    assert metrics.coverage(ACTUAL, lower, upper) == 0.5
    assert metrics.mean_width(lower, upper) == 5.75


def test_scores_without_a_scale_are_refused() -> None:
    with pytest.raises(ValueError, match="all zero"):
        metrics.wape(np.zeros(3), np.ones(3))
    with pytest.raises(ValueError, match=r"scale of 0\.0"):
        metrics.mase(ACTUAL, FORECAST, naive_mae=0.0)


def test_calibration_takes_the_finite_sample_quantiles() -> None:
    # Errors -10 … 9: with 20 rows and a level of 0.9, rank ceil(21 * 0.95) = 20 on each side.
    actual = np.arange(-10.0, 10.0)
    interval = calibrate(actual, np.zeros(20), level=0.9, kind="absolute")
    assert (interval.lower, interval.upper) == (-10.0, 9.0)
    # With a level of 0.5, rank ceil(21 * 0.75) = 16: four errors are left out on each side.
    interval = calibrate(actual, np.zeros(20), level=0.5, kind="absolute")
    assert (interval.lower, interval.upper) == (-6.0, 5.0)


def test_relative_intervals_scale_with_the_forecast_and_stop_at_the_minimum() -> None:
    interval = Interval("relative", -1.5, 0.5)
    lower, upper = interval.bounds(np.array([10.0, 20.0]))
    assert lower.tolist() == [0.0, 0.0]
    assert upper.tolist() == [15.0, 30.0]


def test_an_interval_holds_its_forecast_even_when_all_errors_have_one_sign() -> None:
    interval = calibrate(np.full(50, 12.0), np.full(50, 10.0), level=0.9, kind="relative")
    assert interval.lower == 0.0
    assert interval.upper == pytest.approx(0.2)


@pytest.mark.parametrize("kind", ["relative", "absolute"])
@pytest.mark.parametrize("level", [0.8, 0.9])
def test_intervals_cover_what_they_promise(kind: Kind, level: float) -> None:
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(60):
        forecast = rng.uniform(5, 50, 2000)
        actual = forecast * rng.lognormal(0.0, 0.3, 2000)
        interval = calibrate(actual[:400], forecast[:400], level=level, kind=kind)
        lower, upper = interval.bounds(forecast[400:])
        covered.append(metrics.coverage(actual[400:], lower, upper))
    assert np.mean(covered) == pytest.approx(level, abs=0.012)


def test_too_few_rows_cannot_promise_the_level() -> None:
    with pytest.raises(DataError, match="got 18 calibration rows, expected at least 19"):
        calibrate(np.zeros(18), np.zeros(18), level=0.9, kind="absolute")
    calibrate(np.zeros(19), np.zeros(19), level=0.9, kind="absolute")


def test_the_split_is_by_time_and_complete(market: Market) -> None:
    rows = training_rows(market)
    split = split_by_time(rows, calibration_days=21, held_out_days=14, last_date=market.last_date)
    assert split.train["date"].max() < split.calibration["date"].min()
    assert split.calibration["date"].max() < split.held_out["date"].min()
    assert len(split.train) + len(split.calibration) + len(split.held_out) == len(rows)
    assert split.periods()["held_out_from"] == "2023-06-17"
    assert split.periods()["held_out_to"] == "2023-06-30"
    assert split.periods()["calibration_from"] == "2023-05-27"


@pytest.mark.parametrize(
    ("days", "message"),
    [(400, "the train period has no sale"), (350, "days to train on, expected at least 28")],
)
def test_a_market_too_short_for_the_split_is_refused(
    market: Market, days: int, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        split_by_time(
            training_rows(market),
            calibration_days=days,
            held_out_days=28,
            last_date=date(2023, 6, 30),
        )


def test_the_seasonal_naive_forecast_falls_back_to_the_last_known_value() -> None:
    rows = pd.DataFrame(
        {
            "price_lag_7": [5.0, np.nan],
            "quantity_lag_7": [np.nan, 8.0],
            "unit_price": [6.0, 7.0],
            "quantity_sold": [1.0, 2.0],
        }
    )
    naive = simple_forecasts(rows, "baseline")
    assert naive["forecasted_price"].tolist() == [5.0, 7.0]
    assert naive["forecasted_demand"].tolist() == [1.0, 8.0]
    last = simple_forecasts(rows, "last_value")
    assert last["forecasted_price"].tolist() == [6.0, 7.0]
    assert last["forecasted_demand"].tolist() == [1.0, 2.0]


def test_a_tie_with_the_baseline_is_lost() -> None:
    better = Evaluation({}, {"price_wape": 0.1, "demand_wape": 0.3})
    worse = Evaluation({}, {"price_wape": 0.1, "demand_wape": 0.4})
    assert lost_targets(better, worse) == ["price"]
    assert lost_targets(worse, better) == ["price", "demand"]
