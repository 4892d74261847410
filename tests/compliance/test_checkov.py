"""checkov finds nothing in any template, but for what the template itself gives a reason for."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

REQUIREMENTS = Path(__file__).parents[1] / "requirements-checkov.txt"

OPTIONS = ("--skip-download", "--soft-fail", "--compact", "--output", "json")
"""Offline; findings are no failure of the command; without the code around them."""

PLANTED = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {}}},
}

Finding = tuple[str, str, str]
"""Check, stack, and logical id after the type of its resource."""


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(
    all_templates: dict[str, dict[str, Any]],
    pinned_environment: Callable[[Path], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """What checkov says of all templates, and of what has a reason without it, in one run."""
    folder = tmp_path_factory.mktemp("checkov")
    for name, template in all_templates.items():
        _write(folder / "as-is" / name, template)
        _write(folder / "bare" / name, _without_reasons(template))
    _write(folder / "planted" / "Planted", PLANTED)
    python = pinned_environment(REQUIREMENTS)
    command = [str(python), "-m", "checkov.main", "--framework", "cloudformation"]
    run = subprocess.run(
        [*command, "--directory", str(folder), *OPTIONS],
        # It keeps notes in the home directory.
        env={**os.environ, "HOME": str(folder), "LOG_LEVEL": "ERROR"},
        stdout=subprocess.PIPE,
        check=True,
    )
    report: dict[str, Any] = json.loads(run.stdout)
    return report


def _write(path: Path, template: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.with_suffix(".template.json").write_text(json.dumps(template))


def _without_reasons(template: dict[str, Any]) -> dict[str, Any]:
    """Only the resources that have reasons, and not the reasons."""
    bare = {
        logical_id: {key: value for key, value in resource.items() if key != "Metadata"}
        for logical_id, resource in template["Resources"].items()
        if "checkov" in resource.get("Metadata", {})
    }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": bare}


def _findings(results: dict[str, Any], kind: str, folder: str) -> set[Finding]:
    return {
        (check["check_id"], Path(check["file_path"]).name.split(".")[0], check["resource"])
        for check in results["results"][kind]
        if Path(check["file_path"]).parts[1] == folder
    }


def test_checkov_finds_nothing_unexplained(results: dict[str, Any]) -> None:
    assert results["results"]["parsing_errors"] == []
    assert _findings(results, "failed_checks", "as-is") == set()


def test_checkov_looks_at_every_template(
    results: dict[str, Any], all_templates: dict[str, dict[str, Any]]
) -> None:
    checked = {stack for _, stack, _ in _findings(results, "passed_checks", "as-is")}

    # A stack of dashboards holds nothing that it has checks for.
    assert checked == {
        name
        for name, template in all_templates.items()
        if {resource["Type"] for resource in template["Resources"].values()}
        != {"AWS::CloudWatch::Dashboard"}
    }


def test_every_reason_is_still_needed(results: dict[str, Any]) -> None:
    explained = _findings(results, "skipped_checks", "as-is")

    assert explained
    assert _findings(results, "failed_checks", "bare") == explained


def test_every_reason_says_why(results: dict[str, Any]) -> None:
    reasons = {
        check["check_result"]["suppress_comment"] for check in results["results"]["skipped_checks"]
    }

    assert all(len(reason.split()) >= 5 for reason in reasons)


def test_checkov_would_find_a_defect(results: dict[str, Any]) -> None:
    assert ("CKV_AWS_27", "Planted", "AWS::SQS::Queue.Queue") in _findings(
        results, "failed_checks", "planted"
    )
