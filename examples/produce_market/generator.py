"""A generator of produce-market data with the shape, and the traps, of a real market."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from produce_market.festivals import SPRING_FESTIVALS
from produce_market.layout import MarketTables

Floats = NDArray[np.float64]

_CATEGORIES = (
    ("1020010001", "Leaf Vegetables", ("Spinach", "Amaranth", "Lettuce", "Water Spinach", "Chard")),
    ("1020010002", "Cabbages", ("Broccoli", "Cauliflower", "Chinese Cabbage", "Green Cabbage")),
    ("1020010003", "Roots and Tubers", ("Lotus Root", "Radish", "Taro", "Carrot", "Yam")),
    ("1020010004", "Nightshades", ("Purple Eggplant", "Tomato", "Round Eggplant")),
    ("1020010005", "Peppers", ("Green Pepper", "Wuhu Pepper", "Millet Pepper", "Red Pepper")),
    ("1020010006", "Mushrooms", ("Shiitake", "Enoki", "King Oyster", "Wood Ear", "Shimeji")),
)
_GRADES = ("", " (Local)", " (Organic)", " (Small)", " (Large)", " (Mountain)")
_WEEKLY_DEMAND = np.array([0.90, 0.87, 0.88, 0.88, 0.98, 1.27, 1.22])
_FIRST_CODE = 102_900_020_000_000

SMALLEST_DAYS, SMALLEST_ITEMS = 120, 6
PIECE_SHARE = 0.3
"""Share of the items that are sold by the piece."""
SPARSE_SHARE = 0.2
"""Share of the items that are on sale only now and then."""
_CLOSED_SHARE = 0.004
_DISCOUNT_SHARE = 0.12
_RETURN_SHARE, _RETURN_ONLY_SHARE = 0.01, 0.0002
_UNSOLD_SHARE = 0.05
_PLACEHOLDER_SHARE, _SLIP_SHARE = 0.002, 0.0005
_PRICE_STEP_RMB = 0.2
_STICKINESS = 0.08
_OFF_SEASON_COSINE = -0.6
_STOCKING_UP_DAYS, _EATING_UP_DAYS = 14, 7


@dataclass(frozen=True)
class _Traits:
    """What an item is like; every array has one value per item."""

    category: NDArray[np.int64]
    by_the_piece: NDArray[np.bool_]
    sparse: NDArray[np.bool_]
    cost: Floats
    markup: Floats
    demand: Floats
    phase: Floats
    seasonality: Floats
    loss_rate_pct: Floats


def generate(
    *, days: int = 900, items: int = 80, seed: int = 7, last_date: date = date(2023, 6, 30)
) -> MarketTables:
    """A generated market in the original layout.

    Args:
        days: Number of calendar days, closed ones included; at least `SMALLEST_DAYS`.
        items: Number of items; at least `SMALLEST_ITEMS`.
        seed: The same seed gives the same tables.
        last_date: The last day, between 2019 and 2035 so that each festival near it is known.

    Raises:
        ValueError: An argument is outside its limits.
    """
    if days < SMALLEST_DAYS or items < SMALLEST_ITEMS:
        raise ValueError(
            f"got {days} days and {items} items, expected at least {SMALLEST_DAYS} and "
            f"{SMALLEST_ITEMS}"
        )
    calendar = pd.date_range(end=pd.Timestamp(last_date), periods=days)
    if calendar[0].date() < SPRING_FESTIVALS[0] or last_date > SPRING_FESTIVALS[-1]:
        raise ValueError(
            f"got the days {calendar[0].date()} to {last_date}, expected them between "
            f"{SPRING_FESTIVALS[0]} and {SPRING_FESTIVALS[-1]}"
        )
    rng = np.random.default_rng(seed)
    traits = _draw_traits(rng, items)
    festival = _days_to_festival(calendar)
    open_days = ~np.isin(festival, (0, 1)) & (rng.random(days) > _CLOSED_SHARE)
    cost = _draw_costs(rng, traits, calendar, festival)
    price, discounted = _draw_prices(rng, traits, cost)
    on_sale = _draw_availability(rng, traits, calendar) & open_days[:, None]
    demand = _draw_demand(rng, traits, price / (cost * traits.markup), calendar, festival)
    codes = _FIRST_CODE + np.arange(items) * 17
    return MarketTables(
        items=_items_table(traits, codes),
        wholesale=_wholesale_table(rng, calendar, codes, cost, on_sale),
        losses=_losses_table(traits, codes),
        daily=_daily_table(
            rng, traits, calendar, codes, (price, discounted, demand, on_sale & (demand > 0))
        ),
    )


def _draw_traits(rng: np.random.Generator, items: int) -> _Traits:
    category = np.sort(np.arange(items) % len(_CATEGORIES))
    return _Traits(
        category=category,
        by_the_piece=rng.random(items) < PIECE_SHARE,
        sparse=rng.random(items) < SPARSE_SHARE,
        cost=np.round(rng.lognormal(1.4, 0.6, items), 2).clip(0.8, 60.0),
        markup=rng.uniform(1.45, 1.9, items),
        demand=rng.lognormal(2.1, 0.8, items),
        phase=rng.uniform(0, 2 * np.pi, items),
        seasonality=rng.uniform(0.1, 0.4, items),
        loss_rate_pct=np.round(rng.gamma(4.0, 2.4, items).clip(0.0, 30.0), 2),
    )


def _days_to_festival(calendar: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Signed days from each day to the nearest festival."""
    festivals = np.array(SPRING_FESTIVALS, dtype="datetime64[D]")
    gaps = (festivals[None, :] - calendar.to_numpy("datetime64[D]")[:, None]).astype("int64")
    nearest = np.abs(gaps).argmin(axis=1)
    return gaps[np.arange(len(calendar)), nearest]


