"""Whole endpoint stacks of the serving modes and comparisons that no sample has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from forecast_config import ForecastError, load_config
from forecast_stacks import add_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_cdk import aws_sagemaker as sagemaker

    from forecast_config import EnvironmentSettings, PackagedModel

    Assembly = Mapping[str, dict[str, Any]]

CONFIG = """
model: {name: forecaster}
allowed_regions: [eu-central-1]
defaults:
  region: eu-central-1
  image: {kind: own, python: "3.13"}
  network: {kind: none, isolated: false}
  data_capture: null
  autoscaling: null
  termination_protection: false
  alarms: {endpoint_down: null}
  dashboard: false
  tags: {team: forecasting, cost_centre: CC-1}
environments:
  shadow:
    endpoint:
      kind: realtime
      name: f-shadow
      instance_type: ml.m5.large
      initial_instance_count: 2
    data_capture: {sampling_percent: 50}
    rollout:
      kind: shadow
      challenger: {alias: challenger}
      sampling_percent: 50
      instance_type: ml.c5.large
  split:
    endpoint: {kind: realtime, name: f-split, instance_type: ml.m5.large, initial_instance_count: 1}
    rollout: {kind: split, challenger: {version: "17"}, challenger_percent: 10}
  serverless:
    endpoint: {kind: serverless, name: f-serverless, memory_mib: 3072}
    rollout: {kind: all_at_once}
  queue:
    endpoint: {kind: async, name: f-queue, instance_type: ml.m5.large}
    autoscaling:
      min_instance_count: 0
      max_instance_count: 3
      targets: {backlog: {kind: backlog_per_instance, requests: 4}}
    rollout: {kind: all_at_once}
"""


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, EnvironmentSettings]:
    config = tmp_path_factory.mktemp("config") / "forecast.yaml"
    config.write_text(CONFIG)
    return load_config(config).environments


@pytest.fixture(scope="module")
def assembly(
    environments: Mapping[str, EnvironmentSettings],
    new_app: Callable[..., Any],
    packaged: Callable[..., PackagedModel],
) -> Assembly:
    """Every JSON document of a synth of all environments, by its file's name."""
    app = new_app()
    for settings in environments.values():
        compares = settings.rollout.kind in {"shadow", "split"}
        challenger = packaged("17") if compares else None
        add_environment(app, settings, packaged("16"), challenger=challenger)
    folder = Path(app.synth().directory)
    return {path.name: json.loads(path.read_text()) for path in folder.glob("*.json")}


@pytest.fixture(scope="module")
def found(assembly: Assembly) -> Callable[[str, str], dict[str, dict[str, Any]]]:
    """Resources of one type in an endpoint stack, by logical id."""

    def get(stack: str, kind: str) -> dict[str, dict[str, Any]]:
        return {
            name: resource
            for name, resource in assembly[f"{stack}.template.json"]["Resources"].items()
            if resource["Type"] == f"AWS::{kind}"
        }

    return get


def _models(found: Any, stack: str) -> tuple[dict[str, Any], dict[str, Any]]:
    models = found(stack, "SageMaker::Model")
    (champion,) = (model for name, model in models.items() if name.startswith("Model"))
    (challenger,) = (model for name, model in models.items() if name.startswith("Challenger"))
    return champion, challenger


@pytest.mark.parametrize("stack", ["ForecastShadow", "ForecastSplit"])
def test_champion_and_challenger_are_told_their_own_names(stack: str, found: Any) -> None:
    names = [
        model["Properties"]["PrimaryContainer"]["Environment"]["FORECAST_VARIANT_NAME"]
        for model in _models(found, stack)
    ]

    assert names == ["AllTraffic", "AllTraffic-challenger"]


def test_a_challenger_is_kept_when_its_comparison_ends(found: Any) -> None:
    champion, challenger = _models(found, "ForecastSplit")

    # The configuration that an undone update goes back to still names it.
    assert challenger["DeletionPolicy"] == "RetainExceptOnCreate"
    assert champion["DeletionPolicy"] == "Delete"
    assert challenger["UpdateReplacePolicy"] == champion["UpdateReplacePolicy"] == "Retain"


def test_each_model_carries_its_own_lineage_and_the_endpoint_that_of_both(found: Any) -> None:
    def tags(resource: dict[str, Any]) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in resource["Properties"]["Tags"]}

    champion, challenger = _models(found, "ForecastSplit")
    assert tags(champion)["model_version"] == "16"
    assert tags(challenger)["model_version"] == "17"
    for kind in ("SageMaker::EndpointConfig", "SageMaker::Endpoint"):
        (resource,) = found("ForecastSplit", kind).values()
        assert tags(resource)["model_version"] == "16"
        assert tags(resource)["challenger_model_version"] == "17"


def test_a_shadow_never_undoes_a_rollout_and_a_split_does(found: Any) -> None:
    def watched(stack: str) -> set[str]:
        return {
            dimension["Value"]
            for alarm in found(stack, "CloudWatch::Alarm").values()
            if "rollback" in alarm["Properties"]["AlarmName"]
            for query in alarm["Properties"].get("Metrics", [])
            for dimension in query.get("MetricStat", {}).get("Metric", {}).get("Dimensions", [])
            if dimension["Name"] == "VariantName"
        }

    assert watched("ForecastShadow") == {"AllTraffic"}
    assert watched("ForecastSplit") == {"AllTraffic", "AllTraffic-challenger"}


