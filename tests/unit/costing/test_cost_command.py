from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer
import yaml
from typer.testing import CliRunner

from forecast_config import ForecastError
from forecast_operations.commands import cost

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from click.testing import Result

app = typer.Typer()
app.command()(cost.cost_command)


def run(project: Path, *arguments: str) -> Result:
    config = str(project / "forecast.yaml")
    return CliRunner().invoke(app, ["--config", config, *arguments])


def with_budget(project: Path, monthly_usd: float) -> None:
    path = project / "forecast.yaml"
    document = yaml.safe_load(path.read_text("utf-8"))
    document["defaults"]["alarms"] = {"budget": {"monthly_usd": monthly_usd}}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")


def templates_option(project: Path) -> list[str]:
    return ["--templates", str(project / "cdk.out")]


def test_json_is_all_that_stands_on_standard_output(project: Path) -> None:
    done = run(project, *templates_option(project), "--no-deployed", "--json")

    assert done.exit_code == 0
    document = json.loads(done.stdout)
    (found,) = document["environments"]
    assert (found["environment"], found["low"], found["currency"]) == ("steps", 146.0, "USD")
    assert document["prices"]["date"] == "2026-09-03"
    assert found["priced_at"] == "2026-09-03"
    assert all(each.startswith("2026-") for each in found["sources"])
    assert "estimating ForecastSteps" in done.stderr


def test_the_date_of_the_prices_is_that_of_the_region(project: Path) -> None:
    (project / "prices.json").unlink()

    done = run(project, *templates_option(project), "--no-deployed")

    assert "prices: eu-central-1 of 2026-09-03; " in done.stdout


def test_a_table_says_what_was_not_compared(project: Path) -> None:
    done = run(project, *templates_option(project))

    assert done.exit_code == 0
    assert "$146.00" in done.stdout
    assert "not compared with what is deployed: there are no AWS credentials" in done.stdout
    assert "one rollout: $0.18 to $0.40" in done.stdout


def test_markdown_for_a_comment(project: Path) -> None:
    done = run(project, *templates_option(project), "--no-deployed", "--markdown")

    assert done.stdout.startswith("## steps in eu-central-1: $146.00\n")


def test_a_budget_exceeded_at_the_least_fails(project: Path) -> None:
    with_budget(project, 100)

    done = run(project, *templates_option(project), "--no-deployed")

    assert done.exit_code == 1
    assert "over budget: steps costs at least $146.00 a month" in done.stdout


def test_a_budget_that_holds_does_not(project: Path) -> None:
    with_budget(project, 146.01)

    assert run(project, *templates_option(project), "--no-deployed").exit_code == 0


def test_two_forms_at_once_are_a_wrong_usage(project: Path) -> None:
    assert run(project, "--json", "--markdown").exit_code == 2


def test_a_folder_without_the_stack_is_refused(project: Path) -> None:
    done = run(project, "--templates", str(project), "--no-deployed")

    assert isinstance(done.exception, ForecastError)
    assert "has no stack ForecastStepsArtifacts; synthesize it first" in str(done.exception)


def test_an_unknown_environment_is_a_wrong_configuration(project: Path) -> None:
    done = run(project, "prod")

    assert isinstance(done.exception, ForecastError)
    assert done.exception.exit_code == 2


def test_prices_are_refreshed_for_the_regions_of_the_environments(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def refresh(config: Path, regions: list[str], _say: Any) -> Path:
        asked.extend([config, regions])
        return config.with_name("prices.json")

    monkeypatch.setattr("forecast_operations.costing.refresh.refresh_prices", refresh)

    done = run(project, "--refresh-prices", "--json")

    assert asked == [project / "forecast.yaml", ["eu-central-1"]]
    assert json.loads(done.stdout)["regions"] == ["eu-central-1"]
