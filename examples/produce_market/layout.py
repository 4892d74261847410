"""The market's files in their original layout: what they are called and what they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from produce_market.errors import DataError

ITEMS_FILE = "annex1.csv"
TRANSACTIONS_FILE = "annex2.csv"
WHOLESALE_FILE = "annex3.csv"
LOSSES_FILE = "annex4.csv"
DAILY_FILES = ("supermarket_cn_daily.csv.gz", "supermarket_cn_daily.parquet")

ITEM_COLUMNS = ("Item Code", "Item Name", "Category Code", "Category Name")
WHOLESALE_COLUMNS = ("Date", "Item Code", "Wholesale Price (RMB/kg)")
LOSS_COLUMNS = ("Item Code", "Item Name", "Loss Rate (%)")
TRANSACTION_COLUMNS = (
    "Date",
    "Item Code",
    "Quantity Sold (kilo)",
    "Unit Selling Price (RMB/kg)",
    "Sale or Return",
    "Discount (Yes/No)",
)
DAILY_COLUMNS = (
    "date",
    "item_code",
    "n_sales",
    "qty_sold_kg",
    "qty_returned_kg",
    "qty_net_kg",
    "wavg_unit_price",
    "discount_qty_share",
)


@dataclass(frozen=True)
class MarketTables:
    """The market's tables with their original column names.

    Attributes:
        items: One row per item, `ITEM_COLUMNS`.
        wholesale: One row per item and day with a wholesale price, `WHOLESALE_COLUMNS`.
        losses: One row per item, `LOSS_COLUMNS`.
        daily: One row per item and day with a sale or a return, at least `DAILY_COLUMNS`.
    """

    items: pd.DataFrame
    wholesale: pd.DataFrame
    losses: pd.DataFrame
    daily: pd.DataFrame


def read_tables(folder: Path) -> MarketTables:
    """The tables of a folder in the original layout.

    The daily table is read when there is one; otherwise the full transaction file is aggregated.

    Args:
        folder: Holds annex1.csv, annex3.csv, annex4.csv and one of supermarket_cn_daily.csv.gz,
            supermarket_cn_daily.parquet or annex2.csv.

    Raises:
        DataError: A file, a column or a number in it is missing or malformed.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder, expected one that holds {ITEMS_FILE}")
    return MarketTables(
        items=_read_csv(folder / ITEMS_FILE, ITEM_COLUMNS),
        wholesale=_read_csv(folder / WHOLESALE_FILE, WHOLESALE_COLUMNS, numbers=(2,), dates=(0,)),
        losses=_read_csv(folder / LOSSES_FILE, LOSS_COLUMNS, numbers=(2,)),
        daily=_read_daily(folder),
    )


def write_tables(tables: MarketTables, folder: Path) -> None:
    """Write the tables into a folder, in the layout that `read_tables` takes."""
    folder.mkdir(parents=True, exist_ok=True)
    tables.items.to_csv(folder / ITEMS_FILE, index=False)
    tables.wholesale.to_csv(folder / WHOLESALE_FILE, index=False)
    tables.losses.to_csv(folder / LOSSES_FILE, index=False)
    tables.daily.to_csv(folder / DAILY_FILES[0], index=False)


def aggregate_transactions(transactions: pd.DataFrame) -> pd.DataFrame:
    """The daily table of a transaction file.

    Prices and discount shares come from sales alone; a day with only returns has neither.

    Args:
        transactions: `TRANSACTION_COLUMNS`; returns have a negative quantity.

    Returns:
        `DAILY_COLUMNS`, ordered by date and item code.
    """
    day, item, quantity_column, price_column, kind, discount = TRANSACTION_COLUMNS
    sale = transactions[kind].str.strip().str.lower().eq("sale")
    quantity = transactions[quantity_column].abs()
    sold = quantity.where(sale, 0.0)
    parts = pd.DataFrame(
        {
            "date": transactions[day],
            "item_code": transactions[item],
            "n_sales": sale.astype("int64"),
            "qty_sold_kg": sold,
            "qty_returned_kg": quantity.where(~sale, 0.0),
            "revenue": sold * transactions[price_column],
            "discounted": sold.where(transactions[discount].str.strip().eq("Yes"), 0.0),
        }
    )
    daily = parts.groupby(["date", "item_code"], as_index=False).sum()
    basis = daily["qty_sold_kg"].where(daily["qty_sold_kg"] > 0)
    daily["qty_net_kg"] = daily["qty_sold_kg"] - daily["qty_returned_kg"]
    daily["wavg_unit_price"] = daily["revenue"] / basis
    daily["discount_qty_share"] = daily["discounted"] / basis
    return daily[list(DAILY_COLUMNS)]


def _read_daily(folder: Path) -> pd.DataFrame:
    compressed, parquet = (folder / name for name in DAILY_FILES)
    if compressed.exists():
        return _read_csv(compressed, DAILY_COLUMNS, numbers=range(2, 8), dates=(0,))
    if parquet.exists():
        table = pd.read_parquet(parquet)
        _check_columns(parquet, table, DAILY_COLUMNS)
        return table[list(DAILY_COLUMNS)].assign(item_code=table["item_code"].astype("string"))
    transactions = folder / TRANSACTIONS_FILE
    if transactions.exists():
        table = _read_csv(transactions, TRANSACTION_COLUMNS, numbers=(2, 3), dates=(0,))
        return aggregate_transactions(table)
    names = ", ".join((*DAILY_FILES, TRANSACTIONS_FILE))
    raise DataError(f"{folder}: no daily sales, expected one of {names}")


def _read_csv(
    path: Path, columns: Sequence[str], numbers: Sequence[int] = (), dates: Sequence[int] = ()
) -> pd.DataFrame:
    if not path.exists():
        raise DataError(f"{path}: no such file, expected columns {', '.join(columns)}")
    try:
        table = pd.read_csv(path, dtype="string", encoding="utf-8-sig", skipinitialspace=True)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError, OSError) as error:
        raise DataError(f"{path}: not a CSV file in UTF-8: {error}") from error
    table.columns = table.columns.str.strip()
    _check_columns(path, table, columns)
    table = table[list(columns)].apply(lambda text: text.str.replace("\u00a0", " ").str.strip())
    for index in numbers:
        table[columns[index]] = _numbers(path, table[columns[index]])
    for index in dates:
        table[columns[index]] = _dates(path, table[columns[index]])
    return table


def _check_columns(path: Path, table: pd.DataFrame, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in table.columns:
            got = ", ".join(map(str, table.columns))
            raise DataError(f"{path}: no column {column!r}, got {got}")


def _numbers(path: Path, text: pd.Series) -> pd.Series:
    text = text.mask(text.eq(""))
    values = pd.to_numeric(text, errors="coerce").astype("float64")
    _check_parsed(path, text, values, "a number")
    return values


def _dates(path: Path, text: pd.Series) -> pd.Series:
    values = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
    _check_parsed(path, text.fillna("nothing"), values, "a date like 2023-06-30")
    return values


def _check_parsed(path: Path, text: pd.Series, values: pd.Series, expected: str) -> None:
    bad = text.notna() & values.isna()
    if bad.any():
        row = int(bad.to_numpy().argmax())
        # The header is line 1, and people count from one.
        raise DataError(
            f"{path}: line {row + 2}, column {text.name!r}: got {text.iloc[row]!r}, "
            f"expected {expected}"
        )
