"""A market as clean tables, free of the traps that the original files hold."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from produce_market.errors import DataError
from produce_market.layout import MarketTables

WHOLESALE_PLACEHOLDER_RMB = 0.01
"""What the market's bookkeeping writes for "no price"."""
WHOLESALE_LIMIT_RMB = 100.0
"""Above it a wholesale price is a slip of the keyboard: no vegetable here costs as much."""


@dataclass(frozen=True)
class Market:
    """Clean tables of a market, each sorted, with one row per key.

    Attributes:
        items: By item code (text): `item_name`, `category_code`, `loss_rate_pct` (may be NaN).
        sales: Days with a sale: `date`, `item_code`, `unit_price` (RMB/kg, weighted by quantity),
            `quantity` (kg net of returns, never negative), `discount_share` (of the quantity).
        wholesale: `date`, `item_code`, `wholesale_price` (RMB/kg).
    """

    items: pd.DataFrame
    sales: pd.DataFrame
    wholesale: pd.DataFrame

    @classmethod
    def from_tables(cls, tables: MarketTables) -> "Market":
        """The market of tables in the original layout.

        Returns alone have no price, so such days are no sales; placeholders and slips are no
        wholesale prices.

        Raises:
            DataError: No sale is left, or a sale is of an item that the item table lacks.
        """
        items = _clean_items(tables)
        sales = _clean_sales(tables.daily)
        if sales.empty:
            raise DataError("the daily table holds no sale with a price, expected at least one")
        unknown = sorted(set(sales["item_code"]) - set(items.index))
        if unknown:
            raise DataError(f"item {unknown[0]} was sold but is not in the item table")
        return cls(items=items, sales=sales, wholesale=_clean_wholesale(tables.wholesale))

    @property
    def first_date(self) -> date:
        """The first day with a sale."""
        return self.sales["date"].min().date()

    @property
    def last_date(self) -> date:
        """The last day with a sale."""
        return self.sales["date"].max().date()

    def before(self, day: date) -> "Market":
        """What was known of the market on the evening before a day."""
        limit = pd.Timestamp(day)
        return replace(
            self,
            sales=self.sales[self.sales["date"] < limit],
            wholesale=self.wholesale[self.wholesale["date"] < limit],
        )

    def digest(self) -> str:
        """`sha256:` and the hex digest of everything a model can learn from these tables."""
        state = hashlib.sha256()
        for table in (self.items.reset_index(), self.sales, self.wholesale):
            for name in table.columns:
                state.update(f"{name}\n".encode())
                state.update(_canonical_bytes(table[name]))
        return f"sha256:{state.hexdigest()}"


def _clean_items(tables: MarketTables) -> pd.DataFrame:
    items = pd.DataFrame(
        {
            "item_code": tables.items["Item Code"].astype(str),
            "item_name": tables.items["Item Name"].astype(str),
            "category_code": tables.items["Category Code"].astype(str),
        }
    ).drop_duplicates("item_code")
    losses = tables.losses.assign(code=tables.losses["Item Code"].astype(str))
    losses = losses.drop_duplicates("code").set_index("code")["Loss Rate (%)"]
    items["loss_rate_pct"] = items["item_code"].map(losses).astype("float64")
    return items.sort_values(["category_code", "item_code"]).set_index("item_code")


def _clean_sales(daily: pd.DataFrame) -> pd.DataFrame:
    sales = pd.DataFrame(
        {
            "date": pd.to_datetime(daily["date"]).astype("datetime64[s]"),
            "item_code": daily["item_code"].astype(str),
            "unit_price": daily["wavg_unit_price"].astype("float64"),
            "quantity": daily["qty_net_kg"].astype("float64").clip(lower=0.0),
            "discount_share": daily["discount_qty_share"].astype("float64"),
        }
    )
    return _sorted(sales[sales["unit_price"] > 0])


def _clean_wholesale(table: pd.DataFrame) -> pd.DataFrame:
    wholesale = pd.DataFrame(
        {
            "date": pd.to_datetime(table["Date"]).astype("datetime64[s]"),
            "item_code": table["Item Code"].astype(str),
            "wholesale_price": table["Wholesale Price (RMB/kg)"].astype("float64"),
        }
    )
    price = wholesale["wholesale_price"]
    real = (price > WHOLESALE_PLACEHOLDER_RMB) & (price <= WHOLESALE_LIMIT_RMB)
    return _sorted(wholesale[real])


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    table = table.drop_duplicates(["date", "item_code"], keep="last")
    return table.sort_values(["date", "item_code"], ignore_index=True)


def _canonical_bytes(column: pd.Series) -> bytes:
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.astype("int64").to_numpy("<i8").tobytes()
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy("<f8").tobytes()
    return "\n".join(column.astype(str)).encode() + np.int64(len(column)).tobytes()
