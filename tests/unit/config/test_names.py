from __future__ import annotations

import pytest

from forecast_config import names
from forecast_config.images import registry_accounts
from forecast_config.regions import partition_of


def test_a_name_within_the_limit_stays_as_it_is() -> None:
    assert names.bounded("produce-forecast-prod", 63) == "produce-forecast-prod"


def test_cut_names_stay_apart_and_within_the_limit() -> None:
    first, second = (names.bounded("a" * 70 + end, 63) for end in "xy")

    assert len(first) == len(second) == 63
    assert first != second


@pytest.mark.parametrize("variant", ["AllTraffic", "V" * 63])
def test_a_challenger_s_variant_is_named_after_the_champion_s(variant: str) -> None:
    name = names.challenger_variant(variant)

    assert name != variant
    assert len(name) <= 63
    assert names.challenger_variant("AllTraffic") == "AllTraffic-challenger"


@pytest.mark.parametrize("region", registry_accounts())
def test_the_bucket_name_fits_in_every_region(region: str) -> None:
    name = names.artifact_bucket("E" * 63, "1" * 12, region)

    assert len(name) <= 63
    assert name == name.lower()


def test_two_long_endpoints_have_two_buckets() -> None:
    one, two = (
        names.artifact_bucket(f"{'e' * 60}-{end}", "${AWS::AccountId}", "${AWS::Region}")
        for end in ("a", "b")
    )

    assert one != two
    assert one.endswith("-${AWS::AccountId}-${AWS::Region}")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [("dev", "ForecastDev"), ("prod-eu", "ForecastProdEu"), ("prod2", "ForecastProd2")],
)
def test_stacks_are_named_after_their_environment(environment: str, expected: str) -> None:
    assert names.stack("Forecast", environment) == expected
    assert names.stack("Forecast", environment, "Artifacts") == f"{expected}Artifacts"


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-central-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_a_region_belongs_to_its_partition(region: str, partition: str) -> None:
    assert partition_of(region) == partition
