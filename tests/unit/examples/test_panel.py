from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from forecast_inference.features import derive
from produce_market.contract import FEATURE_NAMES, FEATURES, design_matrix, request_document
from produce_market.market import Market
from produce_market.panel import WARM_UP_DAYS, forecast_rows, training_rows

ITEM, OTHER = "100000000000001", "100000000000002"
START = date(2023, 1, 1)
Values = list[float | None] | list[float]
PAST = [feature.name for feature in FEATURES if feature.derive is None]


def tiny_market(quantities: Values, *, other: Values | None = None, price: float = 10.0) -> Market:
    """A market of two items of one category; None is a day without a sale."""
    rows = [
        (START + timedelta(days=day), code, price + day, quantity, 0.0)
        for code, values in ((ITEM, quantities), (OTHER, other or [1.0] * len(quantities)))
        for day, quantity in enumerate(values)
        if quantity is not None
    ]
    columns = ["date", "item_code", "unit_price", "quantity", "discount_share"]
    sales = pd.DataFrame(rows, columns=columns)
    sales["date"] = pd.to_datetime(sales["date"]).astype("datetime64[s]")
    items = pd.DataFrame(
        {"item_name": ["A", "B"], "category_code": ["1", "1"], "loss_rate_pct": [5.0, np.nan]},
        index=pd.Index([ITEM, OTHER], name="item_code"),
    )
    wholesale = sales.rename(columns={"unit_price": "wholesale_price"})
    return Market(items, sales, wholesale[["date", "item_code", "wholesale_price"]])


def row_of(market: Market, day: int) -> pd.Series:
    rows = forecast_rows(market, START + timedelta(days=day))
    return rows.set_index("item_code").loc[ITEM]


def test_lags_and_means_are_those_of_the_days_before() -> None:
    row = row_of(tiny_market([float(day) for day in range(40)]), 35)
    assert row["quantity_sold"] == 34
    assert row["quantity_lag_7"] == 28
    assert row["quantity_mean_7"] == np.mean(range(28, 35))
    assert row["quantity_mean_28"] == np.mean(range(7, 35))
    assert row["quantity_weekday_mean_4"] == np.mean([28, 21, 14, 7])
    assert row["category_quantity_mean_7"] == np.mean(range(28, 35)) + 1.0
    assert row["unit_price"] == 44
    assert row["price_lag_7"] == 38
    assert row["wholesale_price"] == 44
    assert row["days_since_last_sale"] == 1
    assert row["sale_days_share_28"] == 1
    assert row["loss_rate_pct"] == 5


def test_days_without_a_sale_are_left_out_of_means_and_remembered() -> None:
    values = [4.0] * 30 + [6.0, None, None, None]
    row = row_of(tiny_market(values), 34)
    assert row["quantity_sold"] == 6
    assert row["days_since_last_sale"] == 4
    assert row["quantity_mean_7"] == pytest.approx((4 * 3 + 6) / 4)
    assert row["sale_days_share_28"] == pytest.approx(25 / 28)


def test_closed_days_do_not_count_against_an_item() -> None:
    values = [4.0] * 30 + [None, None] + [4.0] * 2
    row = row_of(tiny_market(values, other=values), 34)
    assert row["sale_days_share_28"] == 1
    assert row["category_quantity_mean_7"] == 8


def test_what_is_not_known_is_nan_in_rows_and_null_in_requests() -> None:
    market = tiny_market([None] * 30 + [5.0, None])
    rows = forecast_rows(market, START + timedelta(days=31))
    row = rows.set_index("item_code").loc[ITEM]
    assert np.isnan(row["quantity_lag_7"])
    requests = {each["item_code"]: each for each in request_document(rows)["instances"]}
    assert requests[ITEM]["quantity_lag_7"] is None
    assert requests[OTHER]["loss_rate_pct"] is None
    assert requests[ITEM]["days_since_last_sale"] == 1
    assert type(requests[ITEM]["days_since_last_sale"]) is int


def test_an_item_never_sold_before_has_no_row() -> None:
    market = tiny_market([None] * 31 + [5.0])
    assert ITEM not in forecast_rows(market, START + timedelta(days=31))["item_code"].tolist()


def perturbed(market: Market, day: pd.Timestamp) -> Market:
    """The market with every value from a day on changed, and half of the sales gone."""
    sales, wholesale = market.sales.copy(), market.wholesale.copy()
    later = sales["date"] >= day
    sales.loc[later, ["unit_price", "quantity", "discount_share"]] = [999.0, 999.0, 0.999]
    sales = sales[~later | (np.arange(len(sales)) % 2 == 0)]
    wholesale.loc[wholesale["date"] >= day, "wholesale_price"] = 99.0
    return replace(market, sales=sales, wholesale=wholesale)


@pytest.mark.parametrize("day", ["2022-11-14", "2023-01-23", "2023-06-30"])
def test_the_future_changes_no_feature_up_to_its_first_day(market: Market, day: str) -> None:
    first = pd.Timestamp(day)
    before, after = training_rows(market), training_rows(perturbed(market, first))
    key = ["date", "item_code"]
    known = before[before["date"] <= first].set_index(key)[PAST]
    again = after[after["date"] <= first].set_index(key)[PAST]
    common = known.index.intersection(again.index)
    assert len(common) > 100
    assert (common.get_level_values("date") == first).any()
    assert_frame_equal(known.loc[common], again.loc[common], check_exact=True)


def test_the_perturbation_does_show_in_the_features_of_later_days(market: Market) -> None:
    day = pd.Timestamp("2023-01-23")
    before = training_rows(market).set_index(["date", "item_code"])
    after = training_rows(perturbed(market, day)).set_index(["date", "item_code"])
    common = before.index.intersection(after.index)
    common = common[common.get_level_values("date") > day]
    differs = (before.loc[common, PAST] != after.loc[common, PAST]).any()
    assert set(differs[~differs].index) <= {"loss_rate_pct", "days_since_last_sale"}


def test_a_request_holds_what_the_model_was_trained_on(market: Market) -> None:
    day = date(2023, 6, 30)
    trained = training_rows(market)
    trained = trained[trained["date"] == pd.Timestamp(day)].set_index("item_code")
    asked = forecast_rows(market, day).set_index("item_code")
    assert set(trained.index) <= set(asked.index)
    assert_frame_equal(asked.loc[trained.index, PAST], trained[PAST], check_exact=True)


def test_the_day_after_the_last_can_be_asked_for(market: Market) -> None:
    rows = forecast_rows(market, market.last_date + timedelta(days=1))
    assert rows["days_since_last_sale"].min() == 1


def test_training_rows_leave_the_warm_up_out(market: Market) -> None:
    first = training_rows(market)["date"].min().date()
    assert first >= market.first_date + timedelta(days=WARM_UP_DAYS)


def test_derived_columns_are_those_of_the_model_server(market: Market) -> None:
    rows = training_rows(market).tail(50)
    categories = tuple(market.items.index)
    matrix = design_matrix(rows, categories)
    assert matrix.shape == (50, len(FEATURE_NAMES))
    assert matrix.dtype == np.float64
    texts = {
        "date": [f"{day:%Y-%m-%d}" for day in rows["date"]],
        "item_code": rows["item_code"].tolist(),
    }
    for column, feature in enumerate(FEATURES):
        if feature.derive:
            values = derive(feature.derive, texts[feature.derive["source"]], categories=categories)
            np.testing.assert_array_equal(matrix[:, column], values)
