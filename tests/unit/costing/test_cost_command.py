from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
import yaml
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from forecast_config import ForecastError, load_config
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.refusals import CloudError
from forecast_operations.commands import cost
from forecast_operations.costing import sources
from forecast_operations.costing.sources import Wishes, report_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from forecast_operations.costing.prices import Prices
    from forecast_operations.updates.obstacles import Templates

SAMPLE = Path(__file__).parents[2] / "data/modes.yaml"

app = typer.Typer()
app.command()(cost.cost_command)


class Stacks:
    """CloudFormation with the templates of stacks, or an error."""

    def __init__(self, found: dict[str, Any], error: str = "") -> None:
        self._found, self._error = found, error

    def get_template(self, **arguments: Any) -> dict[str, Any]:
        name = arguments["StackName"]
        if self._error or name not in self._found:
            code = self._error or "ValidationError"
            message = "no" if self._error else f"Stack with id {name} does not exist"
            raise ClientError({"Error": {"Code": code, "Message": message}}, "GetTemplate")
        return {"TemplateBody": self._found[name]}


@pytest.fixture
def project(
    tmp_path: Path,
    templates: Callable[..., Templates],
    prices: Prices,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A project with a synthesized environment `steps`, prices of a test, and no AWS."""
    document = yaml.safe_load(SAMPLE.read_text("utf-8"))
    document["environments"] = {"steps": document["environments"]["steps"]}
    (tmp_path / "forecast.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (tmp_path / "prices.json").write_text(prices.model_dump_json(), encoding="utf-8")
    made = templates()
    folder = tmp_path / "cdk.out"
    folder.mkdir()
    for stack, template in (
        ("ForecastStepsArtifacts", made.artifacts),
        ("ForecastSteps", made.endpoint),
    ):
        (folder / f"{stack}.template.json").write_text(json.dumps(template), encoding="utf-8")
    (folder / "asset.0123.gz").write_bytes(b"x" * 2000)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    return tmp_path


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


def wishes(project: Path, **changes: Any) -> Wishes:
    return Wishes(config=project / "forecast.yaml", templates=project / "cdk.out", **changes)


def test_what_is_deployed_is_estimated_from_its_own_templates(
    project: Path, templates: Callable[..., Templates]
) -> None:
    config = load_config(project / "forecast.yaml")
    deployed = templates({"InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1})
    stacks = {"ForecastSteps": deployed.endpoint, "ForecastStepsArtifacts": deployed.artifacts}
    cloud = Cloud("eu-central-1", clients={"cloudformation": Stacks(stacks)})

    found = report_of(config, config.environments["steps"], wishes(project, requests=0.0), cloud)

    assert found.difference is not None
    assert found.difference.lines == ()
    assert found.estimate.low == pytest.approx(146)


def test_where_nothing_is_deployed_everything_is_new(project: Path) -> None:
    config = load_config(project / "forecast.yaml")
    cloud = Cloud("eu-central-1", clients={"cloudformation": Stacks({})})

    found = report_of(config, config.environments["steps"], wishes(project), cloud)

    assert found.difference is not None
    assert found.difference.low == pytest.approx(146)


def test_a_refusal_to_compare_does_not_stop_the_estimate(project: Path) -> None:
    config = load_config(project / "forecast.yaml")
    cloud = Cloud("eu-central-1", clients={"cloudformation": Stacks({}, "AccessDenied")})

    found = report_of(config, config.environments["steps"], wishes(project), cloud)

    assert found.difference is None
    assert "cloudformation:GetTemplate" in found.not_compared


class Elsewhere:
    """Credentials of some account."""

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "999999999999", "Arn": "arn:aws:iam::999999999999:user/me"}


def test_another_account_is_not_compared_with(project: Path) -> None:
    config = load_config(project / "forecast.yaml")
    steps = config.environments["steps"].model_copy(update={"account": "111111111111"})
    cloud = Cloud("eu-central-1", clients={"sts": Elsewhere(), "cloudformation": Stacks({})})

    found = report_of(config, steps, wishes(project), cloud)

    assert found.difference is None
    assert "999999999999" in found.not_compared


def test_the_archive_of_the_synth_is_weighed(project: Path) -> None:
    assert sources._archive_bytes(project / "cdk.out") == 2000
    assert sources._archive_bytes(project) is None


class Silent:
    """CloudWatch that refuses."""

    def get_paginator(self, _: str) -> Silent:
        return self

    def paginate(self, **_: Any) -> list[Any]:
        error = {"Error": {"Code": "AccessDenied", "Message": "no"}}
        raise ClientError(error, "GetMetricData")


def test_advice_without_metrics_is_an_error(project: Path) -> None:
    config = load_config(project / "forecast.yaml")
    cloud = Cloud("eu-central-1", clients={"cloudwatch": Silent()})

    with pytest.raises(CloudError, match="cloudwatch:GetMetricData"):
        report_of(
            config,
            config.environments["steps"],
            wishes(project, advises=True, compares=False),
            cloud,
        )


class Quiet(Silent):
    """CloudWatch that knows a little."""

    def paginate(self, **arguments: Any) -> list[Any]:
        values = {"invocations": [1000.0], "duration": [200_000.0]}
        results = [
            {"Id": query["Id"], "Values": values.get(query["Id"], [])}
            for query in arguments["MetricDataQueries"]
        ]
        return [{"MetricDataResults": results}]


def test_measured_requests_and_durations_take_the_place_of_assumptions(project: Path) -> None:
    config = load_config(project / "forecast.yaml")
    cloud = Cloud("eu-central-1", clients={"cloudwatch": Quiet()})

    found = report_of(
        config,
        config.environments["steps"],
        wishes(project, advises=True, compares=False),
        cloud,
    )

    assert found.advice is not None
    assert [each.kind for each in found.advice] == ["not enough data"]
    assert "requests and answers" in {line.item for line in found.estimate.lines}
    assert not any("nobody said" in sentence for sentence in found.estimate.assumptions)
