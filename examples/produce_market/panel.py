"""Lag and rolling features on a grid of days and items, each known on the evening before."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from produce_market.market import Market

Floats = NDArray[np.float64]

WARM_UP_DAYS = 28
"""Days at the start of a market that only feed the longest window."""
FEATURE_DECIMALS = 6
"""More digits than any price or weight has: requests stay short, and equal on every machine."""


@dataclass(frozen=True)
class _Grid:
    """Arrays of days by items, NaN where there was no sale; `market_open` has one value per day."""

    calendar: pd.DatetimeIndex
    codes: pd.Index
    price: Floats
    quantity: Floats
    discount_share: Floats
    wholesale: Floats
    loss_rate_pct: Floats
    category: NDArray[np.int64]

    @property
    def market_open(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.quantity).all(axis=1)


def training_rows(market: Market) -> pd.DataFrame:
    """One row per item and day with a sale: features of the evening before and what came true.

    Returns:
        `date`, `item_code`, the features of `past_features`, and `price` (RMB/kg), `demand` (kg),
        ordered by date and item. Left out are the first `WARM_UP_DAYS` days and each item's first
        day, for which nothing is known.
    """
    grid = _grid(market, market.last_date)
    features = past_features(grid)
    known = ~np.isnan(grid.quantity) & ~np.isnan(features["unit_price"])
    known[:WARM_UP_DAYS] = False
    rows = _take(grid, features, known)
    rows["price"] = grid.price[known]
    rows["demand"] = grid.quantity[known]
    return rows


def forecast_rows(market: Market, day: date) -> pd.DataFrame:
    """One row per item ever sold before a day: the features known on the evening before it.

    Args:
        market: Its tables from `day` on are not looked at.
        day: The day to forecast.

    Returns:
        `date`, `item_code` and the features, ordered by item.
    """
    grid = _grid(market.before(day), day)
    features = past_features(grid)
    wanted = ~np.isnan(features["unit_price"])
    wanted[:-1] = False
    return _take(grid, features, wanted)


def past_features(grid: _Grid) -> dict[str, Floats]:
    """The features of each day and item that are known on the evening before the day.

    `unit_price`, `quantity_sold` and `wholesale_price` are the last known values, however old;
    `…_lag_7` are the values of the same weekday a week earlier; `…_mean_N` are means over the
    days with a sale among the last N; a value that does not exist is NaN.
    """
    open_share = np.where(grid.market_open[:, None], ~np.isnan(grid.quantity), np.nan)
    return {
        "quantity_sold": _last_known(grid.quantity),
        "quantity_lag_7": _shifted(grid.quantity, 7),
        "quantity_mean_7": _rolling_mean(grid.quantity, 7),
        "quantity_mean_28": _rolling_mean(grid.quantity, 28),
        "quantity_weekday_mean_4": _weekday_mean(grid.quantity, 4),
        "category_quantity_mean_7": _rolling_mean(_category_quantity(grid), 7),
        "sale_days_share_28": _rolling_mean(open_share, 28),
        "days_since_last_sale": _days_since(grid.quantity),
        "unit_price": _last_known(grid.price),
        "price_lag_7": _shifted(grid.price, 7),
        "price_mean_7": _rolling_mean(grid.price, 7),
        "price_mean_28": _rolling_mean(grid.price, 28),
        "discount_share_7": _rolling_mean(grid.discount_share, 7),
        "wholesale_price": _last_known(grid.wholesale),
        "loss_rate_pct": np.broadcast_to(grid.loss_rate_pct, grid.quantity.shape),
    }


def _grid(market: Market, last_day: date) -> _Grid:
    calendar = pd.date_range(pd.Timestamp(market.first_date), pd.Timestamp(last_day), unit="s")
    codes = market.items.index
    categories = pd.factorize(market.items["category_code"])[0]

    def spread(table: pd.DataFrame, column: str) -> Floats:
        values = np.full((len(calendar), len(codes)), np.nan)
        day = calendar.get_indexer(table["date"])
        item = codes.get_indexer(table["item_code"])
        inside = (day >= 0) & (item >= 0)
        values[day[inside], item[inside]] = table[column].to_numpy()[inside]
        return values

    return _Grid(
        calendar=calendar,
        codes=codes,
        price=spread(market.sales, "unit_price"),
        quantity=spread(market.sales, "quantity"),
        discount_share=spread(market.sales, "discount_share"),
        wholesale=spread(market.wholesale, "wholesale_price"),
        loss_rate_pct=market.items["loss_rate_pct"].to_numpy(),
        category=categories.astype("int64"),
    )


def _take(grid: _Grid, features: dict[str, Floats], wanted: NDArray[np.bool_]) -> pd.DataFrame:
    day, item = np.nonzero(wanted)
    columns: dict[str, object] = {"date": grid.calendar[day], "item_code": grid.codes[item]}
    columns |= {
        name: np.round(values[wanted], FEATURE_DECIMALS) for name, values in features.items()
    }
    return pd.DataFrame(columns)


def _shifted(values: Floats, days: int) -> Floats:
    moved = np.full(values.shape, np.nan)
    moved[days:] = values[:-days]
    return moved


def _last_known(values: Floats) -> Floats:
    return _shifted(pd.DataFrame(values).ffill().to_numpy(), 1)


def _rolling_mean(values: Floats, days: int) -> Floats:
    """Mean of the known values among the `days` before each day; each window is summed anew.

    Running sums would carry rounding, so a value of long ago would change today's feature.
    """
    padded = np.vstack([np.full((days, values.shape[1]), np.nan), values[:-1]])
    windows = np.lib.stride_tricks.sliding_window_view(padded, days, axis=0)
    return _known_mean(windows)


def _weekday_mean(values: Floats, weeks: int) -> Floats:
    return _known_mean(np.stack([_shifted(values, 7 * (week + 1)) for week in range(weeks)], -1))


def _known_mean(values: Floats) -> Floats:
    """Mean over the last axis of what is not NaN; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0.0).sum(axis=-1)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def _days_since(values: Floats) -> Floats:
    days = np.arange(len(values), dtype="float64")[:, None]
    return days - _last_known(np.where(np.isnan(values), np.nan, days))


def _category_quantity(grid: _Grid) -> Floats:
    """What the whole category sold, at each of its items; NaN when the market was closed."""
    member = grid.category[:, None] == np.unique(grid.category)[None, :]
    totals = np.nan_to_num(grid.quantity) @ member.astype("float64")
    totals[~grid.market_open] = np.nan
    return totals[:, grid.category]
