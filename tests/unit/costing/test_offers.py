from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.refusals import CloudError, NotAllowedError
from forecast_operations.costing.offers import SERVICES, SOURCE, ask_prices, make_block
from forecast_operations.costing.prices import read_prices
from forecast_operations.costing.refresh import refresh_prices

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

REGION = "ap-southeast-1"


def offer(
    service: str,
    usage_type: str,
    *tiers: tuple[str, str],
    currency: str = "USD",
    operation: str = "",
) -> dict[str, Any]:
    """A product as the price list API documents it; tiers of where they begin and their price."""
    sku = "JDZQJFUVUR8SUWHS"
    dimensions = {
        f"{sku}.JRTCKXETXF.{number}": {
            "rateCode": f"{sku}.JRTCKXETXF.{number}",
            "unit": "Hrs",
            "beginRange": begin,
            "endRange": "Inf",
            "description": f"{price} per unit",
            "appliesTo": [],
            "pricePerUnit": {currency: price},
        }
        for number, (begin, price) in enumerate(tiers)
    }
    return {
        "product": {
            "productFamily": "ML Instance",
            "attributes": {
                "servicecode": service,
                "regionCode": REGION,
                "usagetype": usage_type,
                "operation": operation,
            },
            "sku": sku,
        },
        "serviceCode": service,
        "terms": {
            "OnDemand": {
                f"{sku}.JRTCKXETXF": {
                    "sku": sku,
                    "effectiveDate": "2026-11-01T00:00:00Z",
                    "offerTermCode": "JRTCKXETXF",
                    "termAttributes": {},
                    "priceDimensions": dimensions,
                }
            }
        },
        "version": "20261101000000",
        "publicationDate": "2026-11-02T10:00:00Z",
    }


HOSTING = offer("AmazonSageMaker", "APS1-Host:ml.m5.large", ("0", "0.1440000000"))
LIST: dict[str, list[dict[str, Any]]] = {
    "AWSLambda": [
        offer("AWSLambda", "APS1-Lambda-GB-Second-ARM", ("0", "0.0000133334"), ("7500", "0.00001")),
        offer("AWSLambda", "APS1-Lambda-GB-Second", ("0", "0.0000166667")),
        offer("AWSLambda", "APS1-Request", ("0", "0.0000002")),
        offer("AWSLambda", "APS1-Request-ARM", ("0", "0.0000009")),
    ],
    "AmazonCloudWatch": [
        offer("AmazonCloudWatch", "APS1-CW:AlarmMonitorUsage", ("0", "0.1000000000")),
        offer("AmazonCloudWatch", "APS1-CW:HighResAlarmMonitorUsage", ("0", "0.3")),
        offer("AmazonCloudWatch", "APS1-CW:CompositeAlarmMonitorUsage", ("0", "0.5")),
        offer("AmazonCloudWatch", "APS1-CW:MetricMonitorUsage", ("0", "0.3"), ("10000", "0.1")),
        offer(
            "AmazonCloudWatch", "APS1-DataProcessing-Bytes", ("0", "0.7"), operation="PutLogEvents"
        ),
        offer("AmazonCloudWatch", "APS1-DataProcessing-Bytes", ("0", "0.1"), operation="Other"),
        offer("AmazonCloudWatch", "APS1-TimedStorage-ByteHrs", ("0", "0.03")),
    ],
    "AmazonS3": [
        offer("AmazonS3", "APS1-TimedStorage-ByteHrs", ("0", "0.025"), ("51200", "0.024")),
        offer("AmazonS3", "APS1-TimedStorage-SIA-ByteHrs", ("0", "0.0138")),
        offer("AmazonS3", "APS1-Requests-Tier1", ("0", "0.000005")),
    ],
    "AmazonSageMaker": [
        HOSTING,
        offer("AmazonSageMaker", "APS1-Train:ml.m5.xlarge", ("0", "0.3")),
        offer("AmazonSageMaker", "APS1-ServerlessInf:Mem-3GB", ("0", "0.0000600000")),
        offer("AmazonSageMaker", "APS1-ProvisionedConcurrency:Usage-3GB", ("0", "0.00001")),
        offer("AmazonSageMaker", "APS1-ProvisionedConcurrency:Mem-3GB", ("0", "0.00002")),
        offer("AmazonSageMaker", "APS1-Hst:Data-Bytes-Out", ("0", "0.016")),
    ],
    "AmazonStates": [
        offer("AmazonStates", "APS1-StateTransition", ("0", "0"), ("4000", "0.0000250000"))
    ],
    "AmazonVPC": [offer("AmazonVPC", "APS1-VpcEndpoint-Hours", ("0", "0.0130000000"))],
    "awskms": [
        offer("awskms", "ap-southeast-1-KMS-Keys", ("0", "1.0000000000")),
        offer("awskms", "ap-southeast-1-KMS-Requests", ("0", "0"), ("20000", "0.000003")),
        offer("awskms", "ap-southeast-1-KMS-Requests-Asymmetric", ("0", "0.000015")),
    ],
}


