"""docs/rollouts.md: its pictures are current, and what it shows is so."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

from forecast_config import load_config

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "rollouts.md").read_text(encoding="utf-8")
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]
KINDS = ("all_at_once", "canary", "linear", "rolling", "shadow", "split")


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "pictures" / "rollouts.py"))


def test_there_is_a_form_and_a_picture_of_each_kind() -> None:
    assert [example["rollout"]["kind"] for example in EXAMPLES[1:]] == list(KINDS)
    assert re.findall(r"\]\(pictures/rollout-(\w+)\.svg\)", TEXT) == list(KINDS)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["rollout"]["kind"])
def test_each_form_is_valid(tmp_path: Path, example: dict[str, Any], valid: dict[str, Any]) -> None:
    valid["environments"]["dev"]["endpoint"]["initial_instance_count"] = 4
    valid["environments"]["dev"] |= example
    path = tmp_path / "forecast.yaml"
    path.write_text(yaml.safe_dump(valid), encoding="utf-8")

    assert load_config(path).environments["dev"].rollout.kind == example["rollout"]["kind"]


@pytest.mark.parametrize("number", range(len(KINDS)), ids=KINDS)
def test_each_picture_is_current(script: dict[str, Any], number: int) -> None:
    rollout = script["ROLLOUTS"][number]
    committed = DOCS / "pictures" / f"rollout-{rollout.kind}.svg"

    assert rollout.kind == KINDS[number]
    assert script["draw"](rollout) == committed.read_bytes(), (
        "run: python docs/pictures/rollouts.py"
    )
