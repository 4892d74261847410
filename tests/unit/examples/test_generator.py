from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from produce_market.festivals import SPRING_FESTIVALS
from produce_market.generator import generate
from produce_market.layout import MarketTables, read_tables, write_tables
from produce_market.market import Market


def test_the_same_seed_gives_the_same_tables_and_another_seed_others() -> None:
    one, two, other = (generate(days=150, items=12, seed=seed) for seed in (1, 1, 2))
    for name in ("items", "wholesale", "losses", "daily"):
        assert_frame_equal(getattr(one, name), getattr(two, name))
    assert not one.daily.equals(other.daily)


def test_item_codes_have_15_digits_and_belong_to_categories(tables: MarketTables) -> None:
    codes = tables.items["Item Code"].astype(str)
    assert codes.str.fullmatch(r"\d{15}").all()
    assert codes.is_unique
    assert tables.items["Category Code"].nunique() == 6


def test_the_market_is_closed_at_spring_festival(tables: MarketTables) -> None:
    sold = set(tables.daily["date"])
    festival = date(2023, 1, 22)
    assert festival in SPRING_FESTIVALS
    assert festival.isoformat() not in sold
    assert "2023-01-19" in sold


def test_people_stock_up_before_spring_festival(market: Market) -> None:
    totals = market.sales.groupby("date")["quantity"].sum()
    before = totals["2023-01-11":"2023-01-20"].mean()
    assert before > 1.3 * totals["2022-11-15":"2022-12-15"].mean()


def test_weekends_sell_more(market: Market) -> None:
    totals = market.sales.groupby("date")["quantity"].sum()
    weekend = totals.index.day_of_week >= 5
    assert totals[weekend].mean() > 1.15 * totals[~weekend].mean()


def test_it_has_the_traps_of_a_real_market() -> None:
    tables = generate(days=900, items=80, seed=7)
    price = tables.wholesale["Wholesale Price (RMB/kg)"]
    daily = tables.daily
    assert (price == 0.01).sum() > 5
    assert (price > 100).sum() > 0
    assert (daily["qty_returned_kg"] > 0).sum() > 50
    returns_only = daily["n_sales"].eq(0)
    assert returns_only.sum() > 0
    assert daily.loc[returns_only, "wavg_unit_price"].isna().all()
    days_sold = daily.groupby("item_code").size()
    assert days_sold.min() < 150
    assert days_sold.max() > 600
    whole = daily.groupby("item_code")["qty_sold_kg"].agg(lambda kg: (kg % 1 == 0).all())
    assert 0.1 < whole.mean() < 0.5
    bought = tables.wholesale.rename(columns={"Date": "date", "Item Code": "item_code"})
    unsold = bought.merge(daily, how="left", on=["date", "item_code"])["qty_sold_kg"].isna()
    assert 0.01 < unsold.mean() < 0.2


def test_written_tables_read_back_as_the_same_market(
    tables: MarketTables, market: Market, tmp_path: Path
) -> None:
    write_tables(tables, tmp_path)
    again = Market.from_tables(read_tables(tmp_path))
    assert_frame_equal(again.sales, market.sales)
    assert again.digest() == market.digest()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"days": 30}, "got 30 days"),
        ({"items": 2}, "2 items"),
        ({"last_date": date(2036, 1, 1)}, "expected them between 2018-02-16 and 2035-02-08"),
        ({"last_date": date(2018, 6, 1)}, "expected them between"),
    ],
)
def test_it_rejects_what_it_cannot_generate(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        generate(**options)


def test_spring_festivals_are_those_of_the_lunar_calendar() -> None:
    lunardate = pytest.importorskip("lunardate")
    years = range(2018, 2036)
    assert [day.year for day in SPRING_FESTIVALS] == list(years)
    assert list(SPRING_FESTIVALS) == [
        lunardate.LunarDate(year, 1, 1).to_solar_date() for year in years
    ]


def test_prices_follow_the_season_and_stay_put_most_days(market: Market) -> None:
    ordered = market.sales[market.sales["discount_share"] == 0].sort_values(["item_code", "date"])
    same_item = ordered["item_code"].eq(ordered["item_code"].shift())
    unchanged = ordered["unit_price"].eq(ordered["unit_price"].shift())[same_item]
    assert 0.4 < unchanged.mean() < 0.95
    months = market.sales.groupby(["item_code", pd.Grouper(key="date", freq="MS")])["unit_price"]
    swing = months.mean().groupby("item_code").agg(lambda price: price.max() / price.min())
    assert np.median(swing) > 1.25