def _year_angle(calendar: pd.DatetimeIndex) -> Floats:
    return 2 * np.pi * (calendar.day_of_year.to_numpy() - 1) / 365.25


def _autoregression(rng: np.random.Generator, shape: tuple[int, int], rho: float) -> Floats:
    """Standardized first-order autoregressive noise, days by items."""
    shocks = rng.standard_normal(shape)
    shocks[1:] *= np.sqrt(1 - rho**2)
    for day in range(1, shape[0]):
        shocks[day] += rho * shocks[day - 1]
    return shocks


def _draw_costs(
    rng: np.random.Generator,
    traits: _Traits,
    calendar: pd.DatetimeIndex,
    festival: NDArray[np.int64],
) -> Floats:
    season = traits.seasonality * np.cos(_year_angle(calendar)[:, None] - traits.phase)
    noise = 0.12 * _autoregression(rng, (len(calendar), len(traits.cost)), 0.96)
    peak = 0.25 * np.exp(-np.abs(festival - 2) / 8.0)[:, None]
    return traits.cost * np.exp(season + noise + peak)


def _draw_prices(rng: np.random.Generator, traits: _Traits, cost: Floats) -> tuple[Floats, Floats]:
    """Prices on the shelf and the discounted share of the quantity.

    A shelf price stays until the cost has moved away from it, as in a real market.
    """
    wanted = _PRICE_STEP_RMB * np.maximum(np.round(cost * traits.markup / _PRICE_STEP_RMB), 1.0)
    shelf = wanted.copy()
    for day in range(1, len(shelf)):
        moved = np.abs(wanted[day] / shelf[day - 1] - 1) > _STICKINESS
        shelf[day] = np.where(moved, wanted[day], shelf[day - 1])
    discounted = rng.random(shelf.shape) < _DISCOUNT_SHARE
    share = np.where(discounted, rng.beta(2, 3, shelf.shape), 0.0)
    return shelf * (1 - 0.3 * share), share


def _draw_availability(
    rng: np.random.Generator, traits: _Traits, calendar: pd.DatetimeIndex
) -> NDArray[np.bool_]:
    shape = (len(calendar), len(traits.cost))
    in_season = np.cos(_year_angle(calendar)[:, None] + traits.phase) > _OFF_SEASON_COSINE
    chance = np.where(traits.sparse, 0.15, 0.95) * np.where(in_season, 1.0, 0.05)
    return rng.random(shape) < chance


