"""Several days ahead from one evening, as the model server forecasts them, and how good that is."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd
import xgboost as xgb

from produce_market import metrics
from produce_market.contract import HORIZON, OUTPUTS
from produce_market.market import Market
from produce_market.model import predict
from produce_market.panel import forecast_rows
from produce_market.split import Split

CARRY: Mapping[str, str] = HORIZON["carry"]


def forecast_steps(
    booster: xgb.Booster,
    rows: pd.DataFrame,
    categories: Sequence[str],
    *,
    steps: int,
    carry: Mapping[str, str] = CARRY,
) -> pd.DataFrame:
    """The forecasts of rows of the panel and of the days after them.

    Args:
        booster: The trained model.
        rows: The first day's rows; what they know of the past stays as it is.
        categories: All item codes in their order.
        steps: How many days, the first included.
        carry: Features that take the named output of the day before.

    Returns:
        `steps` rows for each one: `date`, `item_code`, `step` (0 is the first day) and the outputs.
    """
    days = []
    for step in range(steps):
        day = rows.assign(date=rows["date"] + pd.Timedelta(days=1)) if step else rows
        forecasts = predict(booster, day, categories)
        days.append(day[["date", "item_code"]].assign(step=step, **forecasts))
        rows = day.assign(**{name: forecasts[output] for name, output in carry.items()})
    return pd.concat(days, ignore_index=True)


def backtest(
    booster: xgb.Booster,
    market: Market,
    split: Split,
    *,
    evenings: int,
    steps: int,
    carry: Mapping[str, str] = CARRY,
) -> pd.DataFrame:
    """Forecasts from several evenings of the held-out days, beside what came true.

    Args:
        booster: A model that was not trained on the held-out days.
        market: All of the market; from each evening only what was known then is looked at.
        split: The periods that the model was trained and is judged on.
        evenings: How many evenings to forecast from, evenly spaced.
        steps: How many days from each.
        carry: Features that take the named output of the day before.

    Returns:
        What `forecast_steps` gives and `price` and `demand`, for items and days with a sale.
    """
    actual = split.held_out[["date", "item_code", *(output.target for output in OUTPUTS)]]
    first = actual["date"].min()
    latest = (actual["date"].max() - first).days - steps + 1
    categories = tuple(market.items.index)
    found = [
        forecast_steps(
            booster,
            forecast_rows(market, _day(first, int(offset))),
            categories,
            steps=steps,
            carry=carry,
        )
        for offset in np.unique(np.linspace(0, latest, evenings).round())
    ]
    return pd.concat(found).merge(actual, on=["date", "item_code"])


def step_scores(forecasts: pd.DataFrame) -> dict[str, float]:
    """The WAPE of each target over some forecasts of a backtest."""
    return {
        output.target: metrics.wape(
            forecasts[output.target].to_numpy(), forecasts[output.name].to_numpy()
        )
        for output in OUTPUTS
    }


def _day(first: pd.Timestamp, offset: int) -> date:
    return (first + pd.Timedelta(days=offset)).date()
