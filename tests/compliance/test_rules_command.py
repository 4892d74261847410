"""`forecast check` on templates of this project, of others, and on what is no template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from forecast_config import ForecastError
from forecast_operations.cli import app
from forecast_operations.commands import check
from forecast_rules import RuleEngine, find_rule, rules

if TYPE_CHECKING:
    from click.testing import Result

TEMPLATES = Path(__file__).parent / "templates"
TUTORIAL = TEMPLATES / "foreign" / "tutorial.yaml"


@pytest.fixture(scope="module")
def engine() -> RuleEngine:
    return RuleEngine()


@pytest.fixture(autouse=True)
def _compiled_once(engine: RuleEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "RuleEngine", lambda: engine)


def _check(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["check", *map(str, arguments)], env={"COLUMNS": "250"})


def _failing(rule_id: str) -> str:
    rule = find_rule(rule_id)
    assert rule is not None
    return rule.failing


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    """What a CDK synth leaves: a template, and a manifest that knows its region."""
    folder = tmp_path / "cdk.out"
    folder.mkdir()
    (folder / "Prod.template.json").write_text(_failing("FC-ENDPOINT-011"))
    artifact = {
        "environment": "aws://unknown-account/eu-central-1",
        "properties": {"templateFile": "Prod.template.json"},
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"Prod": artifact}}))
    (folder / "Prod.assets.json").write_text("{}")
    return folder


def test_a_right_template_ends_well() -> None:
    done = _check(TEMPLATES / "realtime.yaml")

    assert done.exit_code == 0
    assert "0 errors, 0 warnings" in done.stderr
    assert done.stdout == ""


def test_a_finding_says_where_what_and_what_to_do() -> None:
    done = _check(TUTORIAL)

    assert done.exit_code == 1
    for shown in ("FC-SCALING-006", "Target", "error", "does not depend on Endpoint", "DependsOn"):
        assert shown in done.stdout
    assert "4 errors" in done.stderr


def test_warnings_fail_only_when_asked_to(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(_failing("FC-ENDPOINT-012"))

    assert _check(path).exit_code == 0
    assert _check(path, "--strict").exit_code == 1


def test_findings_can_be_read_by_programs() -> None:
    done = _check(TUTORIAL, "--json", "--rule", "fc-alarm-001")

    (finding,) = json.loads(done.stdout)
    assert finding["rule_id"] == "FC-ALARM-001"
    assert finding["resource"] == "Latency"
    assert finding["property_path"] == "Properties.Threshold"
    assert finding["file"] == str(TUTORIAL)
    assert "Threshold: 500" in TUTORIAL.read_text().splitlines()[finding["line"] - 1]
    assert done.exit_code == 0


def test_the_built_in_rules_run_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    path.write_text(json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topik"}}}))

    assert _check(path).exit_code == 0
    done = _check(path, "--all")
    assert done.exit_code == 1
    assert "F3006" in done.stdout


def test_a_folder_of_a_synth_knows_its_regions(assembly: Path) -> None:
    assert "FC-ENDPOINT-011" in _check(assembly).stdout
    assert "FC-ENDPOINT-011" not in _check(assembly, "--region", "us-west-2").stdout


def test_folders_and_patterns_name_templates(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(_failing("FC-ROLLOUT-001"))
    (tmp_path / "two.json").write_text("{}")

    assert "one.yaml" in _check(tmp_path).stdout
    assert "one.yaml" in _check(tmp_path / "*.yaml").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a template, a pattern or a folder"),
        (["nothing.yaml"], "got 'nothing.yaml', which names none"),
        (["*.nothing"], "got '*.nothing', which names none"),
        ([TEMPLATES, "--rule", "FC-NONE-001"], "expected a rule such as FC-ROLLOUT-001"),
        (["--explain", "nothing"], "forecast check --list"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: list[Any], message: str) -> None:
    done = _check(*arguments)

    assert isinstance(done.exception, ForecastError)
    assert done.exception.exit_code == 2
    assert message in str(done.exception)


@pytest.mark.parametrize(("text", "message"), [("a: [", "line 2"), ("a: b", "has no Resources")])
def test_what_is_no_template_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(text)

    done = _check(path)

    assert isinstance(done.exception, ForecastError)
    assert f"got {path}: " in str(done.exception)
    assert message in str(done.exception)


def test_all_rules_are_listed() -> None:
    done = _check("--list")

    assert all(rule.rule_id in done.stdout for rule in rules())


def test_a_rule_is_explained_with_its_examples() -> None:
    done = _check("--explain", "FC-ROLLOUT-001")

    rule = find_rule("FC-ROLLOUT-001")
    assert rule is not None
    for shown in (rule.reason, rule.fix, rule.url, rule.passing, rule.failing):
        assert shown in done.stdout
