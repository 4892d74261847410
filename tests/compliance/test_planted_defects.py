"""Defects of one line, each of which a check catches; the page of what caught what is current."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from planted_defects import COMPLIANCE, Caught, configuration_problems, document, plant_all

from forecast_rules import RuleEngine

PAGE = Path(__file__).parents[2] / "docs" / "defects.md"


@pytest.fixture(scope="module")
def defects() -> list[Caught]:
    return plant_all(RuleEngine())


def test_there_are_defects_of_every_kind(defects: list[Caught]) -> None:
    kinds = [defect.kind for defect in defects]

    assert len(defects) >= 60
    assert {kind: kinds.count(kind) >= 15 for kind in kinds} == {
        "schema": True,
        "semantic": True,
        "security": True,
    }
    assert len({(defect.place, defect.change) for defect in defects}) == len(defects)


def test_every_defect_is_caught(defects: list[Caught]) -> None:
    missed = [d.what for d in defects if not (d.load or d.builtin or d.own)]

    assert missed == []


def test_a_defect_of_the_configuration_is_named_by_its_key(defects: list[Caught]) -> None:
    planted = [defect for defect in defects if defect.place == "configuration"]

    assert len(planted) >= 20
    for defect in planted:
        assert all(problem.startswith("environments.live") for problem in defect.load), defect


def test_semantic_and_security_defects_are_caught_by_our_rules(defects: list[Caught]) -> None:
    planted = [d for d in defects if d.place != "configuration" and d.kind != "schema"]

    assert [defect.what for defect in planted if not defect.own] == []


def test_the_ground_of_the_configuration_is_right() -> None:
    text = (COMPLIANCE / "planted_defects.yaml").read_text(encoding="utf-8")

    assert configuration_problems(yaml.safe_load(text)["configuration"]) == ()


def test_the_page_of_defects_is_current(defects: list[Caught]) -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page == document(defects), (
        "run: python tests/support/planted_defects.py --write docs/defects.md"
    )