def _draw_demand(
    rng: np.random.Generator,
    traits: _Traits,
    relative_price: Floats,
    calendar: pd.DatetimeIndex,
    festival: NDArray[np.int64],
) -> Floats:
    """Quantities in kg to the gram; whole pieces for items sold by the piece."""
    shape = relative_price.shape
    weekly = _WEEKLY_DEMAND[calendar.day_of_week.to_numpy()][:, None]
    season = np.exp(traits.seasonality * np.sin(_year_angle(calendar)[:, None] + traits.phase))
    # The households stock up during the two weeks before the feast, and eat that for a week.
    stocking_up = (festival > 0) & (festival <= _STOCKING_UP_DAYS)
    eating_up = (festival < 0) & (festival >= -_EATING_UP_DAYS)
    peak = np.where(stocking_up, 1.0 + 0.8 * (15 - festival) / _STOCKING_UP_DAYS, 1.0)
    peak = np.where(eating_up, 0.7, peak)[:, None]
    trend = np.exp(0.35 * _autoregression(rng, shape, 0.9))
    mean = traits.demand * weekly * season * peak * trend * relative_price**-1.2
    weight = np.round(mean * rng.gamma(12.0, 1 / 12.0, shape), 3)
    return np.where(traits.by_the_piece, rng.poisson(mean).astype(float), weight)


def _items_table(traits: _Traits, codes: NDArray[np.int64]) -> pd.DataFrame:
    rank = np.arange(len(codes)) - np.searchsorted(traits.category, traits.category)
    names = []
    for category, position in zip(traits.category, rank, strict=True):
        stems = _CATEGORIES[category][2]
        grade, again = divmod(position // len(stems), len(_GRADES))[::-1]
        suffix = f" {again + 1}" if again else ""
        names.append(f"{stems[position % len(stems)]}{_GRADES[grade]}{suffix}")
    return pd.DataFrame(
        {
            "Item Code": codes,
            "Item Name": names,
            "Category Code": [_CATEGORIES[index][0] for index in traits.category],
            "Category Name": [_CATEGORIES[index][1] for index in traits.category],
        }
    )


def _losses_table(traits: _Traits, codes: NDArray[np.int64]) -> pd.DataFrame:
    names = _items_table(traits, codes)["Item Name"]
    return pd.DataFrame(
        {"Item Code": codes, "Item Name": names, "Loss Rate (%)": traits.loss_rate_pct}
    )


def _wholesale_table(
    rng: np.random.Generator,
    calendar: pd.DatetimeIndex,
    codes: NDArray[np.int64],
    cost: Floats,
    on_sale: NDArray[np.bool_],
) -> pd.DataFrame:
    """Prices of the items on sale and of some that were bought and not sold."""
    unsold = on_sale.any(axis=1, keepdims=True) & (rng.random(on_sale.shape) < _UNSOLD_SHARE)
    day, item = np.nonzero(on_sale | unsold)
    price = np.round(cost[day, item], 2)
    slip = rng.random(len(price))
    price[slip < _PLACEHOLDER_SHARE] = 0.01
    price[slip > 1 - _SLIP_SHARE] = np.round(rng.uniform(101, 150), 2)
    return pd.DataFrame(
        {
            "Date": calendar[day].strftime("%Y-%m-%d"),
            "Item Code": codes[item],
            "Wholesale Price (RMB/kg)": price,
        }
    )


def _daily_table(
    rng: np.random.Generator,
    traits: _Traits,
    calendar: pd.DatetimeIndex,
    codes: NDArray[np.int64],
    drawn: tuple[Floats, Floats, Floats, NDArray[np.bool_]],
) -> pd.DataFrame:
    """Sales of each day, some with returns, and a few days with returns alone."""
    price, discounted, demand, sold = drawn
    returned_only = sold & (rng.random(sold.shape) < _RETURN_ONLY_SHARE)
    day, item = np.nonzero(sold)
    quantity = np.where(returned_only, 0.0, demand)[day, item]
    returns = (rng.random(len(day)) < _RETURN_SHARE) | (quantity == 0)
    unit = np.where(traits.by_the_piece[item], 1.0, np.round(rng.uniform(0.1, 0.9, len(day)), 3))
    returned = np.where(returns, unit, 0.0)
    priced = quantity > 0
    return pd.DataFrame(
        {
            "date": calendar[day].strftime("%Y-%m-%d"),
            "item_code": codes[item],
            "n_sales": np.where(priced, np.maximum(1, np.round(quantity / 0.55)), 0).astype(int),
            "qty_sold_kg": quantity,
            "qty_returned_kg": returned,
            "qty_net_kg": np.round(quantity - returned, 3),
            "wavg_unit_price": np.where(priced, np.round(price[day, item], 4), np.nan),
            "discount_qty_share": np.where(priced, np.round(discounted[day, item], 4), np.nan),
        }
    )
