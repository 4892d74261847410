"""AWS's price list as its API gives it: which products are ours, and what they cost.

The API is asked rather than the bulk files: it takes filters, credentials and endpoints as every
other call does, and a region's bulk file of some services has hundreds of megabytes. It is served
in a few regions only, and China has one of its own (AWS Billing user guide, "Finding services and
products using the AWS Price List Query API").
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError
from forecast_config.regions import partition_of
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.costing.prices import Currency, PriceBlock, Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_API_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-northwest-1"}
"""Region whose price list API knows the regions of a partition (AWS general reference)."""

SOURCE = "AWS price list API (pricing:GetProducts)"

_HOSTING = re.compile(r"(?:^|-)Host:(ml\.[\w-]+\.[\w-]+)$")
_SERVERLESS = re.compile(r"(?:^|-)ServerlessInf:Mem-(\d+)GB$")
_WARM = re.compile(r"(?:^|-)ProvisionedConcurrency:Usage-(\d+)GB$")
_WARM_WORK = re.compile(r"(?:^|-)ProvisionedConcurrency:Mem-(\d+)GB$")
_MIB_A_GB = 1024
_DATE_CHARACTERS = 10


@dataclass(frozen=True)
class _Wanted:
    """A product, by its service and the end of its usage type; and units in that of our rate."""

    service: str
    usage_type: str
    units: int = 1
    operation: str | None = None


RATES: dict[Rate, _Wanted] = {
    "alarm_composite_month": _Wanted("AmazonCloudWatch", "CW:CompositeAlarmMonitorUsage"),
    "alarm_high_resolution_metric_month": _Wanted(
        "AmazonCloudWatch", "CW:HighResAlarmMonitorUsage"
    ),
    "alarm_standard_metric_month": _Wanted("AmazonCloudWatch", "CW:AlarmMonitorUsage"),
    "hosting_data_gb": _Wanted("AmazonSageMaker", "Hst:Data-Bytes-Out"),
    "hosting_volume_gb_month": _Wanted("AmazonSageMaker", "Host:VolumeUsage.gp2"),
    "interface_endpoint_gb": _Wanted("AmazonVPC", "VpcEndpoint-Bytes"),
    "interface_endpoint_hour": _Wanted("AmazonVPC", "VpcEndpoint-Hours"),
    "key_month": _Wanted("awskms", "KMS-Keys"),
    "key_request_10000": _Wanted("awskms", "KMS-Requests", 10_000),
    "lambda_arm_gb_second": _Wanted("AWSLambda", "Lambda-GB-Second-ARM"),
    "lambda_gb_second": _Wanted("AWSLambda", "Lambda-GB-Second"),
    "lambda_request_million": _Wanted("AWSLambda", "Request", 1_000_000),
    "logs_ingested_gb": _Wanted(
        "AmazonCloudWatch", "DataProcessing-Bytes", operation="PutLogEvents"
    ),
    "logs_stored_gb_month": _Wanted("AmazonCloudWatch", "TimedStorage-ByteHrs"),
    "metric_month": _Wanted("AmazonCloudWatch", "CW:MetricMonitorUsage"),
    "s3_get_1000": _Wanted("AmazonS3", "Requests-Tier2", 1000),
    "s3_put_1000": _Wanted("AmazonS3", "Requests-Tier1", 1000),
    "s3_standard_gb_month": _Wanted("AmazonS3", "TimedStorage-ByteHrs"),
    "state_transition_1000": _Wanted("AmazonStates", "StateTransition", 1000),
}
"""Rates in the price list by their usage types, which carry the region before a hyphen. A dashboard
is in no offer: its price stays that of the packaged list."""

SERVICES = sorted({wanted.service for wanted in RATES.values()})
"""Services whose offers are read."""


def ask_prices(
    region: str,
    say: Callable[[str], None],
    cloud_in: Callable[[str], Cloud] = Cloud,
) -> PriceBlock:
    """What AWS asks in a region now.

    Args:
        region: The region whose prices are wanted.
        say: Told which offer is read.
        cloud_in: Makes the AWS that is asked.

    Raises:
        NotAllowedError: The credentials may not ask.
        CloudError: AWS refuses, or nobody answers.
        ForecastError: There is no price list for the region, or it is not as expected.
    """
    api = _API_REGIONS.get(partition_of(region))
    if api is None:
        raise ForecastError(f"AWS has no price list API that credentials of {region} can ask")
    cloud = cloud_in(api)
    offers: list[dict[str, Any]] = []
    for service in SERVICES:
        say(f"prices of {service} in {region}")
        offers += [
            _read(item)
            for item in cloud.pages(
                "pricing",
                "get_products",
                "PriceList",
                ServiceCode=service,
                Filters=[{"Type": "TERM_MATCH", "Field": "regionCode", "Value": region}],
            )
        ]
    return make_block(region, offers)


def make_block(region: str, offers: Iterable[dict[str, Any]]) -> PriceBlock:
    """The prices of a region from documents of the price list.

    Raises:
        ForecastError: None of them is of an instance that hosts.
    """
    currency: Currency = "CNY" if partition_of(region) == "aws-cn" else "USD"
    tables: dict[str, dict[str, float]] = {
        name: {} for name in ("hosting", "serverless", "warm", "warm_work")
    }
    rates: dict[Rate, float] = {}
    dates = []
    for offer in offers:
        price = _first_paid(offer, currency)
        if price is None:
            continue
        dates.append(str(offer.get("publicationDate", ""))[:_DATE_CHARACTERS])
        _sort_in(offer, price, tables, rates)
    if not tables["hosting"]:
        raise ForecastError(
            f"the price list names no hosting instances in {region}; nothing was written"
        )
    return PriceBlock(
        region=region,
        currency=currency,
        date=max(dates),
        source=SOURCE,
        **{name: dict(sorted(table.items())) for name, table in tables.items()},
        rates=dict(sorted(rates.items())),
    )


def _sort_in(
    offer: dict[str, Any],
    price: float,
    tables: dict[str, dict[str, float]],
    rates: dict[Rate, float],
) -> None:
    attributes = offer["product"].get("attributes", {})
    usage_type = str(attributes.get("usagetype", ""))
    if found := _HOSTING.search(usage_type):
        tables["hosting"][found[1]] = price
        return
    for name, pattern in (("serverless", _SERVERLESS), ("warm", _WARM), ("warm_work", _WARM_WORK)):
        if found := pattern.search(usage_type):
            tables[name][str(int(found[1]) * _MIB_A_GB)] = price
            return
    for rate, wanted in RATES.items():
        if offer.get("serviceCode") == wanted.service and _is(wanted, usage_type, attributes):
            rates[rate] = round(price * wanted.units, 10)


def _is(wanted: _Wanted, usage_type: str, attributes: dict[str, Any]) -> bool:
    operation = attributes.get("operation")
    if wanted.operation is not None and operation != wanted.operation:
        return False
    return usage_type == wanted.usage_type or usage_type.endswith(f"-{wanted.usage_type}")


def _first_paid(offer: dict[str, Any], currency: Currency) -> float | None:
    """Price of the first unit that is not free; what a free tier spares belongs to the account."""
    dimensions = [
        dimension
        for term in offer.get("terms", {}).get("OnDemand", {}).values()
        for dimension in term.get("priceDimensions", {}).values()
    ]
    paid = [
        (float(dimension.get("beginRange", 0)), float(dimension["pricePerUnit"][currency]))
        for dimension in dimensions
        if float(dimension.get("pricePerUnit", {}).get(currency, 0)) > 0
    ]
    return min(paid)[1] if paid else None


def _read(item: Any) -> dict[str, Any]:
    try:
        document = json.loads(item) if isinstance(item, str) else item
        document["product"]["attributes"]
    except (ValueError, KeyError, TypeError):
        raise ForecastError(
            f"expected a product of the AWS price list, got {str(item)[:80]!r}"
        ) from None
    return dict(document)
