from pathlib import Path

import pandas as pd
import pytest

from produce_market.errors import DataError
from produce_market.layout import MarketTables, aggregate_transactions, read_tables
from produce_market.market import Market

TRANSACTIONS = """Date,Time,Item Code,Quantity Sold (kilo),Unit Selling Price (RMB/kg),\
Sale or Return,Discount (Yes/No)
2023-06-16,09:14:23.342,102900011008164,1.000,4.00,sale,No
2023-06-16,10:14:23.342,102900011008164,3.000,2.00,sale,Yes
2023-06-16,11:14:23.342,102900011008164,-0.500,4.00,return,No
2023-06-17,09:15:46.123,102900005115250,-1.000,6.80,return,No
"""


def small_folder(folder: Path) -> Path:
    """A market of two items in the original layout, with its byte order mark and line ends."""
    (folder / "annex1.csv").write_bytes(
        b"Item Code,Item Name,Category Code,Category Name\r\n"
        b"102900005115250,Mushroom (1),1011010801,Edible Mushroom\r\n"
        b"102900011008164,Amaranth,1011010101,Flower/Leaf\xc2\xa0Vegetables\r\n"
    )
    (folder / "annex3.csv").write_bytes(
        b"Date,Item Code,Wholesale Price (RMB/kg)\r\n"
        b"2023-06-16,102900011008164,2.50\r\n"
        b"2023-06-17,102900011008164,0.01\r\n"
        b"2023-06-18,102900011008164,141.00\r\n"
    )
    (folder / "annex4.csv").write_bytes(
        b"\xef\xbb\xbfItem Code,Item Name,Loss Rate (%)\r\n"
        b"102900005115250,Mushroom (1),10.80 \r\n"
        b"102900011008164,Amaranth,4.39 \r\n"
    )
    (folder / "annex2.csv").write_text(TRANSACTIONS)
    return folder


def test_transactions_are_aggregated_when_there_is_no_daily_table(tmp_path: Path) -> None:
    market = Market.from_tables(read_tables(small_folder(tmp_path)))
    [sale] = market.sales.to_dict("records")
    assert sale["item_code"] == "102900011008164"
    assert sale["quantity"] == 3.5
    assert sale["unit_price"] == 2.5
    assert sale["discount_share"] == 0.75


def test_a_day_with_only_returns_has_no_price(tmp_path: Path) -> None:
    table = read_tables(small_folder(tmp_path)).daily
    [row] = table[table["item_code"] == "102900005115250"].to_dict("records")
    assert row["n_sales"] == 0
    assert row["qty_net_kg"] == -1.0
    assert pd.isna(row["wavg_unit_price"])


def test_placeholders_and_slips_are_no_wholesale_prices(tmp_path: Path) -> None:
    market = Market.from_tables(read_tables(small_folder(tmp_path)))
    assert market.wholesale["wholesale_price"].tolist() == [2.5]


def test_byte_order_mark_line_ends_and_blanks_leave_no_trace(tmp_path: Path) -> None:
    tables = read_tables(small_folder(tmp_path))
    assert list(tables.losses) == ["Item Code", "Item Name", "Loss Rate (%)"]
    assert tables.losses["Loss Rate (%)"].tolist() == [10.8, 4.39]
    assert tables.items["Category Name"].tolist() == ["Edible Mushroom", "Flower/Leaf Vegetables"]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("annex1.csv", None, r"annex1\.csv: no such file"),
        ("annex2.csv", None, r"no daily sales, expected one of supermarket_cn_daily\.csv\.gz, "),
        ("annex3.csv", b"Date,Item Code\n", r"annex3\.csv: no column 'Wholesale Price \(RMB/kg\)'"),
        ("annex3.csv", b"", r"annex3\.csv: not a CSV file"),
        ("annex4.csv", b"\xff\xfe\x00", r"annex4\.csv: not a CSV file in UTF-8"),
        (
            "annex4.csv",
            b"Item Code,Item Name,Loss Rate (%)\n1,A,1.0\n2,B,many\n",
            r"annex4\.csv: line 3, column 'Loss Rate \(%\)': got 'many', expected a number",
        ),
        (
            "annex3.csv",
            b"Date,Item Code,Wholesale Price (RMB/kg)\n2023-02-30,1,1.0\n",
            r"annex3\.csv: line 2, column 'Date': got '2023-02-30', expected a date",
        ),
        (
            "annex1.csv",
            b"Item Code,Item Name,Category Code,Category Name\n1,A,2,B\n",
            "item 102900011008164 was sold but is not in the item table",
        ),
    ],
)
def test_it_rejects_a_broken_market_naming_file_and_column(
    tmp_path: Path, file: str, content: bytes | None, message: str
) -> None:
    small_folder(tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(DataError, match=message):
        Market.from_tables(read_tables(tmp_path))


def test_it_rejects_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        read_tables(tmp_path / "nowhere")


def test_it_rejects_a_market_without_a_sale(tmp_path: Path) -> None:
    small_folder(tmp_path)
    (tmp_path / "annex2.csv").write_text(TRANSACTIONS.replace(",sale,", ",return,"))
    with pytest.raises(DataError, match="no sale with a price"):
        Market.from_tables(read_tables(tmp_path))


def test_the_digest_changes_with_any_value(tables: MarketTables, market: Market) -> None:
    losses = tables.losses.assign(**{"Loss Rate (%)": tables.losses["Loss Rate (%)"] + 0.01})
    changed = type(tables)(tables.items, tables.wholesale, losses, tables.daily)
    assert Market.from_tables(changed).digest() != market.digest()
    assert market.digest().startswith("sha256:")


def test_the_real_compressed_and_parquet_tables_are_the_same_market(
    real_folder: Path, tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow")
    for file in real_folder.iterdir():
        if not file.name.endswith(".csv.gz"):
            (tmp_path / file.name).symlink_to(file)
    parquet = Market.from_tables(read_tables(tmp_path))
    compressed = Market.from_tables(read_tables(real_folder))
    assert parquet.digest() == compressed.digest()
    assert len(compressed.sales) == 46_595
    assert len(compressed.wholesale) == 55_982 - 27 - 4


def test_the_real_transactions_aggregate_to_the_real_daily_table(real_folder: Path) -> None:
    path = real_folder / "annex2_slice_2023-06-16_2023-06-30.csv"
    transactions = pd.read_csv(path, dtype={"Item Code": "string"}, parse_dates=["Date"])
    ours = aggregate_transactions(transactions)
    theirs = read_tables(real_folder).daily
    theirs = theirs[theirs["date"] >= "2023-06-16"]
    both = ours.merge(theirs, on=["date", "item_code"], suffixes=("", "_theirs"), how="outer")
    assert len(both) == len(theirs) == len(ours)
    for column in ("n_sales", "qty_net_kg", "wavg_unit_price", "discount_qty_share"):
        assert (both[column] - both[f"{column}_theirs"]).abs().max() < 1e-4