def test_images_of_the_same_content_are_built_once_and_pulled_by_one_permission(
    assembly: Assembly, found: Any
) -> None:
    (image,) = assembly["ForecastShadow.assets.json"]["dockerImages"].values()
    pulled = [
        statement
        for policy in found("ForecastShadow", "IAM::ManagedPolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "ecr:BatchGetImage" in statement["Action"]
    ]

    assert image["source"]["platform"] == "linux/amd64"
    assert len(pulled) == 1


def test_outputs_name_both_versions(assembly: Assembly) -> None:
    outputs = assembly["ForecastSplit.template.json"]["Outputs"]

    assert outputs["ModelVersion"]["Value"] == "16"
    assert outputs["ChallengerVersion"]["Value"] == "17"
    assert "ChallengerVersion" not in assembly["ForecastQueue.template.json"]["Outputs"]


def test_outputs_say_where_an_asynchronous_endpoint_is_asked(assembly: Assembly) -> None:
    outputs = assembly["ForecastQueue.template.json"]["Outputs"]

    assert "/async/requests/" in json.dumps(outputs["AsyncRequests"]["Value"])
    topics = {outputs[name]["Value"]["Ref"] for name in ("AsyncSuccessTopic", "AsyncErrorTopic")}
    assert len(topics) == 2


def test_the_role_of_an_asynchronous_endpoint_publishes_to_its_two_topics_only(
    found: Any, assembly: Assembly
) -> None:
    outputs = assembly["ForecastQueue.template.json"]["Outputs"]
    statements = [
        statement
        for policy in found("ForecastQueue", "IAM::ManagedPolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "sns:Publish"
    ]

    (statement,) = statements
    assert {resource["Ref"] for resource in statement["Resource"]} == {
        outputs[name]["Value"]["Ref"] for name in ("AsyncSuccessTopic", "AsyncErrorTopic")
    }


def test_only_an_asynchronous_request_may_take_an_hour(found: Any) -> None:
    limits = {
        stack: model["Properties"]["PrimaryContainer"]["Environment"].get(
            "SAGEMAKER_MODEL_SERVER_TIMEOUT"
        )
        for stack in ("ForecastQueue", "ForecastServerless")
        for model in found(stack, "SageMaker::Model").values()
    }

    assert limits == {"ForecastQueue": "3600", "ForecastServerless": None}


def test_a_serverless_endpoint_has_no_vpc_and_no_guard(found: Any) -> None:
    (model,) = found("ForecastServerless", "SageMaker::Model").values()
    (endpoint,) = found("ForecastServerless", "SageMaker::Endpoint").values()

    assert "VpcConfig" not in model["Properties"]
    assert model["Properties"]["EnableNetworkIsolation"] is False
    assert "DeploymentConfig" not in endpoint["Properties"]
    assert "DependsOn" not in endpoint


def test_one_instance_is_warned_of_by_name(assembly: Assembly) -> None:
    report = json.dumps(assembly["validation-report.json"])

    assert "split runs one instance" in report
    for unwarned in ("queue", "shadow", "serverless"):
        assert f"{unwarned} runs one instance" not in report


def test_a_comparison_without_a_challenger_says_what_to_run(
    environments: Mapping[str, EnvironmentSettings],
    new_app: Callable[..., Any],
    packaged: Callable[..., PackagedModel],
) -> None:
    with pytest.raises(ForecastError, match="got none; run: forecast resolve split"):
        add_environment(new_app(), environments["split"], packaged())


def test_rejects_a_challenger_that_nothing_compares(
    environments: Mapping[str, EnvironmentSettings],
    new_app: Callable[..., Any],
    packaged: Callable[..., PackagedModel],
) -> None:
    with pytest.raises(ValueError, match="of kind shadow or split for a challenger, got all_at_"):
        add_environment(new_app(), environments["queue"], packaged(), challenger=packaged("17"))


@pytest.mark.parametrize("kind", ["serverless", "queue"])
def test_rejects_a_comparison_on_a_mode_that_has_one_variant(
    kind: str,
    environments: Mapping[str, EnvironmentSettings],
    new_app: Callable[..., Any],
    packaged: Callable[..., PackagedModel],
) -> None:
    settings = environments[kind].model_copy(update={"rollout": environments["split"].rollout})

    with pytest.raises(ForecastError, match="expected an endpoint of kind realtime for the split"):
        add_environment(new_app(), settings, packaged(), challenger=packaged("17"))


def test_a_split_goes_back_to_the_share_of_the_file_when_asked_to(
    environments: Mapping[str, EnvironmentSettings],
    new_app: Callable[..., Any],
    packaged: Callable[..., PackagedModel],
) -> None:
    stacks = add_environment(
        new_app(),
        environments["split"],
        packaged(),
        challenger=packaged("17"),
        reset_weights=True,
    )

    endpoint = cast("sagemaker.CfnEndpoint", stacks.endpoint.endpoint.node.find_child("Resource"))
    kinds = stacks.endpoint.resolve(endpoint.exclude_retained_variant_properties)
    assert kinds == [
        {"variantPropertyType": "DesiredInstanceCount"},
        {"variantPropertyType": "DesiredWeight"},
    ]
