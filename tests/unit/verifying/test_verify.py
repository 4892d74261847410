"""A deployment is proved by what AWS says of it and by what it answers, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import ForecastError
from forecast_operations.records.record import DeploymentRecord

if TYPE_CHECKING:
    from collections.abc import Callable

OFF_HOURS = {"OffHoursStateMachineArn": "arn:aws:states:eu-central-1:1:stateMachine:off"}


def test_what_is_as_it_was_deployed_is_verified(deployed: Any, checks_failed: Any) -> None:
    before = datetime.now(UTC)

    record = deployed.verify()

    assert checks_failed(record) == {}
    assert record.outcome == "verified"
    assert [check.name for check in record.checks] == [
        "stack",
        "endpoint",
        "configuration",
        "variants",
        "instances AllTraffic",
        "image AllTraffic",
        "archive AllTraffic",
        "object AllTraffic",
        "golden AllTraffic example",
        "golden AllTraffic csv",
        "golden AllTraffic missing_feature",
        "latency AllTraffic",
    ]
    (variant,) = record.variants
    assert variant.archive_digest == record.archive_digest
    assert (variant.model_version, variant.instances) == ("1", 2)
    assert variant.image == "683313688378.dkr.ecr.eu-central-1.amazonaws.com/serving:1"
    assert record.started_at >= before
    assert record.record_id.startswith(f"{record.started_at:%Y%m%dT%H%M%SZ}-")
    assert record.card.outputs == {"price": "RMB/kg"}
    assert DeploymentRecord.model_validate_json(record.model_dump_json()) == record


def test_the_only_variant_is_asked_without_its_name_and_warmed_up(deployed: Any) -> None:
    deployed.verify()

    assert deployed.runtime.targets == [None] * 4


def test_each_variant_of_a_split_is_asked_what_its_own_archive_knows(
    world: Any, checks_failed: Any
) -> None:
    assert world.deploy("1", split=world.packaged("2")).succeeded

    record = world.verify(challenger="2")

    assert checks_failed(record) == {}
    assert world.runtime.targets == ["AllTraffic"] * 4 + ["AllTraffic-challenger"] * 4
    asked = [(each.variant, each.body) for each in record.exchanges if each.name == "example"]
    assert asked == [("AllTraffic", "example of 1"), ("AllTraffic-challenger", "example of 2")]
    assert checks_failed(world.verify(challenger="3")).keys() == {
        "archive AllTraffic-challenger",
        "golden AllTraffic-challenger",
    }


def test_a_variant_that_the_settings_do_not_know_is_said(world: Any, checks_failed: Any) -> None:
    assert world.deploy("1", split=world.packaged("2")).succeeded

    found = checks_failed(world.verify())

    assert list(found) == ["archive AllTraffic-challenger"]
    assert "the settings have changed since the deployment" in (
        found["archive AllTraffic-challenger"].advice
    )


def test_a_shadow_variant_is_looked_at_and_not_asked(world: Any, checks_failed: Any) -> None:
    assert world.deploy("1", shadow=world.packaged("2")).succeeded

    record = world.verify(challenger="2")

    assert checks_failed(record) == {}
    (said,) = [each for each in record.checks if each.name == "golden AllTraffic-challenger"]
    assert said.found == "not asked: nobody gets the answers of a shadow variant"
    assert {each.variant for each in record.exchanges} == {"AllTraffic"}
    assert [(each.name, each.shadow) for each in record.variants] == [
        ("AllTraffic", False),
        ("AllTraffic-challenger", True),
    ]
    assert record.challenger is not None


def test_another_version_than_the_locked_one_is_said_by_name(
    deployed: Any, checks_failed: Any
) -> None:
    record = deployed.verify("2")

    found = checks_failed(record)
    assert list(found) == ["archive AllTraffic", "golden AllTraffic"]
    assert found["archive AllTraffic"].advice.startswith(
        "the lock says 2, 1 is deployed: deploy the lock's first (forecast deploy prod), or pin"
    )
    assert "--model-version 1" in found["archive AllTraffic"].advice
    assert record.outcome == "failed"
    assert record.exchanges == ()
    assert deployed.runtime.targets == []


def test_an_archive_that_its_tag_is_wrong_about_is_not_the_locked_one(
    deployed: Any, checks_failed: Any
) -> None:
    model = deployed.aws.client("sagemaker")
    (arn,) = [each["ModelArn"] for each in model.list_models()["Models"]]
    other = deployed.packaged("2").archive_digest
    model.add_tags(ResourceArn=arn, Tags=[{"Key": "archive_digest", "Value": other}])

    record = deployed.verify("2")

    assert record.variants[0].archive_digest is None
    assert "archive AllTraffic" in checks_failed(record)


def test_an_archive_that_is_gone_from_the_bucket_is_missed(
    deployed: Any, checks_failed: Any
) -> None:
    s3 = deployed.aws.client("s3")
    (key,) = [each["Key"] for each in s3.list_objects_v2(Bucket="produce-artifacts")["Contents"]]
    s3.delete_object(Bucket="produce-artifacts", Key=key)

    found = checks_failed(deployed.verify())

    assert list(found) == ["object AllTraffic"]
    assert found["object AllTraffic"].found == "not there"


def _counting(current: int, desired: int, **more: Any) -> Callable[[dict[str, Any]], Any]:
    def change(answer: dict[str, Any]) -> dict[str, Any]:
        (variant,) = answer["ProductionVariants"]
        variant |= {"CurrentInstanceCount": current, "DesiredInstanceCount": desired, **more}
        return answer

    return change


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (_counting(1, 2), "1 on ml.m5.large"),
        (_counting(0, 0), "0 on ml.m5.large"),
        (
            _counting(2, 2, VariantStatus=[{"Status": "Creating"}]),
            "2 on ml.m5.large (Creating)",
        ),
    ],
)
def test_every_instance_must_be_in_service(
    deployed: Any, changed: Any, checks_failed: Any, change: Any, found: str
) -> None:
    sagemaker = deployed.aws.client("sagemaker")
    deployed.clients["sagemaker"] = changed(sagemaker, describe_endpoint=change)

    failed = checks_failed(deployed.verify())

    assert list(failed) == ["instances AllTraffic"]
    assert failed["instances AllTraffic"].found == found


def _other_type(answer: dict[str, Any]) -> dict[str, Any]:
    answer["ProductionVariants"][0]["InstanceType"] = "ml.c5.large"
    return answer


def test_instances_of_another_type_are_named(
    deployed: Any, changed: Any, checks_failed: Any
) -> None:
    sagemaker = deployed.aws.client("sagemaker")
    deployed.clients["sagemaker"] = changed(sagemaker, describe_endpoint_config=_other_type)

    failed = checks_failed(deployed.verify())

    assert list(failed) == ["instances AllTraffic"]
    assert failed["instances AllTraffic"].found == "2 on ml.c5.large"
    assert failed["instances AllTraffic"].expected == "2 in service on ml.m5.large"


def _other_image(answer: dict[str, Any]) -> dict[str, Any]:
    answer["PrimaryContainer"]["Image"] = "else.where/serving:1"
    return answer


def test_another_image_is_named(deployed: Any, changed: Any, checks_failed: Any) -> None:
    sagemaker = deployed.aws.client("sagemaker")
    deployed.clients["sagemaker"] = changed(sagemaker, describe_model=_other_image)

    failed = checks_failed(deployed.verify())

    assert list(failed) == ["image AllTraffic"]
    assert failed["image AllTraffic"].found == "else.where/serving:1"
    assert failed["image AllTraffic"].expected.endswith("eu-central-1.amazonaws.com/serving:1")


def _resolved(answer: dict[str, Any]) -> dict[str, Any]:
    images = [{"SpecifiedImage": "x:1", "ResolvedImage": f"x@sha256:{'c' * 64}"}]
    answer["ProductionVariants"][0]["DeployedImages"] = images
    return answer


def test_the_digest_that_an_image_was_resolved_to_is_kept(deployed: Any, changed: Any) -> None:
    sagemaker = deployed.aws.client("sagemaker")
    deployed.clients["sagemaker"] = changed(sagemaker, describe_endpoint=_resolved)

    record = deployed.verify()

    assert record.variants[0].image_digest == f"sha256:{'c' * 64}"


def test_an_endpoint_that_is_away_for_its_off_hours_is_explained(
    world: Any, checks_failed: Any
) -> None:
    assert world.deploy("1", outputs=OFF_HOURS).succeeded
    world.aws.client("sagemaker").delete_endpoint(EndpointName="produce")

    record = world.verify()

    found = checks_failed(record)
    assert list(found) == ["endpoint"]
    assert "off hours" in found["endpoint"].advice
    assert OFF_HOURS["OffHoursStateMachineArn"] in found["endpoint"].advice
    assert record.endpoint_config_name is None
    assert record.variants == ()


def test_an_endpoint_that_somebody_deleted_is_missed(deployed: Any, checks_failed: Any) -> None:
    deployed.aws.client("sagemaker").delete_endpoint(EndpointName="produce")

    found = checks_failed(deployed.verify())

    assert "DeleteEndpoint in AWS CloudTrail" in found["endpoint"].advice
    assert found["endpoint"].found == "no such endpoint"


def test_what_is_not_deployed_is_one_sentence(world: Any) -> None:
    with pytest.raises(ForecastError, match=r"got no such stack; run: forecast deploy prod"):
        world.subject()