class Asked:
    """The price list API, stubbed; it remembers in which region it was asked."""

    def __init__(self, offers: dict[str, list[dict[str, Any]]], region: str = REGION) -> None:
        self.regions: list[str] = []
        self._client = boto3.client("pricing", region_name="us-east-1")
        stub = Stubber(self._client)
        for service in SERVICES:
            request = {
                "ServiceCode": service,
                "Filters": [{"Type": "TERM_MATCH", "Field": "regionCode", "Value": region}],
            }
            first, rest = offers.get(service, [])[:1], offers.get(service, [])[1:]
            page: dict[str, Any] = {"PriceList": [json.dumps(each) for each in first]}
            if rest:
                page["NextToken"] = "more"
            stub.add_response("get_products", page, request)
            if rest:
                page = {"PriceList": [json.dumps(each) for each in rest]}
                stub.add_response("get_products", page, {**request, "NextToken": "more"})
        stub.activate()

    def __call__(self, region: str) -> Cloud:
        self.regions.append(region)
        return Cloud(region, clients={"pricing": self._client})


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def say(_: str) -> None:
    """Nothing."""


def refused(code: str, service: Sequence[str] = ()) -> Any:
    client = boto3.client("pricing", region_name="us-east-1")
    stub = Stubber(client)
    for _ in service:
        stub.add_response("get_products", {"PriceList": []})
    stub.add_client_error("get_products", code, "no")
    stub.activate()
    return lambda region: Cloud(region, clients={"pricing": client})


def test_a_region_is_read_from_its_offers() -> None:
    asked = Asked(LIST)

    block = ask_prices(REGION, say, asked)

    assert asked.regions == ["us-east-1"]
    assert (block.region, block.currency, block.date, block.source) == (
        REGION,
        "USD",
        "2026-11-02",
        SOURCE,
    )
    assert block.hosting == {"ml.m5.large": 0.144}
    assert (block.serverless, block.warm, block.warm_work) == (
        {"3072": 6e-5},
        {"3072": 1e-5},
        {"3072": 2e-5},
    )
    assert block.rates == {
        "alarm_composite_month": 0.5,
        "alarm_high_resolution_metric_month": 0.3,
        "alarm_standard_metric_month": 0.1,
        "hosting_data_gb": 0.016,
        "interface_endpoint_hour": 0.013,
        "key_month": 1.0,
        "key_request_10000": 0.03,
        "lambda_arm_gb_second": 0.0000133334,
        "lambda_gb_second": 0.0000166667,
        "lambda_request_million": 0.2,
        "logs_ingested_gb": 0.7,
        "logs_stored_gb_month": 0.03,
        "metric_month": 0.3,
        "s3_put_1000": 0.005,
        "s3_standard_gb_month": 0.025,
        "state_transition_1000": 0.025,
    }


def test_usage_types_of_the_first_region_have_no_prefix() -> None:
    block = make_block(
        "us-east-1",
        [HOSTING, offer("AmazonCloudWatch", "CW:AlarmMonitorUsage", ("0", "0.1"))],
    )

    assert block.rates == {"alarm_standard_metric_month": 0.1}


