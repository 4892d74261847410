"""The reference of the configuration holds every key, as the settings read it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from forecast_config.reference import reference_text
from forecast_config.schema import file_schema
from forecast_operations.cli import app

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def _rows(section: str) -> dict[str, list[str]]:
    body = re.split(r"^#+ ", reference_text().partition(f" {section}\n")[2], flags=re.MULTILINE)[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in body.splitlines() if "|" in line]
    return {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in rows[2:]}


def test_the_page_of_the_configuration_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference_text(), (
        "run: forecast config docs --write docs/configuration.md"
    )


def test_every_key_of_every_block_has_a_row() -> None:
    text = reference_text()
    definitions = file_schema()["$defs"].values()
    keys = {key for each in definitions for key in each.get("properties", {})}

    assert [key for key in sorted(keys) if f"| `{key}` |" not in text] == []


def test_every_link_of_the_page_leads_to_a_heading_of_it() -> None:
    text = reference_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}

    links = set(re.findall(r"\]\(#([^)]+)\)", text))

    assert links
    assert links <= anchors
    assert len(anchors) == len(headings)


@pytest.mark.parametrize(
    ("section", "key", "cells"),
    [
        ("endpoint: realtime", "name", ["text", "must be given"]),
        ("endpoint: realtime", "initial_instance_count", ["whole number", "`1`"]),
        ("An environment", "termination_protection", ["true or false", "`false`"]),
        ("An environment", "network", None),
        ("autoscaling", "scheduled", None),
    ],
)
def test_a_row_says_type_and_default(section: str, key: str, cells: list[str] | None) -> None:
    row = _rows(section)[key]

    if cells is not None:
        assert row[:2] == cells
    assert row[1] in {"must be given", "`1`", "`false`", "`kind: none`", "empty"}


def test_limits_are_in_words() -> None:
    assert _rows("endpoint: serverless")["max_concurrency"][2] == "at least 1; at most 200"
    assert _rows("An environment")["account"][2] == "an account id of 12 digits"
    subnets = _rows("network: existing")["subnet_ids"][2]
    assert subnets.startswith("not empty; at most 16 entries; each the id of a subnet")


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"

    written = CliRunner().invoke(app, ["config", "docs", "--write", str(page)])
    refused = CliRunner().invoke(app, ["config", "docs", "--write", str(page / "page")])

    assert written.exit_code == 0
    assert page.read_text(encoding="utf-8") == reference_text()
    assert "cannot write" in str(refused.exception)
