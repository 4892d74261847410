from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.exceptions
import numpy as np
import pandas as pd
import pytest
import xgboost

if TYPE_CHECKING:
    from conftest import Project

REPOSITORY = Path(__file__).parents[3]

pytestmark = pytest.mark.local

ENDPOINT = "produce-forecast-prod"
VARIANT = f"endpoint/{ENDPOINT}/variant/AllTraffic"
UNTIMED = ("prediction_timestamp",)


def _without_time(predictions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: row[key] for key in row if key not in UNTIMED} for row in predictions]


def _in_python(root: Path, request: dict[str, Any]) -> list[tuple[float, float]]:
    """Price and demand by XGBoost and the training code alone, from the registry's own files."""
    from produce_market.contract import design_matrix  # noqa: PLC0415

    (model,) = root.glob("mlruns/**/model.ubj")
    (serving,) = root.glob("mlruns/**/artifacts/serving.json")
    inputs = {entry["name"]: entry for entry in json.loads(serving.read_text())["inputs"]}
    rows = pd.DataFrame(request["instances"])
    rows["date"] = pd.to_datetime(rows["date"])
    rows = rows.astype({name: "float64" for name in rows if name not in inputs})
    matrix = design_matrix(rows, inputs["item_code"]["categories"])
    raw = xgboost.Booster(model_file=model).inplace_predict(matrix).astype("float64")
    return list(zip(np.exp(raw[:, 0]), np.expm1(raw[:, 1]), strict=True))


def test_the_artifacts_stack_was_brought_along(deployed: Project) -> None:
    stacks = deployed.client("cloudformation").describe_stacks()["Stacks"]

    status = {stack["StackName"]: stack["StackStatus"] for stack in stacks}

    assert status["ForecastProdArtifacts"] == status["ForecastProd"] == "CREATE_COMPLETE"


def test_the_endpoint_serves_with_its_fixed_name(deployed: Project) -> None:
    endpoint = deployed.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)

    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["ProductionVariants"][0]["CurrentInstanceCount"] == 2


def test_the_archive_is_in_the_environment_s_own_bucket(deployed: Project) -> None:
    sagemaker = deployed.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])

    source = model["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]

    assert source["S3Uri"].startswith(f"s3://{ENDPOINT}-artifacts-")
    assert "/models/" in source["S3Uri"]
    assert source["CompressionType"] == "Gzip"


def test_forecasts_come_in_the_order_asked_and_as_agreed(deployed: Project) -> None:
    request = deployed.request()

    predictions = deployed.forecast(request)

    assert len(predictions) == len(request["instances"]) == 21
    backwards = deployed.forecast({"instances": request["instances"][::-1]})
    assert _without_time(backwards[::-1]) == _without_time(predictions)
    for row in predictions:
        assert list(row) == [
            "forecasted_price",
            "forecasted_demand",
            "confidence_interval",
            "model_version",
            "prediction_timestamp",
        ]
        low, high = row["confidence_interval"]["forecasted_price"]
        assert 0 <= low <= row["forecasted_price"] <= high
        assert row["model_version"] == "1"
        assert row["prediction_timestamp"].endswith("Z")


def test_an_answer_has_the_numbers_of_predicting_in_python(
    deployed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(REPOSITORY / "examples")
    request = deployed.request()

    predictions = deployed.forecast(request)

    answered = [(row["forecasted_price"], row["forecasted_demand"]) for row in predictions]
    expected = _in_python(deployed.root, request)
    np.testing.assert_allclose(answered, expected, rtol=1e-12)


def test_the_aws_cli_gets_the_same_answer(deployed: Project, tmp_path: Path) -> None:
    request = deployed.request()
    (tmp_path / "request.json").write_text(json.dumps(request))
    answer = tmp_path / "answer.json"

    deployed.run(
        "aws", "sagemaker-runtime", "invoke-endpoint", "--endpoint-name", ENDPOINT,
        "--content-type", "application/json", "--body", f"fileb://{tmp_path}/request.json",
        str(answer),
    )  # fmt: skip

    from_cli = json.loads(answer.read_text())["predictions"]
    assert _without_time(from_cli) == _without_time(deployed.forecast(request))


def test_csv_gets_the_same_answer(deployed: Project) -> None:
    request = deployed.request()
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(request["instances"][0]))
    writer.writeheader()
    writer.writerows(request["instances"])

    answer = deployed.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=ENDPOINT, ContentType="text/csv", Body=text.getvalue()
    )

    predictions = json.loads(answer["Body"].read())["predictions"]
    assert _without_time(predictions) == _without_time(deployed.forecast(request))


def test_a_bad_row_is_refused_by_name_and_nothing_else_leaks(deployed: Project) -> None:
    request = deployed.request()
    del request["instances"][1]["quantity_sold"]

    with pytest.raises(botocore.exceptions.ClientError) as caught:
        deployed.forecast(request)

    error = caught.value.response
    assert error["Error"]["Code"] == "ModelError"
    assert error["OriginalStatusCode"] == 400
    assert json.loads(error["OriginalMessage"])["error"]["feature"] == "quantity_sold"
    assert json.loads(error["OriginalMessage"])["error"]["row"] == 1
    assert "Traceback" not in error["OriginalMessage"]


def test_scaling_is_registered_with_its_bounds_and_its_policy(deployed: Project) -> None:
    scaling = deployed.client("application-autoscaling")

    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]

    assert target["ResourceId"] == VARIANT
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 10)
    assert policy["PolicyType"] == "TargetTrackingScaling"
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == 60
    queries = tracking["CustomizedMetricSpecification"]["Metrics"]
    assert any(query.get("Expression", "").endswith("/ 4") for query in queries)


def test_the_alarms_watch_the_endpoint_and_the_new_fleet(deployed: Project) -> None:
    endpoint = deployed.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
    alarms = deployed.client("cloudwatch").describe_alarms()["MetricAlarms"]

    by_name = {alarm["AlarmName"]: alarm for alarm in alarms}

    assert {f"{ENDPOINT}-high-latency-medium", f"{ENDPOINT}-error-rate-high"} <= set(by_name)
    assert by_name[f"{ENDPOINT}-high-latency-medium"]["Threshold"] == 2_000_000
    rollback = [
        alarm["AlarmName"]
        for alarm in endpoint["LastDeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    ]
    assert rollback
    watched = [
        query["MetricStat"]["Metric"]
        for name in rollback
        for query in by_name[name]["Metrics"]
        if "MetricStat" in query
    ]
    assert watched
    fleet = {"Name": "EndpointConfigName", "Value": endpoint["EndpointConfigName"]}
    assert all(fleet in metric["Dimensions"] for metric in watched)


def test_invocations_show_up_as_metrics(deployed: Project) -> None:
    import datetime as dt  # noqa: PLC0415

    deployed.forecast(deployed.request())
    now = dt.datetime.now(dt.UTC)

    statistics = deployed.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[
            {"Name": "EndpointName", "Value": ENDPOINT},
            {"Name": "VariantName", "Value": "AllTraffic"},
        ],
        StartTime=now - dt.timedelta(hours=1),
        EndTime=now + dt.timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )

    assert sum(point["Sum"] for point in statistics["Datapoints"]) >= 1


def test_after_a_deployment_nothing_differs(deployed: Project) -> None:
    done = deployed.run("cdk", "diff", "ForecastProd", "--fail")

    assert "There were no differences" in done.stdout + done.stderr
