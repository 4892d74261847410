"""Tables are whole on a terminal of any width."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from captured import answer_json, capture, prediction, request_json, row
from rich.console import Console

from forecast_operations.comparing.layout import Grid
from forecast_operations.comparing.report import as_text, distance_table, traffic_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CODES = ("102900005115168", "102900005115199", "102900011000328")


@pytest.fixture(scope="module")
def found(world: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    path: Path = tmp_path_factory.mktemp("layout") / "actuals.csv"
    account, actuals = world("shadow"), ["item_code,date,price"]
    busy = {"Invocations": 123_456.0, "p50": 5000.0, "p90": 91_000.0, "p99": 1_200_000.0}
    account.watch.variants = {"main": busy, "main-challenger": busy}
    for number in range(1, 31):
        day = f"2026-09-{number:02}"
        for code in CODES:
            request = request_json(row(code, day))
            answer = answer_json(prediction(5.123456 + number % 3))
            account.storage.add("main", capture(request, answer))
            answer = answer_json(prediction(4.2 + 0.01 * number, model_version="17"))
            account.storage.add("main-challenger", capture(request, answer))
            actuals.append(f"{code},{day},4.25")
    path.write_text("\n".join(actuals) + "\n")
    return account.compare(actuals=str(path))


def _lines(found: Any, width: int) -> list[str]:
    stream = StringIO()
    console = Console(file=stream, width=width, soft_wrap=True)
    for part in as_text(found):
        console.print(part)
    return stream.getvalue().splitlines()


def _tables(lines: list[str]) -> list[str]:
    """The lines of tables: those before the answer, without the sentences between."""
    return [each for each in lines if re.search(r"\S  +\S", each)]


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_nothing_is_cut_short_at_any_width(found: Any, width: int) -> None:
    lines = _lines(found, width)
    text = "\n".join(lines)

    assert "…" not in text
    assert max(map(len, _tables(lines))) <= width
    for whole in (*CODES, "main-challenger", "123,456", "1,200.0", "interval score"):
        assert whole in text
    for rows in (traffic_table(found), *map(distance_table, found.distances)):
        for cell in (cell for each in rows for cell in each if cell):
            assert cell in text


def test_on_a_narrow_terminal_the_rest_of_a_table_follows_below(found: Any) -> None:
    lines = _lines(found, 80)

    rows = [each for each in lines if each.startswith(f"{CODES[0]}  ")]
    # Both parts of two distance tables, and of the scores of one output.
    assert len(rows) > len([each for each in _lines(found, 200) if each.startswith(CODES[0])])


def test_a_wide_terminal_has_each_row_once(found: Any) -> None:
    lines = _lines(found, 200)

    assert len([each for each in lines if each.startswith("main-challenger ")]) == 1


def test_a_column_wider_than_the_terminal_is_whole_nevertheless() -> None:
    rows = [["of", "one", "two"], ["x" * 50, "1", "2"]]

    parts = [part.plain for part in Grid(rows).parts(20)]

    assert [each.strip().splitlines()[-1].split() for each in parts] == [
        ["x" * 50, "1"],
        ["x" * 50, "2"],
    ]


def test_wide_characters_keep_the_columns() -> None:
    rows = [["of", "one"], ["白菜", "1"], ["leek", "2"]]

    (part,) = Grid(rows).parts(80)

    assert part.plain.splitlines() == ["of    one", "白菜    1", "leek    2"]