def test_the_same_usage_type_of_another_service_is_another_price() -> None:
    block = make_block(
        REGION, [HOSTING, offer("AmazonECR", "APS1-TimedStorage-ByteHrs", ("0", "0.1"))]
    )

    assert block.rates == {}


def test_china_is_asked_in_china_and_answers_in_yuan() -> None:
    yuan = offer("AmazonSageMaker", "CNN1-Host:ml.m5.large", ("0", "1.5"), currency="CNY")
    asked = Asked({"AmazonSageMaker": [yuan]}, "cn-north-1")

    block = ask_prices("cn-north-1", say, asked)

    assert asked.regions == ["cn-northwest-1"]
    assert (block.currency, block.hosting) == ("CNY", {"ml.m5.large": 1.5})


def test_a_price_in_the_wrong_currency_is_not_taken() -> None:
    dollars = offer("AmazonSageMaker", "CNN1-Host:ml.m5.large", ("0", "1.5"))

    with pytest.raises(ForecastError, match="names no hosting instances in cn-north-1"):
        make_block("cn-north-1", [dollars])


def test_a_partition_without_a_price_list_is_refused_before_any_call() -> None:
    with pytest.raises(ForecastError, match="no price list API that credentials of us-gov-west-1"):
        ask_prices("us-gov-west-1", say, pytest.fail)


@pytest.mark.parametrize("item", ["no json", "[]", "{}", '{"product": {}}'])
def test_something_else_than_a_product_is_refused(item: str) -> None:
    client = boto3.client("pricing", region_name="us-east-1")
    stub = Stubber(client)
    stub.add_response("get_products", {"PriceList": [item]})
    stub.activate()

    with pytest.raises(ForecastError, match="expected a product of the AWS price list, got"):
        ask_prices(REGION, say, lambda region: Cloud(region, clients={"pricing": client}))


def test_a_missing_permission_is_named() -> None:
    with pytest.raises(NotAllowedError) as error:
        ask_prices(REGION, say, refused("AccessDeniedException"))

    assert error.value.permission == "pricing:GetProducts"


def test_refreshed_prices_go_before_the_packaged_ones(tmp_path: Path) -> None:
    config = tmp_path / "forecast.yaml"

    path = refresh_prices(config, [REGION, REGION], say, Asked(LIST))

    prices = read_prices(config)
    assert path == tmp_path / "prices.json"
    assert (prices.date, prices.rate(REGION, "alarm_composite_month")) == ("2026-11-02", 0.5)
    assert prices.rate(REGION, "dashboard_month") == 3.0
    assert prices.instance_hour("us-east-1", "ml.m5.large") == 0.115


def test_regions_that_are_not_asked_for_keep_their_prices(tmp_path: Path) -> None:
    config = tmp_path / "forecast.yaml"
    yuan = offer("AmazonSageMaker", "CNN1-Host:ml.m5.large", ("0", "1.5"), currency="CNY")
    refresh_prices(config, ["cn-north-1"], say, Asked({"AmazonSageMaker": [yuan]}, "cn-north-1"))

    refresh_prices(config, [REGION], say, Asked(LIST))
    refresh_prices(config, [REGION], say, Asked(LIST))

    regions = [
        block["region"] for block in json.loads((tmp_path / "prices.json").read_text())["blocks"]
    ]
    assert regions == ["cn-north-1", REGION]


def test_a_refresh_that_fails_half_way_leaves_the_file_alone(tmp_path: Path) -> None:
    config = tmp_path / "forecast.yaml"
    refresh_prices(config, [REGION], say, Asked(LIST))
    before = (tmp_path / "prices.json").read_bytes()

    with pytest.raises(CloudError):
        refresh_prices(config, [REGION], say, refused("ThrottlingException", SERVICES[:3]))

    assert (tmp_path / "prices.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["prices.json"]


def test_a_file_that_is_no_price_list_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_text("{}", encoding="utf-8")

    with pytest.raises(ForecastError, match="expected a price list"):
        refresh_prices(tmp_path / "forecast.yaml", [REGION], say, Asked(LIST))
