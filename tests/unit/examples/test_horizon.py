from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb

from produce_market.contract import HORIZON, OUTPUTS
from produce_market.horizon import CARRY, backtest, forecast_steps, step_scores
from produce_market.layout import read_tables
from produce_market.market import Market
from produce_market.model import Hyperparameters, predict, train
from produce_market.panel import training_rows
from produce_market.split import Split, split_by_time


@pytest.fixture(scope="module")
def split(market: Market) -> Split:
    return split_by_time(
        training_rows(market), calibration_days=28, held_out_days=28, last_date=market.last_date
    )


@pytest.fixture(scope="module")
def booster(market: Market, split: Split) -> xgb.Booster:
    return train(split.train, tuple(market.items.index), Hyperparameters(rounds=120))


def test_the_first_step_is_the_plain_forecast(
    market: Market, split: Split, booster: xgb.Booster
) -> None:
    categories, rows = tuple(market.items.index), split.held_out.tail(5)
    found = forecast_steps(booster, rows, categories, steps=1)
    plain = predict(booster, rows, categories)
    for name, values in plain.items():
        np.testing.assert_array_equal(found[name], values)


def test_each_step_is_a_day_later_and_sees_what_the_day_before_forecast(
    market: Market, split: Split, booster: xgb.Booster
) -> None:
    categories, rows = tuple(market.items.index), split.held_out.tail(3)
    found = forecast_steps(booster, rows, categories, steps=3)
    assert found["step"].tolist() == [0] * 3 + [1] * 3 + [2] * 3
    first, second = found[found["step"] == 0], found[found["step"] == 1]
    assert (second["date"].to_numpy() - rows["date"].to_numpy() == pd.Timedelta(days=1)).all()
    by_hand = rows.assign(
        date=rows["date"] + pd.Timedelta(days=1),
        quantity_sold=first["forecasted_demand"].to_numpy(),
    )
    again = predict(booster, by_hand, categories)
    for output in OUTPUTS:
        np.testing.assert_array_equal(second[output.name], again[output.name])


def test_a_backtest_looks_from_several_evenings_at_days_that_came_true(
    market: Market, split: Split, booster: xgb.Booster
) -> None:
    found = backtest(booster, market, split, evenings=3, steps=7)
    evenings = (found["date"] - pd.to_timedelta(found["step"], unit="D")).unique()
    assert len(evenings) == 3
    assert min(evenings) == split.held_out["date"].min()
    assert found["date"].max() == split.held_out["date"].max()
    assert found["step"].max() == 6
    assert found[["price", "demand"]].notna().all(axis=None)
    assert set(step_scores(found)) == {"price", "demand"}


def test_on_the_real_market_carrying_the_quantity_helps_and_carrying_the_price_does_not(
    real_folder: Path,
) -> None:
    market = Market.from_tables(read_tables(real_folder))
    split = split_by_time(
        training_rows(market), calibration_days=28, held_out_days=28, last_date=market.last_date
    )
    booster = train(split.train, tuple(market.items.index), Hyperparameters(rounds=200, threads=1))
    price = {"unit_price": "forecasted_price"}
    served, nothing, both = (
        step_scores(found[found["step"] > 0])
        for found in (
            backtest(booster, market, split, evenings=10, steps=4, carry=carry)
            for carry in (CARRY, {}, {**CARRY, **price})
        )
    )
    assert served["demand"] < nothing["demand"]
    assert served["price"] < both["price"]


def test_the_horizon_of_the_contract_carries_outputs_into_features() -> None:
    assert dict(CARRY) == HORIZON["carry"]
    assert set(CARRY.values()) <= {output.name for output in OUTPUTS}
