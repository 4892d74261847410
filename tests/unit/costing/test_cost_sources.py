"""Where a report takes what it says from: the synth, what is deployed, and what was measured."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from forecast_config import ForecastError, load_config
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.refusals import CloudError
from forecast_operations.costing.running import find_running
from forecast_operations.costing.sources import Wishes, report_of
from forecast_operations.costing.usage import usage_of
from forecast_operations.deployed.live import Live
from forecast_operations.records.store import RecordStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_operations.updates.obstacles import Templates


class Stacks:
    """CloudFormation with the templates of stacks, or an error."""

    def __init__(
        self, found: dict[str, Any], error: str = "", status: str = "UPDATE_COMPLETE"
    ) -> None:
        self._found, self._error, self._status = found, error, status

    def describe_stacks(self, **arguments: Any) -> dict[str, Any]:
        self._check(arguments["StackName"])
        outputs = [{"OutputKey": "EndpointConfigName", "OutputValue": "config-of-the-stack"}]
        return {"Stacks": [{"StackStatus": self._status, "Outputs": outputs}]}

    def get_template(self, **arguments: Any) -> dict[str, Any]:
        self._check(arguments["StackName"])
        return {"TemplateBody": self._found[arguments["StackName"]]}

    def _check(self, name: str) -> None:
        if self._error or name not in self._found:
            code = self._error or "ValidationError"
            message = "no" if self._error else f"Stack with id {name} does not exist"
            raise ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


def wishes(project: Path, **changes: Any) -> Wishes:
    return Wishes(
        config=project / "forecast.yaml", templates=project / "cdk.out", **{"days": 14, **changes}
    )


def test_what_is_deployed_is_estimated_from_its_own_templates(
    project: Path, templates: Callable[..., Templates]
) -> None:
    config = load_config(project / "forecast.yaml")
    deployed = templates({"InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1})
    stacks = {"ForecastSteps": deployed.endpoint, "ForecastStepsArtifacts": deployed.artifacts}
    cloud = Cloud("eu-central-1", clients={"cloudformation": Stacks(stacks)})

    found = report_of(config, config.environments["steps"], wishes(project, requests=0.0), cloud)

    assert found.money.difference is not None
    assert found.money.difference.lines == ()
    assert found.money.after.low == pytest.approx(146)


def test_where_nothing_is_deployed_everything_is_new(project: Path) -> None:
    config = load_config(project / "forecast.yaml")
    cloud = Cloud("eu-central-1", clients={"cloudformation": Stacks({})})

    found = report_of(config, config.environments["steps"], wishes(project), cloud)

    assert found.money.before is None
    assert found.money.difference is not None
    assert found.money.difference.low == pytest.approx(146)


def test_what_a_first_deployment_left_when_it_failed_costs_nothing(
    project: Path, templates: Callable[..., Templates]
) -> None:
    config = load_config(project / "forecast.yaml")
    made = templates()
    stacks = {"ForecastSteps": made.endpoint, "ForecastStepsArtifacts": made.artifacts}
    clients = {"cloudformation": Stacks(stacks, status="ROLLBACK_COMPLETE")}
    cloud = Cloud("eu-central-1", clients=clients)

    found = report_of(config, config.environments["steps"], wishes(project), cloud)

    assert found.money.before is None


def test_a_refusal_to_compare_does_not_stop_the_estimate(project: Path) -> None:
    config = load_config(project / "forecast.yaml")
    cloud = Cloud("eu-central-1", clients={"cloudformation": Stacks({}, "AccessDenied")})

    found = report_of(config, config.environments["steps"], wishes(project), cloud)

    assert found.money.difference is None
    assert "cloudformation:DescribeStacks" in found.not_compared


class Elsewhere:
    """Credentials of some account."""

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "999999999999", "Arn": "arn:aws:iam::999999999999:user/me"}


def test_another_account_is_not_compared_with(project: Path) -> None:
    config = load_config(project / "forecast.yaml")
    steps = config.environments["steps"].model_copy(update={"account": "111111111111"})
    cloud = Cloud("eu-central-1", clients={"sts": Elsewhere(), "cloudformation": Stacks({})})

    found = report_of(config, steps, wishes(project), cloud)

    assert found.money.difference is None
    assert "999999999999" in found.not_compared


def test_another_account_is_not_measured(project: Path) -> None:
    config = load_config(project / "forecast.yaml")
    steps = config.environments["steps"].model_copy(update={"account": "111111111111"})
    cloud = Cloud("eu-central-1", clients={"sts": Elsewhere()})

    with pytest.raises(ForecastError, match="expected credentials of account 111111111111"):
        report_of(config, steps, wishes(project, advises=True, compares=False), cloud)


def test_the_archive_of_the_synth_is_weighed(project: Path) -> None:
    assert usage_of(project / "cdk.out").archive_bytes == 2000
    assert usage_of(project).archive_bytes is None


class Endpoints:
    """SageMaker with an endpoint on instances, or in its off hours without."""

    def __init__(
        self,
        instance_type: str = "ml.m5.large",
        *,
        away: bool = False,
        made: datetime | None = None,
    ) -> None:
        self._type, self._away = instance_type, away
        self._made = datetime.now(UTC) - timedelta(days=30) if made is None else made

    def describe_endpoint(self, **_: Any) -> dict[str, Any]:
        if self._away:
            error = {"Error": {"Code": "ValidationException", "Message": "Could not find it"}}
            raise ClientError(error, "DescribeEndpoint")
        return {"EndpointConfigName": "config-of-the-endpoint"}

    def describe_endpoint_config(self, **arguments: Any) -> dict[str, Any]:
        expected = "config-of-the-stack" if self._away else "config-of-the-endpoint"
        assert arguments["EndpointConfigName"] == expected
        variant = {"VariantName": "AllTraffic", "InstanceType": self._type}
        return {"ProductionVariants": [variant], "CreationTime": self._made}


class Silent:
    """CloudWatch that refuses."""

    def get_paginator(self, _: str) -> Silent:
        return self

    def paginate(self, **_: Any) -> list[Any]:
        error = {"Error": {"Code": "AccessDenied", "Message": "no"}}
        raise ClientError(error, "GetMetricData")


def test_advice_without_metrics_is_an_error(project: Path) -> None:
    config = load_config(project / "forecast.yaml")
    clients = {"cloudwatch": Silent(), "sagemaker": Endpoints()}
    cloud = Cloud("eu-central-1", clients=clients)

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
        values = {"invocations": [1000.0], "duration": [200_000.0], "cpu": [200.0] * 200}
        results = [
            {"Id": query["Id"], "Values": (found := values.get(query["Id"], []))}
            | {"Timestamps": [datetime.now(UTC)] * len(found)}
            for query in arguments["MetricDataQueries"]
        ]
        return [{"MetricDataResults": results}]


def test_measured_requests_and_durations_take_the_place_of_assumptions(project: Path) -> None:
    config = load_config(project / "forecast.yaml")
    clients = {
        "cloudwatch": Quiet(),
        "sagemaker": Endpoints(away=True),
        "cloudformation": Stacks({"ForecastSteps": {}}),
    }
    cloud = Cloud("eu-central-1", clients=clients)

    found = report_of(
        config,
        config.environments["steps"],
        wishes(project, advises=True, compares=False),
        cloud,
    )

    assert found.advice is not None
    assert [each.kind for each in found.advice] == ["larger type"]
    assert "requests and answers" in {line.item for line in found.money.after.lines}
    assert not any("nobody said" in sentence for sentence in found.money.after.assumptions)


def test_utilization_is_that_of_the_type_that_serves(project: Path) -> None:
    config = load_config(project / "forecast.yaml")
    clients = {"cloudwatch": Quiet(), "sagemaker": Endpoints("ml.m5.xlarge")}
    cloud = Cloud("eu-central-1", clients=clients)

    found = report_of(
        config,
        config.environments["steps"],
        wishes(project, advises=True, compares=False),
        cloud,
    )

    assert found.advice is not None
    message = found.advice[0].message
    assert "CPU 50%" in message
    assert "on ml.m5.xlarge, which serves now; the configuration says ml.m5.large" in message


@pytest.mark.parametrize(
    ("types", "days"),
    [
        ([], 3),
        (["ml.m5.large", "ml.m5.large"], 20),
        (["ml.m5.large", "ml.c5.large", "ml.m5.large"], 10),
        (["ml.c5.large", "ml.m5.large"], 3),
    ],
)
def test_earlier_deployments_on_the_same_type_count_too(
    project: Path, monkeypatch: pytest.MonkeyPatch, types: list[str], days: int
) -> None:
    now = datetime.now(UTC)
    records = [
        SimpleNamespace(
            variants=[SimpleNamespace(name="AllTraffic", shadow=False, instance_type=each)],
            started_at=now - timedelta(days=10 * number),
        )
        for number, each in enumerate(types, start=1)
    ]
    store = SimpleNamespace(records=lambda: iter(records))
    monkeypatch.setattr(RecordStore, "of", lambda *_: store)
    made = Endpoints(made=now - timedelta(days=3))
    settings = load_config(project / "forecast.yaml").environments["steps"]

    found = find_running(Live(Cloud("eu-central-1", clients={"sagemaker": made})), settings)

    assert found is not None
    assert found.since == now - timedelta(days=days)


def test_where_nothing_is_deployed_nothing_is_advised(project: Path) -> None:
    config = load_config(project / "forecast.yaml")
    clients = {"sagemaker": Endpoints(away=True), "cloudformation": Stacks({})}
    cloud = Cloud("eu-central-1", clients=clients)

    found = report_of(
        config,
        config.environments["steps"],
        wishes(project, advises=True, compares=False),
        cloud,
    )

    assert found.advice is not None
    assert "nothing of it is deployed" in found.advice[0].message
