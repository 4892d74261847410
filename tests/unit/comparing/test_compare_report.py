"""A comparison as text, as JSON and as a page, and the command that makes it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from captured import NOW, answer_json, capture, prediction, request_json, row
from rich.console import Console
from typer.testing import CliRunner

from forecast_config import ForecastError
from forecast_operations.cli import app
from forecast_operations.comparing import comparison as comparisons
from forecast_operations.comparing.page import check_page, page, write_page
from forecast_operations.comparing.report import as_json, as_text
from forecast_operations.deployed.live import Live

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOSTILE = "<script>alert('item')</script> & [red]"
UNSHOWN = "\x1b[2J\ud800\u202e"
"""Clears a terminal, cannot be encoded, and turns the direction of what follows."""

DAYS = [f"2026-09-{day:02}" for day in range(1, 31)]


@pytest.fixture(scope="module")
def account(world: Callable[..., Any]) -> Any:
    found = world("shadow")
    busy = {"Invocations": 60.0, "p50": 5000.0, "p90": 9000.0, "p99": 20_000.0}
    found.watch.variants = {"main": busy, "main-challenger": busy}
    for number, day in enumerate(DAYS):
        for item in (HOSTILE, "pear"):
            request = request_json(row(item, day))
            found.storage.add("main", capture(request, answer_json(prediction(5.0 + number % 3))))
            answer = answer_json(prediction(4.2 + 0.1 * (number % 2), model_version="17"))
            found.storage.add("main-challenger", capture(request, answer))
    return found


@pytest.fixture(scope="module")
def actuals(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("actuals") / "actuals.csv"
    rows = [f'"{item}",{day},4.0' for day in DAYS for item in (HOSTILE, "pear")]
    path.write_text("\n".join(["item,date,price", *rows]) + "\n")
    return str(path)


@pytest.fixture(scope="module")
def found(account: Any, actuals: str) -> Any:
    return account.compare(actuals=actuals)


@pytest.fixture(scope="module")
def text(found: Any) -> str:
    return page(found)


class Page(HTMLParser):
    """Tags of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in {"meta", "br", "link", "img"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_needs_nobody_and_runs_nothing(text: str) -> None:
    read = Page(text)

    assert read.open == []
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in read.tags}
    loaded = [
        value
        for _, attributes in read.tags
        for name, value in attributes.items()
        if name in {"src", "href", "xlink:href"} and not (value or "").startswith("#")
    ]
    assert loaded == []
    assert not re.search(r"url\((?!#)|@import", text)
    assert "default-src 'none'" in text


def test_what_came_from_requests_is_escaped(text: str) -> None:
    assert "<script>" not in text
    assert "&lt;script&gt;alert(&#39;item&#39;)&lt;/script&gt; &amp; [red]" in text
    assert HOSTILE in Page(text).text


def test_plots_have_a_text_for_who_does_not_see_them_and_take_the_page_s_colour(
    text: str,
) -> None:
    figures = [attributes for tag, attributes in Page(text).tags if tag == "figure"]

    labels = [each["aria-label"] or "" for each in figures]
    assert len(labels) == text.count("<svg ") >= 4
    assert all(len(label) > 40 for label in labels)
    assert any("60 requests to the champion" in label for label in labels)
    assert "currentColor" in text
    assert "#010203" not in text


def test_a_page_s_ids_are_each_there_once_and_all_that_are_referred_to(text: str) -> None:
    ids = [attributes["id"] for _, attributes in Page(text).tags if "id" in attributes]
    referred = set(re.findall(r'(?:url\(|href=")#([^)"]+)', text))

    assert len(ids) == len(set(ids))
    assert referred <= set(ids)


def test_the_document_holds_everything(found: Any) -> None:
    document = json.loads(as_json(found))

    assert document["answer"] == "better"
    assert document["kind"] == "shadow"
    assert document["variants"]["challenger"]["model_version"] == "17"
    assert document["variants"]["champion"]["p99_ms"] == 20.0
    assert document["captured"]["matched_requests"] == 60
    (accuracy,) = document["accuracy"]
    assert accuracy["output"] == "forecasted_price"
    assert accuracy["outcome"]["samples"] == 30
    assert accuracy["outcome"]["p_value"] < 0.05
    assert list(accuracy["differentials"]) == DAYS
    assert document["block"] is None
    assert document["next"][1]["command"] == "forecast promote 17 --from prod --to prod"
    assert document["differences"][0]["by_item"][0]["group"] in {HOSTILE, "pear"}


def test_the_text_holds_markup_as_it_is(found: Any) -> None:
    stream = StringIO()
    console = Console(file=stream, width=250, soft_wrap=True)
    for part in as_text(found):
        console.print(part)
    text = stream.getvalue()

    assert HOSTILE in text
    assert "better: forecasted_price: better, the challenger's loss is" in text
    assert "forecast promote 17 --from prod --to prod" in text


def test_what_no_screen_should_get_is_marked(world: Callable[..., Any]) -> None:
    account = world("shadow")
    request = request_json(row(UNSHOWN, "2026-09-01"))
    account.storage.add("main", capture(request, answer_json(prediction(5.0))))
    answer = answer_json(prediction(6.0, model_version="17"))
    account.storage.add("main-challenger", capture(request, answer))

    found = account.compare()

    assert list(found.table.items) == ["\ufffd[2J\ufffd\ufffd"]
    as_json(found).encode()


def test_a_comparison_without_forecasts_has_a_page(account: Any) -> None:
    capture, account.sagemaker.capture = account.sagemaker.capture, None
    try:
        text = page(account.compare())
    finally:
        account.sagemaker.capture = capture

    assert "requests are not captured" in text


@pytest.fixture
def forecast(
    account: Any, config_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    monkeypatch.setattr(Live, "in_region", lambda _: account.live)
    real = comparisons.compare

    def at_the_time(live: Any, settings: Any, wanted: Any, progress: Any) -> Any:
        return real(live, settings, replace(wanted, now=NOW), progress)

    monkeypatch.setattr(comparisons, "compare", at_the_time)

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(
            app, ["compare", "prod", "--config", str(config_path), *arguments]
        )

    return run


def test_the_command_answers_with_0_whatever_it_found(
    forecast: Callable[..., Any], actuals: str, tmp_path: Path
) -> None:
    result = forecast("--actuals", actuals, "--report", str(tmp_path / "report.html"))

    assert result.exit_code == 0, result.output
    assert "better" in result.stdout
    assert "wrote" in result.stderr
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_an_answer_that_is_required_decides_the_exit_code(
    forecast: Callable[..., Any], actuals: str
) -> None:
    assert forecast("--actuals", actuals, "--require", "better").exit_code == 0
    refused = forecast("--json", "--require", "better")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["answer"] == "not enough data"


def test_a_report_that_cannot_be_written_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ForecastError, match=r"ends with .html, got report.txt"):
        check_page(tmp_path.relative_to(tmp_path) / "report.txt")
    with pytest.raises(ForecastError, match="expected the folder"):
        check_page(tmp_path / "nowhere" / "report.html")


def test_a_report_that_cannot_be_written_is_a_sentence(found: Any, tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()

    with pytest.raises(ForecastError, match="cannot write"):
        write_page(found, tmp_path / "report.html")
