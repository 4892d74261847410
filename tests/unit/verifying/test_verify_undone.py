"""A rollout that was undone is told from an update by hand, with the alarm that fired."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from forecast_local.simulation import ANY_ALARM

ALARM = "produce-rollback-failed-requests"


def _serve_another(world: Any) -> str:
    """Let the endpoint serve what its stack does not say, as a rollback or a person would."""
    sagemaker = world.aws.client("sagemaker")
    before = world.aws.endpoint("produce")["EndpointConfigName"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=before)
    sagemaker.create_endpoint_config(
        EndpointConfigName="another", ProductionVariants=config["ProductionVariants"]
    )
    sagemaker.update_endpoint(EndpointName="produce", EndpointConfigName="another")
    return str(before)


def _at(world: Any, changed: Any, moment: datetime, **more: Any) -> None:
    """Let the endpoint have changed last at a moment."""

    def change(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "LastModifiedTime": moment, **more}

    sagemaker = world.aws.client("sagemaker")
    world.clients["sagemaker"] = changed(sagemaker, describe_endpoint=change)


def test_a_failed_update_names_the_alarm_that_undid_it(deployed: Any, checks_failed: Any) -> None:
    outcome = deployed.deploy("2", alarm=ANY_ALARM)
    assert outcome.rolled_back

    found = checks_failed(deployed.verify("2"))

    assert list(found) == ["stack", "archive AllTraffic", "golden AllTraffic"]
    assert found["stack"].found.startswith("UPDATE_ROLLBACK_COMPLETE")
    assert f"the alarm {ALARM} fired at " in found["stack"].advice
    assert "lock it again: forecast rollback prod" in found["stack"].advice
    assert found["archive AllTraffic"].advice == found["golden AllTraffic"].advice == "see stack"


def test_an_undone_update_that_left_what_is_locked_is_verified_with_a_note(
    deployed: Any, checks_failed: Any
) -> None:
    assert deployed.deploy("2", alarm=ANY_ALARM).rolled_back

    record = deployed.verify("1")

    assert checks_failed(record) == {}
    assert record.outcome == "verified"
    assert record.checks[0].found == (
        "UPDATE_ROLLBACK_COMPLETE: the last update failed and was undone"
    )


def test_an_undone_update_past_which_somebody_updated_is_not(
    deployed: Any, checks_failed: Any
) -> None:
    assert deployed.deploy("2", alarm=ANY_ALARM).rolled_back
    _serve_another(deployed)

    assert list(checks_failed(deployed.verify("1"))) == ["stack", "configuration"]


def test_after_a_rollback_that_the_stack_does_not_know_the_alarm_is_named(
    deployed: Any, changed: Any, checks_failed: Any
) -> None:
    before = _serve_another(deployed)
    cloudwatch = deployed.aws.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="9 failed")
    _at(deployed, changed, datetime.now(UTC) + timedelta(days=900))

    record = deployed.verify()

    found = checks_failed(record)
    assert list(found) == ["configuration"]
    advice = found["configuration"].advice
    assert advice.startswith(f"SageMaker undid the rollout: the alarm {ALARM} fired at ")
    assert "9 failed" in advice
    assert f"--endpoint-config-name {before}" in advice
    assert record.endpoint_config_name == "another"


def _stack_at(world: Any, changed: Any, moment: datetime, **more: Any) -> None:
    """Let the stack have been updated last at a moment."""

    def change(answer: dict[str, Any]) -> dict[str, Any]:
        (stack,) = answer["Stacks"]
        return {"Stacks": [{**stack, "LastUpdatedTime": moment, **more}]}

    cloudformation = world.aws.client("cloudformation")
    world.clients["cloudformation"] = changed(cloudformation, describe_stacks=change)


def test_an_alarm_that_fired_long_after_the_rollout_undid_nothing(
    deployed: Any, changed: Any, checks_failed: Any
) -> None:
    _serve_another(deployed)
    cloudwatch = deployed.aws.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="9 failed")
    cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="OK", StateReason="none")
    now = datetime.now(UTC)
    _stack_at(deployed, changed, now - timedelta(days=21))
    _at(deployed, changed, now + timedelta(days=14))

    advice = checks_failed(deployed.verify())["configuration"].advice

    assert ALARM not in advice
    assert "or somebody updated the endpoint past its stack" in advice


def test_the_alarm_is_named_whichever_time_a_stack_that_was_put_back_tells(
    deployed: Any, changed: Any, checks_failed: Any
) -> None:
    assert deployed.deploy("2", alarm=ANY_ALARM).rolled_back
    _stack_at(deployed, changed, datetime.now(UTC) + timedelta(minutes=10))
    _at(deployed, changed, datetime.now(UTC) + timedelta(minutes=20))

    advice = checks_failed(deployed.verify("2"))["stack"].advice

    assert f"the alarm {ALARM} fired at " in advice


def test_an_alarm_that_fired_after_the_last_change_undid_nothing(
    deployed: Any, changed: Any, checks_failed: Any
) -> None:
    _serve_another(deployed)
    cloudwatch = deployed.aws.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="9 failed")
    _at(deployed, changed, datetime(2020, 1, 1, tzinfo=UTC))

    advice = checks_failed(deployed.verify())["configuration"].advice

    assert "either SageMaker undid the rollout for another cause, which is its time limit" in advice
    assert "(see the log group /aws/sagemaker/Endpoints/produce)" in advice
    assert "or somebody updated the endpoint past its stack" in advice
    assert advice.index("forecast rollback prod") < advice.index("update-endpoint")


def test_what_else_fails_with_the_configuration_points_to_it(
    deployed: Any, checks_failed: Any
) -> None:
    _serve_another(deployed)

    found = checks_failed(deployed.verify("2"))

    assert list(found) == ["configuration", "archive AllTraffic", "golden AllTraffic"]
    assert found["archive AllTraffic"].advice == "see configuration"
    assert found["golden AllTraffic"].advice == "see configuration"


def _never_made(answer: dict[str, Any]) -> dict[str, Any]:
    (stack,) = answer["Stacks"]
    return {"Stacks": [{**stack, "StackStatus": "ROLLBACK_COMPLETE"}]}


def test_a_first_deployment_that_failed_is_said_to_be_one(
    deployed: Any, changed: Any, checks_failed: Any
) -> None:
    cloudformation = deployed.aws.client("cloudformation")
    deployed.clients["cloudformation"] = changed(cloudformation, describe_stacks=_never_made)
    deployed.aws.client("sagemaker").delete_endpoint(EndpointName="produce")

    found = checks_failed(deployed.verify())

    assert list(found) == ["stack", "endpoint"]
    assert found["stack"].advice.startswith("the first deployment failed, and nothing of it is")
    assert "forecast deploy prod, which makes the stack anew" in found["stack"].advice
    assert found["endpoint"].advice == "see stack"


def _stuck(answer: dict[str, Any]) -> dict[str, Any]:
    (stack,) = answer["Stacks"]
    return {"Stacks": [{**stack, "StackStatus": "UPDATE_ROLLBACK_FAILED"}]}


def test_a_stack_that_deploying_does_not_mend_names_what_does(
    deployed: Any, changed: Any, checks_failed: Any
) -> None:
    cloudformation = deployed.aws.client("cloudformation")
    deployed.clients["cloudformation"] = changed(cloudformation, describe_stacks=_stuck)

    found = checks_failed(deployed.verify())

    assert "npx cdk rollback ForecastProd" in found["stack"].advice


def test_sagemaker_s_own_reason_is_enough(deployed: Any, changed: Any, checks_failed: Any) -> None:
    _serve_another(deployed)
    reason = "the deployment took too long and was rolled back"
    _at(deployed, changed, datetime(2020, 1, 1, tzinfo=UTC), FailureReason=reason)

    advice = checks_failed(deployed.verify())["configuration"].advice

    assert advice.startswith(f"SageMaker undid the rollout: {reason}; ")


def _mixed(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "EndpointStatus": "UpdateRollbackFailed", "FailureReason": "no capacity"}


def _broken(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "EndpointStatus": "Failed", "FailureReason": "container exits"}


def test_mixed_fleets_are_said_and_asked(deployed: Any, changed: Any, checks_failed: Any) -> None:
    sagemaker = deployed.aws.client("sagemaker")
    deployed.clients["sagemaker"] = changed(sagemaker, describe_endpoint=_mixed)

    record = deployed.verify()

    found = checks_failed(record)
    assert list(found) == ["endpoint"]
    assert found["endpoint"].advice.startswith(
        "no capacity; an update failed, and so did its rollback: instances of two configurations"
    )
    assert len(record.exchanges) == 3


def test_a_failed_endpoint_is_not_asked(deployed: Any, changed: Any, checks_failed: Any) -> None:
    sagemaker = deployed.aws.client("sagemaker")
    deployed.clients["sagemaker"] = changed(sagemaker, describe_endpoint=_broken)

    record = deployed.verify()

    assert list(checks_failed(record)) == ["endpoint"]
    assert checks_failed(record)["endpoint"].advice.startswith("container exits; SageMaker does")
    assert record.exchanges == ()


def test_an_endpoint_that_never_had_a_configuration_is_a_failed_one(
    deployed: Any, changed: Any, checks_failed: Any
) -> None:
    def never(answer: dict[str, Any]) -> dict[str, Any]:
        bare = {key: value for key, value in answer.items() if not key.endswith("Variants")}
        del bare["EndpointConfigName"]
        return {**bare, "EndpointStatus": "Failed", "FailureReason": "no such role"}

    sagemaker = deployed.aws.client("sagemaker")
    deployed.clients["sagemaker"] = changed(sagemaker, describe_endpoint=never)

    record = deployed.verify()

    assert record.endpoint_config_name is None
    assert checks_failed(record)["endpoint"].advice.startswith("no such role; SageMaker does")
