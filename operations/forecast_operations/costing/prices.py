"""The price list: what AWS asks for what this project deploys, by region, with dates and sources.

Prices come from files, never from the network: the packaged one, and over it the `prices.json`
beside the configuration, which `forecast cost --refresh-prices` writes. What stands in neither is
unknown: no price is derived from that of another region or another size.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from forecast_config import ForecastError
from forecast_config.regions import partition_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME = "prices.json"
"""File of a project's own prices, beside its configuration."""

Currency = Literal["USD", "CNY"]

Rate = Literal[
    "alarm_composite_month",
    "alarm_high_resolution_metric_month",
    "alarm_standard_metric_month",
    "dashboard_month",
    "hosting_data_gb",
    "hosting_volume_gb_month",
    "interface_endpoint_gb",
    "interface_endpoint_hour",
    "key_month",
    "key_request_10000",
    "lambda_arm_gb_second",
    "lambda_gb_second",
    "lambda_request_million",
    "logs_ingested_gb",
    "logs_stored_gb_month",
    "metric_month",
    "s3_get_1000",
    "s3_put_1000",
    "s3_standard_gb_month",
    "state_transition_1000",
]
"""What is priced besides capacity; the name ends with what the price is of."""

_CURRENCIES: dict[str, Currency] = {"aws-cn": "CNY"}
"""Currencies of partitions that are not billed in US dollars (Amazon Web Services in China,
"Pricing": yuan, billed by the operators of the two regions)."""

_TABLES = ("hosting", "serverless", "warm", "warm_work", "rates")

_DATE = r"^\d{4}-\d{2}-\d{2}$"
_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Date = Annotated[str, Field(pattern=_DATE)]
_Source = Annotated[str, Field(min_length=1)]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PriceBlock(_Document):
    """Prices of one region from one source.

    Attributes:
        region: The region.
        currency: Currency of all of them.
        date: Day that they were published, or read.
        source: Where they are from.
        hosting: An hour of an instance that hosts, by its type.
        serverless: A second of a serverless container at work, by its memory in MiB.
        warm: A second of one unit of provisioned concurrency, by memory in MiB.
        warm_work: A second of work in provisioned concurrency, by memory in MiB.
        rates: Everything else.
    """

    region: _Source
    currency: Currency
    date: _Date
    source: _Source
    hosting: dict[str, _Amount] = Field(default_factory=dict)
    serverless: dict[str, _Amount] = Field(default_factory=dict)
    warm: dict[str, _Amount] = Field(default_factory=dict)
    warm_work: dict[str, _Amount] = Field(default_factory=dict)
    rates: dict[Rate, _Amount] = Field(default_factory=dict)


class Prices(_Document):
    """A price list; of two blocks with the same price, the later one counts.

    Attributes:
        date: Day of the newest of its prices, of whatever region; see `priced_at`.
        source: Where they are from, in one sentence.
        blocks: The prices.
    """

    date: _Date
    source: _Source
    blocks: tuple[PriceBlock, ...]

    def instance_hour(self, region: str, instance_type: str) -> float | None:
        """Price of an hour of an instance that hosts; None when it is not known."""
        return self._find(region, "hosting", instance_type)

    def serverless_second(self, region: str, memory_mib: int) -> float | None:
        """Price of a second that a serverless container works; None when it is not known."""
        return self._find(region, "serverless", str(memory_mib))

    def warm_second(self, region: str, memory_mib: int) -> float | None:
        """Price of a second that capacity for one request is kept warm; None when unknown."""
        return self._find(region, "warm", str(memory_mib))

    def warm_work_second(self, region: str, memory_mib: int) -> float | None:
        """Price of a second that warm capacity works; None when it is not known."""
        return self._find(region, "warm_work", str(memory_mib))

    def rate(self, region: str, name: Rate) -> float | None:
        """A price in the unit that its name ends with; None when it is not known."""
        return self._find(region, "rates", name)

    def currency(self, region: str) -> Currency:
        """Currency that a region is billed in."""
        return _CURRENCIES.get(partition_of(region), "USD")

    def priced_at(self, region: str) -> str | None:
        """Day of the oldest of the prices that count in a region; None where none is known."""
        return min((block.date for block in self._used(region)), default=None)

    def sources(self, region: str) -> tuple[str, ...]:
        """Dates and sources of the prices that count in a region, the newest first."""
        known = {f"{block.date}: {block.source}" for block in self._used(region)}
        return tuple(sorted(known, reverse=True))

    def _used(self, region: str) -> Iterator[PriceBlock]:
        """The blocks of a region with a price that no later one takes the place of."""
        later: set[tuple[str, str]] = set()
        for block in reversed(list(self._of(region))):
            if block.currency != self.currency(region):
                continue
            own = {(table, key) for table in _TABLES for key in getattr(block, table)}
            if own - later:
                yield block
            later |= own

    def _of(self, region: str) -> Iterator[PriceBlock]:
        return (block for block in self.blocks if block.region == region)

    def _find(self, region: str, table: str, key: str) -> float | None:
        found: float | None = None
        for block in self._of(region):
            if block.currency == self.currency(region):
                found = getattr(block, table).get(key, found)
        return found


def read_prices(config: Path | None = None) -> Prices:
    """The price list that is packaged, with a project's own prices over it.

    Args:
        config: A configuration file; `prices.json` beside it goes first where it has a price.

    Raises:
        ForecastError: The project's own file is none.
    """
    own = None if config is None else config.resolve().parent / FILE_NAME
    if own is None or not own.is_file():
        return _packaged()
    return laid_over(_packaged(), parse_prices(own.read_text(encoding="utf-8"), str(own)))


def parse_prices(text: str, name: str) -> Prices:
    """A price list from its JSON.

    Raises:
        ForecastError: It is none.
    """
    try:
        return Prices.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the document"
        raise ForecastError(
            f"{name}: expected a price list, got one with {place}: {first['msg'].lower()}; write "
            "it anew with: forecast cost --refresh-prices"
        ) from None


def laid_over(below: Prices, above: Prices) -> Prices:
    """Two price lists as one, of which the second goes first."""
    return Prices(
        date=max(below.date, above.date),
        source=f"{above.source} ({above.date}); where it has none: {below.source}",
        blocks=(*below.blocks, *above.blocks),
    )


@cache
def _packaged() -> Prices:
    packaged = files("forecast_operations.costing").joinpath("prices.json")
    return parse_prices(packaged.read_text("utf-8"), "the packaged price list")
