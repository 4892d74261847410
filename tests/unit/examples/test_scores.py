from datetime import date

import numpy as np
import pandas as pd
import pytest

from produce_market import metrics
from produce_market.errors import DataError
from produce_market.evaluation import (
    Evaluation,
    evaluate,
    lost_targets,
    promised_levels,
    simple_forecasts,
)
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


def test_width_is_in_units() -> None:
    lower, upper = np.array([10.0, 0.0, 1.0, 31.0]), np.array([11.0, 20.0, 2.0, 32.0])
    assert metrics.mean_width(lower, upper) == 5.75


def test_scores_without_a_scale_are_refused() -> None:
    with pytest.raises(ValueError, match="all zero"):
        metrics.wape(np.zeros(3), np.ones(3))
    with pytest.raises(ValueError, match=r"scale of 0\.0"):
        metrics.mase(ACTUAL, FORECAST, naive_mae=0.0)


def test_levels_are_those_that_the_calibration_rows_allow() -> None:
    assert promised_levels(39, 0.9) == [0.5, 0.8, 0.9, 0.95]
    assert promised_levels(38, 0.9) == [0.5, 0.8, 0.9]
    assert promised_levels(1000, 0.99) == [0.5, 0.8, 0.9, 0.95, 0.99]
    with pytest.raises(DataError, match=r"got 18 calibration rows, expected at least 19 for"):
        promised_levels(18, 0.9)


def test_an_evaluation_has_intervals_and_coverage_at_every_level(market: Market) -> None:
    split = split_by_time(
        training_rows(market), calibration_days=28, held_out_days=28, last_date=market.last_date
    )
    forecasts = [
        simple_forecasts(rows, "last_value") for rows in (split.calibration, split.held_out)
    ]
    found = evaluate(split, *forecasts, 0.8)
    assert found.intervals["default_level"] == 0.8
    for target in ("price", "demand"):
        entry = found.intervals["outputs"][f"forecasted_{target}"]
        assert list(entry["offsets"]) == ["0.5", "0.8", "0.9", "0.95"]
        shares = [found.scores[f"{target}_coverage{at}"] for at in ("_at_0.5", "", "_at_0.95")]
        assert shares == sorted(shares)
        promised = np.array([0.5, 0.8, 0.95])
        assert (np.array(shares) > promised - 0.1).all()
    # More of the prices, most of which stay what they were.
    assert shares == pytest.approx(promised, abs=0.1)


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
