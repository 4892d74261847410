from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import pytest

from forecast_config import ForecastError
from forecast_config.instances import known_instance_types
from forecast_operations.costing.offers import RATES
from forecast_operations.costing.prices import PriceBlock, Prices, Rate, read_prices

if TYPE_CHECKING:
    from pathlib import Path

BLOCK: dict[str, Any] = {
    "region": "ap-southeast-1",
    "currency": "USD",
    "date": "2026-11-01",
    "source": "AWS",
    "hosting": {"ml.m5.large": 9.0},
}


def write(folder: Path, *blocks: dict[str, Any]) -> Path:
    document = {"date": "2026-11-01", "source": "AWS price list API", "blocks": blocks}
    (folder / "prices.json").write_text(json.dumps(document), encoding="utf-8")
    return folder / "forecast.yaml"


@pytest.mark.parametrize(
    ("region", "m5", "c6g"),
    [
        ("us-east-1", 0.115, 0.0816),
        ("us-west-2", 0.115, 0.0816),
        ("eu-central-1", 0.138, 0.09312),
        ("ap-northeast-1", 0.149, 0.10272),
    ],
)
def test_packaged_prices_are_those_of_a_second_copy_of_the_list(
    region: str, m5: float, c6g: float
) -> None:
    # github.com/catchmeif404/aws-cost-calculator, fetched from AWS 19 days before ours.
    prices = read_prices()

    assert prices.instance_hour(region, "ml.m5.large") == m5
    assert prices.instance_hour(region, "ml.c6g.large") == c6g


def test_packaged_prices_are_of_types_that_exist() -> None:
    priced = {name for block in read_prices().blocks for name in block.hosting}

    assert priced <= set(known_instance_types())


def test_larger_sizes_of_a_family_cost_about_twice_as_much() -> None:
    # A digit that was mistyped is no factor of two.
    for block in read_prices().blocks:
        for name, price in block.hosting.items():
            family, _, size = name.rpartition(".")
            twice = {"large": "xlarge", "xlarge": "2xlarge", "2xlarge": "4xlarge"}.get(size)
            larger = block.hosting.get(f"{family}.{twice}")
            assert larger is None or larger / price == pytest.approx(2, rel=0.02), (
                block.region,
                name,
            )


def test_what_no_source_names_is_unknown() -> None:
    prices = read_prices()

    assert prices.instance_hour("ap-southeast-1", "ml.t3.medium") is None
    assert prices.instance_hour("cn-north-1", "ml.m5.large") is None
    assert prices.rate("eu-west-1", "key_month") is None
    assert prices.warm_second("us-east-1", 3072) is None


def test_china_is_billed_in_yuan_whatever_is_known_of_it() -> None:
    assert read_prices().currency("cn-northwest-1") == "CNY"
    assert read_prices().currency("us-gov-west-1") == "USD"


def test_a_price_in_another_currency_than_the_region_is_billed_in_is_none() -> None:
    block = PriceBlock(
        region="cn-north-1",
        currency="USD",
        date="2026-11-01",
        source="x",
        hosting={"ml.m5.large": 1},
    )

    prices = Prices(date="2026-11-01", source="x", blocks=(block,))

    assert prices.instance_hour("cn-north-1", "ml.m5.large") is None


def test_the_file_beside_the_configuration_goes_first_where_it_has_a_price(tmp_path: Path) -> None:
    prices = read_prices(write(tmp_path, BLOCK))

    assert prices.instance_hour("ap-southeast-1", "ml.m5.large") == 9.0
    assert prices.instance_hour("ap-southeast-1", "ml.m5.xlarge") == 0.288
    assert prices.date == "2026-11-01"
    assert prices.source.startswith("AWS price list API (2026-11-01); where it has none: ")
    assert prices.sources("ap-southeast-1")[0] == "2026-11-01: AWS"


def test_prices_are_as_old_as_the_oldest_that_counts_in_the_region(tmp_path: Path) -> None:
    packaged = read_prices()
    newer = {**BLOCK, "rates": {"metric_month": 0.3}}
    every = {
        table: {
            key: 1.0
            for block in packaged.blocks
            if block.region == "ap-southeast-1"
            for key in getattr(block, table)
        }
        for table in ("hosting", "serverless", "rates")
    }

    assert packaged.priced_at("ap-southeast-1") == "2026-03-26"
    assert packaged.priced_at("ap-east-1") == "2026-09-22"
    assert packaged.priced_at("cn-north-1") is None
    assert all("eu-west-1" not in each for each in packaged.sources("ap-southeast-1"))
    assert read_prices(write(tmp_path, newer)).priced_at("ap-southeast-1") != "2026-11-01"
    anew = read_prices(write(tmp_path, {**BLOCK, **every}))
    assert anew.priced_at("ap-southeast-1") == "2026-11-01"
    assert anew.sources("ap-southeast-1") == ("2026-11-01: AWS",)


def test_without_such_a_file_the_packaged_prices_count(tmp_path: Path) -> None:
    assert read_prices(tmp_path / "forecast.yaml") == read_prices()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"hosting": {"ml.m5.large": -1.0}}, "blocks.0.hosting.ml.m5.large"),
        ({"hosting": {"ml.m5.large": "0.1"}}, "blocks.0.hosting.ml.m5.large"),
        ({"currency": "EUR"}, "blocks.0.currency"),
        ({"date": "yesterday"}, "blocks.0.date"),
        ({"source": ""}, "blocks.0.source"),
        ({"rates": {"alarms": 0.1}}, "blocks.0.rates.alarms"),
        ({"comment": "mine"}, "blocks.0.comment"),
    ],
)
def test_a_broken_file_is_refused_by_its_place(
    tmp_path: Path, change: dict[str, Any], place: str
) -> None:
    config = write(tmp_path, {**BLOCK, **change})

    with pytest.raises(ForecastError) as refused:
        read_prices(config)

    assert f"{tmp_path / 'prices.json'}: expected a price list, got one with {place}" in str(
        refused.value
    )
    assert "forecast cost --refresh-prices" in str(refused.value)


def test_no_json_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_text("{", encoding="utf-8")

    with pytest.raises(ForecastError, match="expected a price list, got one with the document"):
        read_prices(tmp_path / "forecast.yaml")


def test_every_rate_can_be_refreshed_but_that_of_a_dashboard() -> None:
    assert set(get_args(Rate)) - set(RATES) == {"dashboard_month"}
