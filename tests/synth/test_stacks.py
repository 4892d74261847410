"""What an environment's two stacks are to each other and to the CDK CLI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_cdk.assertions import Match, Template

from forecast_config import load_config
from forecast_config.settings.tags import TAGS_OF_THE_LIBRARY
from forecast_stacks import add_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def _differences(before: Any, after: Any) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_the_endpoint_stack_is_deployed_after_its_artifacts(
    synthesized: Callable[[str], Any],
) -> None:
    artifacts = synthesized("forecast").manifest["artifacts"]

    assert "ForecastProdArtifacts" in artifacts["ForecastProd"]["dependencies"]
    assert "ForecastDevArtifacts" not in artifacts["ForecastProd"]["dependencies"]


def test_the_archive_is_published_into_the_environments_own_bucket(
    synthesized: Callable[[str], Any], template: Callable[[str], dict[str, Any]]
) -> None:
    files = synthesized("forecast").assets["ForecastProd"]["files"].values()
    (archive,) = [file for file in files if file["source"]["path"].endswith(".tar.gz")]
    (destination,) = archive["destinations"].values()
    buckets = [
        resource["Properties"]["BucketName"]
        for resource in template("ForecastProdArtifacts")["Resources"].values()
        if resource["Type"] == "AWS::S3::Bucket" and "BucketName" in resource["Properties"]
    ]

    assert destination["bucketName"] == (
        "produce-forecast-prod-artifacts-${AWS::AccountId}-ap-southeast-1"
    )
    assert buckets == [
        {
            "Fn::Join": [
                "",
                ["produce-forecast-prod-artifacts-", {"Ref": "AWS::AccountId"}, "-ap-southeast-1"],
            ]
        }
    ]


def test_the_model_reads_the_archive_that_is_published(
    synthesized: Callable[[str], Any], resources: Callable[..., list[dict[str, Any]]]
) -> None:
    files = synthesized("forecast").assets["ForecastProd"]["files"].values()
    (key,) = [
        destination["objectKey"]
        for file in files
        if file["source"]["path"].endswith(".tar.gz")
        for destination in file["destinations"].values()
    ]
    (model,) = resources("ForecastProd", "SageMaker::Model")
    source = model["Properties"]["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]

    assert key.startswith("models/")
    assert source == {
        "CompressionType": "Gzip",
        "S3DataType": "S3Object",
        "S3Uri": {
            "Fn::Sub": (
                f"s3://produce-forecast-prod-artifacts-${{AWS::AccountId}}-ap-southeast-1/{key}"
            )
        },
    }


def test_the_templates_need_no_parameters(synthesized: Callable[[str], Any]) -> None:
    for name, template in synthesized("forecast").templates.items():
        assert "Parameters" not in template, name
        assert "Rules" not in template, name


def test_without_a_new_network_only_the_key_is_exported(
    template: Callable[[str], dict[str, Any]],
) -> None:
    for stack, count in (("ForecastDevArtifacts", 1), ("ForecastDev", 0), ("ForecastProd", 0)):
        outputs = template(stack)["Outputs"].values()
        assert sum("Export" in output for output in outputs) == count, stack


def test_termination_protection_is_that_of_the_settings(
    synthesized: Callable[[str], Any],
) -> None:
    artifacts = synthesized("forecast").manifest["artifacts"]
    protected = {
        name
        for name, entry in artifacts.items()
        if entry["properties"].get("terminationProtection")
    }

    assert protected == {"ForecastProd", "ForecastProdArtifacts"}


def test_every_resource_that_can_be_tagged_carries_the_environments_tags(
    template: Callable[[str], dict[str, Any]],
) -> None:
    untagged_kinds = {
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::Budgets::Budget",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::IAM::ManagedPolicy",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Permission",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }
    for stack in ("ForecastExisting", "ForecastNewArtifacts", "ForecastNew"):
        for name, resource in template(stack)["Resources"].items():
            if resource["Type"] in untagged_kinds:
                continue
            tags = {tag["Key"]: tag["Value"] for tag in resource["Properties"]["Tags"]}
            assert tags["team"] == "forecasting", name
            assert tags["cost-centre"] == "CC-1", name
            assert tags["environment"] in {"existing", "new"}, name


def test_further_tags_are_set_and_cannot_replace_the_fixed_ones(
    resources: Callable[..., list[dict[str, Any]]],
    new_app: Callable[..., Any],
    packaged: Callable[..., Any],
    samples: dict[str, Path],
) -> None:
    for role in resources("ForecastExisting", "IAM::Role"):
        assert {"Key": "data-classification", "Value": "internal"} in role["Properties"]["Tags"]

    settings = load_config(samples["minimal"]).environments["only"]
    tags = settings.tags.model_copy(update={"additional": {"environment": "another"}})
    stacks = add_environment(new_app(), settings.model_copy(update={"tags": tags}), packaged())
    Template.from_stack(stacks.endpoint).has_resource_properties(
        "AWS::IAM::Role",
        {"Tags": Match.array_with([{"Key": "environment", "Value": "only"}])},
    )


def test_a_new_version_changes_what_serves_it_and_its_mark_on_the_dashboard_only(
    synthesize: Callable[..., Any], samples: dict[str, Path], synthesized: Callable[[str], Any]
) -> None:
    before = synthesized("forecast").templates
    after = synthesize(samples["forecast"], version="17").templates

    for name in ("ForecastDev", "ForecastStaging", "ForecastProd"):
        resources = before[name]["Resources"]
        changed = _differences(resources, after[name]["Resources"])
        assert {resources[logical_id]["Type"] for logical_id in changed} == {
            "AWS::SageMaker::Model",
            "AWS::SageMaker::EndpointConfig",
            "AWS::SageMaker::Endpoint",
            "AWS::CloudWatch::Dashboard",
        }
        assert len(changed) == 4
        assert _differences(before[name]["Outputs"], after[name]["Outputs"]) == {"ModelVersion"}
        assert before[f"{name}Artifacts"] == after[f"{name}Artifacts"]


def test_the_same_version_again_changes_nothing(
    synthesize: Callable[..., Any], samples: dict[str, Path], synthesized: Callable[[str], Any]
) -> None:
    again = synthesize(samples["forecast"])

    assert again.templates == synthesized("forecast").templates
    assert again.assets == synthesized("forecast").assets


def test_an_instance_type_that_the_api_does_not_list_is_warned_of(
    synthesized: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    report = json.dumps(synthesized("forecast").report)

    assert "ml.t3.medium is in AWS's price list for hosting" in report
    assert "use ml.t2.medium" in report
    assert "ml.m5.large is in" not in report


def test_outputs_say_what_was_deployed(template: Callable[[str], dict[str, Any]]) -> None:
    outputs = template("ForecastProd")["Outputs"]

    assert outputs["EndpointName"]["Value"] == "produce-forecast-prod"
    assert outputs["ModelVersion"]["Value"] == "16"
    assert outputs["EndpointConfigName"]["Value"]["Fn::GetAtt"][1] == "EndpointConfigName"
    assert all(output["Description"] for output in outputs.values())


def test_no_stack_looks_anything_up_in_an_account(
    new_app: Callable[..., Any], packaged: Callable[..., Any], samples: dict[str, Path]
) -> None:
    settings = load_config(samples["comprehensive"], accounts={"new": "333333333333"})
    app = new_app()
    add_environment(app, settings.environments["new"], packaged())

    app.synth()

    assert "missing" not in json.loads((Path(app.outdir) / "manifest.json").read_text())


def test_an_account_that_is_given_is_written_into_the_stacks(
    new_app: Callable[..., Any], packaged: Callable[..., Any], samples: dict[str, Path]
) -> None:
    settings = load_config(samples["minimal"], accounts={"only": "333333333333"})
    app = new_app()
    add_environment(app, settings.environments["only"], packaged())
    assembly = app.synth()

    environment = assembly.get_stack_by_name("ForecastOnly").environment
    assert (environment.account, environment.region) == ("333333333333", "eu-central-1")


def test_another_project_in_the_account_has_stacks_of_its_own(
    synthesize: Callable[..., Any], samples: dict[str, Path], tmp_path: Path
) -> None:
    config = tmp_path / "forecast.yaml"
    config.write_text("stack_prefix: LeekPrices\n" + samples["minimal"].read_text("utf-8"), "utf-8")

    artifacts = synthesize(config).manifest["artifacts"].items()

    stacks = {name for name, each in artifacts if each["type"] == "aws:cloudformation:stack"}
    assert stacks == {"LeekPricesOnly", "LeekPricesOnlyArtifacts"}


def test_with_an_account_the_bucket_has_a_literal_name_wherever_it_is_used(
    synthesized: Callable[[str], Any], resources: Callable[..., list[dict[str, Any]]]
) -> None:
    name = "forecast-existing-artifacts-111111111111-eu-central-1"
    buckets = [
        bucket["Properties"].get("BucketName")
        for bucket in resources("ForecastExistingArtifacts", "S3::Bucket")
    ]
    files = synthesized("comprehensive").assets["ForecastExisting"]["files"].values()
    (model,) = resources("ForecastExisting", "SageMaker::Model")
    source = model["Properties"]["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    (config,) = resources("ForecastExisting", "SageMaker::EndpointConfig")

    # `cdk deploy --import-existing-resources` knows a resource by a name that needs no evaluation.
    assert name in buckets
    assert {
        destination["bucketName"] for file in files for destination in file["destinations"].values()
    } == {name}
    assert f"s3://{name}/models/" in json.dumps(source["S3Uri"])
    capture = config["Properties"]["DataCaptureConfig"]
    assert capture["DestinationS3Uri"] == f"s3://{name}/data-capture"


def test_every_tag_that_the_stacks_set_is_reserved(
    template: Callable[[str], dict[str, Any]],
) -> None:
    used = {
        tag["Key"]
        for stack in ("ForecastProd", "ForecastProdArtifacts")
        for resource in template(stack)["Resources"].values()
        for tag in resource.get("Properties", {}).get("Tags", ())
    }
    of_a_challenger = {key for key in TAGS_OF_THE_LIBRARY if key.startswith("challenger_")}

    # Name is on the network alone, where a person looks for it.
    assert used - {"Name"} == set(TAGS_OF_THE_LIBRARY) - of_a_challenger
