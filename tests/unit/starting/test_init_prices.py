"""What the instances of a new project cost, and which are offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_operations.starting import prices

if TYPE_CHECKING:
    import pytest


class _Prices:
    def priced_at(self, _: str) -> str:
        return "2026-10-01"

    def instance_hour(self, region: str, instance_type: str) -> float | None:
        return 0.5 if (region, instance_type) == ("eu-central-1", "ml.c5.large") else None

    def currency(self, region: str) -> str:
        return "CNY" if region.startswith("cn-") else "USD"


def test_a_price_that_is_not_known_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "read_prices", _Prices)

    known = prices.price_sentence("eu-central-1", "ml.c5.large")
    unknown = prices.price_sentence("eu-central-1", "ml.m5.large")

    assert known == (
        "ml.c5.large in eu-central-1: $0.500 an hour, $365 a month (prices of 2026-10-01)"
    )
    assert unknown == (
        "the price of ml.m5.large in eu-central-1 is unknown here (prices of 2026-10-01)"
    )


def test_types_that_cannot_scale_are_offered_to_none_that_should(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prices, "read_prices", _Prices)

    def offered(*, scaling: bool) -> list[str]:
        table = prices.table_of("eu-central-1", scaling=scaling)
        rows = tuple(table.columns[1].cells)
        assert rows == prices.offered(scaling=scaling)
        assert list(table.columns[0].cells) == [str(row + 1) for row in range(len(rows))]
        return list(rows)

    assert "ml.t2.medium" in offered(scaling=False)
    assert offered(scaling=True) == [
        name for name in offered(scaling=False) if name != "ml.t2.medium"
    ]
