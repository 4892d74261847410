"""Files with what came true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from answering import Client
from captured import SCHEMA, Storage

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.comparing.actuals import Actuals, read_actuals
from forecast_operations.comparing.contract import read_contract

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = read_contract(SCHEMA)
HEADER = "item_code,date,forecasted_price,forecasted_demand\n"


def read(tmp_path: Path, text: str | bytes) -> Actuals:
    path = tmp_path / "actuals.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_actuals(str(path), CONTRACT, Cloud("eu-central-1"))


def test_values_are_found_by_item_and_date(tmp_path: Path) -> None:
    found = read(tmp_path, HEADER + "a,2026-11-20,5.5,12\n\nb,2026-11-20,,0\n")

    assert found.value("a", "2026-11-20", 0) == 5.5
    assert found.value("b", "2026-11-20", 0) is None
    assert found.value("b", "2026-11-20", 1) == 0.0
    assert found.value("a", "2026-11-21", 0) is None
    assert found.outputs == ("forecasted_price", "forecasted_demand")


def test_columns_may_be_called_as_in_the_model_or_plainly(tmp_path: Path) -> None:
    found = read(tmp_path, "\ufeffprice, date ,item\n5.5,2026-11-20,a\n")

    assert found.value("a", "2026-11-20", 0) == 5.5
    assert found.outputs == ("forecasted_price",)


def test_a_file_in_s3_is_read() -> None:
    storage = Storage()
    storage.objects["folder/actuals.csv"] = (
        HEADER + 'a,2026-11-20,5.5,12\n"b\nc",2026-11-20,1,2\n'
    ).encode()
    cloud = Cloud("eu-central-1", clients={"s3": Client("s3", storage)})

    found = read_actuals("s3://bucket/folder/actuals.csv", CONTRACT, cloud)

    assert found.value("a", "2026-11-20", 1) == 12.0
    assert found.value("b\ufffdc", "2026-11-20", 1) == 2.0
    with pytest.raises(ForecastError, match="got nothing there"):
        read_actuals("s3://bucket/other.csv", CONTRACT, cloud)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (HEADER + "a,2026-11-20,5.5\n", 2, "expected 4 cells, got 3"),
        (HEADER + "a,2026-11-20,1,2\na,2026-11-20,1,2\n", 3, r"line 2 has it too"),
        (HEADER + "a,20/11/2026,1,2\n", 2, "expected one such as 2026-01-31, got '20/11/2026'"),
        (HEADER + "a,2026-11-20,much,2\n", 2, "expected a number.*got 'much'"),
        (HEADER + "a,2026-11-20,1_000,2\n", 2, "got '1_000'"),
        (HEADER + "a,2026-11-20,nan,2\n", 2, "expected a number.*got 'nan'"),
        (HEADER + '"a\nb",2026-11-20,1,2\na,2026-11-20,inf,2\n', 4, "got 'inf'"),
        ("item_code,date,forcasted_price\na,2026-11-20,1\n", 1, "expected the columns"),
        ("item_code,date,forecasted_price,extra\n", 1, "and no others"),
        ("item_code,date\n", 1, r"one or more of the outputs forecasted_price \(or price\)"),
        ("item_code,forecasted_price\n", 1, r"expected the columns item_code \(or item\), date"),
        ("item_code,item,date,price\n", 1, "each once"),
        ("", 1, "got an empty line"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, text: str, line: int, why: str
) -> None:
    with pytest.raises(ForecastError, match=rf"actuals\.csv:{line}: .*{why}"):
        read(tmp_path, text)


def test_many_problems_are_shown_in_part(tmp_path: Path) -> None:
    rows = "".join(f"a,2026-11-{day:02},x,1\n" for day in range(1, 13))

    with pytest.raises(ForecastError, match="and 7 more"):
        read(tmp_path, HEADER + rows)


def test_what_is_no_text_or_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ForecastError, match="expected UTF-8"):
        read(tmp_path, b"\xff\xfe\x00")
    with pytest.raises(ForecastError, match="expected comma-separated values"):
        read(tmp_path, HEADER + 'a,2026-11-20,"1')
    with pytest.raises(ForecastError, match=r"cannot read .*nowhere"):
        read_actuals(str(tmp_path / "nowhere.csv"), CONTRACT, Cloud("eu-central-1"))


def test_a_model_without_a_date_has_no_actuals(tmp_path: Path) -> None:
    contract = read_contract(
        {"inputs": [{"name": "x", "type": "double"}], "outputs": [{"name": "y"}]}
    )
    path = tmp_path / "actuals.csv"
    path.write_text("y\n1\n")

    with pytest.raises(ForecastError, match="the model has no input of type date"):
        read_actuals(str(path), contract, Cloud("eu-central-1"))
