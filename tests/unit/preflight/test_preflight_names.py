"""What is there already, and what is stuck, is told before CloudFormation finds it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from forecast_operations.preflight.names_taken import (
    look_at_alarm_names,
    look_at_bucket_name,
    look_at_endpoint_name,
    look_at_log_groups,
)
from forecast_operations.preflight.stacks import (
    look_at_endpoint,
    look_at_protection,
    look_at_stacks,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Around = Callable[..., Any]

NAME = "forecast-live"
BUCKET = f"{NAME}-artifacts-111111111111-eu-central-1"
GROUP = f"/aws/sagemaker/Endpoints/{NAME}"
WITH_ENDPOINT = {
    "Resources": {
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {"ProductionVariants": []},
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {"EndpointName": NAME, "EndpointConfigName": {"Ref": "Config"}},
        },
    }
}


@pytest.fixture
def account(around: Around, refused: Around) -> Around:
    """An account whose stacks are in a status and own some things."""

    def make(
        *owned: str,
        status: str | None = "UPDATE_COMPLETE",
        template: Any = None,
        protected: bool = False,
        outputs: dict[str, str] | None = None,
        held: str = "CREATE_COMPLETE",
        endpoint: Any = None,
        changes: Any = None,
        **clients: dict[str, Any],
    ) -> Any:
        stack = {
            "StackStatus": status,
            "EnableTerminationProtection": protected,
            "Outputs": [
                {"OutputKey": key, "OutputValue": value} for key, value in (outputs or {}).items()
            ],
        }
        resources = [{"PhysicalResourceId": each, "ResourceStatus": held} for each in owned]
        gone = refused("ValidationError", "Stack does not exist")
        missing = refused("ValidationException", "Could not find endpoint")
        return around(
            changes,
            cloudformation={
                "describe_stacks": gone if status is None else {"Stacks": [stack]},
                "list_stack_resources": {"StackResourceSummaries": resources},
                "get_template": {"TemplateBody": json.dumps(template or {"Resources": {}})},
            },
            sagemaker={"describe_endpoint": endpoint or missing},
            **clients,
        )

    return make


def _one(findings: Any) -> Any:
    (found,) = findings
    return found


def _endpoint(status: str) -> dict[str, str]:
    return {"EndpointStatus": status, "FailureReason": "no capacity"}


def test_a_name_that_nobody_has_is_free(account: Around) -> None:
    assert _one(look_at_endpoint_name(account(status=None))).status == "ok"


def test_the_endpoint_of_the_stack_is_no_stranger(account: Around) -> None:
    arn = f"arn:aws:sagemaker:eu-central-1:111111111111:endpoint/{NAME}"
    there = _endpoint("InService")

    assert _one(look_at_endpoint_name(account(arn, endpoint=there))).status == "ok"
    assert _one(look_at_endpoint_name(account(NAME, endpoint=there))).status == "ok"


def test_an_endpoint_that_no_stack_made_is_in_the_way(account: Around) -> None:
    found = _one(look_at_endpoint_name(account("other", endpoint=_endpoint("InService"))))

    assert found.status == "failed"
    assert f"delete-endpoint --endpoint-name {NAME}" in found.advice


@pytest.mark.parametrize(
    ("answer", "owned", "status"),
    [
        ("404", (), "ok"),
        ({}, (BUCKET,), "ok"),
        ({}, (), "failed"),
        ("403", (), "failed"),
        ("403", (BUCKET,), "ok"),
    ],
)
def test_a_bucket_of_the_name_must_be_the_stack_s(
    answer: Any, owned: tuple[str, ...], status: str, account: Around, refused: Around
) -> None:
    head = refused(answer) if isinstance(answer, str) else answer

    found = _one(look_at_bucket_name(account(*owned, s3={"head_bucket": head})))

    assert found.status == status


@pytest.mark.parametrize(
    ("there", "owned", "status"),
    [(GROUP, (), "failed"), (GROUP, (GROUP,), "ok"), (f"{GROUP}-2", (), "ok")],
)
def test_a_log_group_left_from_before_is_in_the_way(
    there: str, owned: tuple[str, ...], status: str, account: Around
) -> None:
    logs = {"describe_log_groups": {"logGroups": [{"logGroupName": there}]}}

    found = {each.check: each for each in look_at_log_groups(account(*owned, logs=logs))}

    assert found[f"log group {GROUP}"].status == status


@pytest.mark.parametrize(
    ("status", "held"),
    [
        ("UPDATE_COMPLETE", "DELETE_COMPLETE"),
        ("UPDATE_COMPLETE", "DELETE_SKIPPED"),
        ("ROLLBACK_COMPLETE", "CREATE_COMPLETE"),
    ],
)
def test_what_a_stack_no_longer_has_is_not_its_own(status: str, held: str, account: Around) -> None:
    logs = {"describe_log_groups": {"logGroups": [{"logGroupName": GROUP}]}}

    found = look_at_log_groups(account(GROUP, status=status, held=held, logs=logs))

    assert {each.check: each.status for each in found}[f"log group {GROUP}"] == "failed"


def test_every_log_group_that_the_stacks_make_is_looked_for(account: Around) -> None:
    changes = {"network": {"kind": "new"}}
    empty = {"describe_log_groups": {"logGroups": []}}

    names = [each.check for each in look_at_log_groups(account(changes=changes, logs=empty))]

    assert names == [
        f"log group {GROUP}",
        f"log group /aws/vpc/flow-logs/{NAME}",
        f"log group /aws/lambda/{NAME}-heartbeat",
    ]


def test_alarms_of_others_under_the_name_are_told(account: Around) -> None:
    listed = {
        "MetricAlarm": [{"AlarmName": f"{NAME}-mine"}, {"AlarmName": f"{NAME}-theirs"}],
        "CompositeAlarm": [{"AlarmName": f"{NAME}-all"}],
    }

    def describe_alarms(**asked: Any) -> dict[str, Any]:
        (kind,) = asked["AlarmTypes"]
        return {f"{kind}s": listed[kind]}

    clients = {"cloudwatch": {"describe_alarms": describe_alarms}}
    found = _one(look_at_alarm_names(account(f"{NAME}-mine", **clients)))

    assert found.status == "warning"
    assert found.found == f"2 made by others: {NAME}-all, {NAME}-theirs"


@pytest.mark.parametrize(
    ("status", "found", "advice"),
    [
        (None, "ok", ""),
        ("UPDATE_ROLLBACK_COMPLETE", "ok", ""),
        ("REVIEW_IN_PROGRESS", "ok", ""),
        ("ROLLBACK_COMPLETE", "warning", "the next deployment deletes what is left"),
        ("ROLLBACK_FAILED", "failed", "then delete the stack"),
        ("DELETE_FAILED", "failed", "then delete the stack"),
        ("UPDATE_ROLLBACK_FAILED", "failed", "npx cdk rollback Forecast"),
        ("UPDATE_FAILED", "failed", "npx cdk rollback Forecast"),
        ("UPDATE_IN_PROGRESS", "failed", "wait"),
    ],
)
def test_a_stack_must_be_at_rest(
    status: str | None, found: str, advice: str, account: Around
) -> None:
    for finding in look_at_stacks(account(status=status)):
        assert finding.status == found
        assert advice in finding.advice


def test_a_protected_stack_is_not_deleted_before_it_is_free(account: Around) -> None:
    (found, _) = look_at_stacks(account(status="ROLLBACK_COMPLETE", protected=True))

    assert found.advice.endswith("after its termination protection is off")


def test_protection_is_as_configured(account: Around) -> None:
    wanted = {"termination_protection": True}

    unprotected = list(look_at_protection(account(changes=wanted)))
    protected = list(look_at_protection(account(changes=wanted, protected=True)))

    assert [each.status for each in unprotected] == ["warning", "warning"]
    assert [each.status for each in protected] == ["ok", "ok"]
    assert list(look_at_protection(account(status=None))) == []


@pytest.mark.parametrize(
    ("status", "found", "advice"),
    [
        ("InService", "ok", ""),
        ("Updating", "failed", f"--endpoint-name {NAME} --region eu-central-1"),
        ("Failed", "failed", "--allow-recreate"),
        ("UpdateRollbackFailed", "failed", "forecast deploy live, or forecast rollback live"),
    ],
)
def test_an_endpoint_must_be_able_to_change(
    status: str, found: str, advice: str, account: Around
) -> None:
    finding = _one(look_at_endpoint(account(endpoint=_endpoint(status))))

    assert (finding.status, advice in finding.advice) == (found, True)


def test_an_endpoint_that_is_away_fails_when_its_stack_has_one(account: Around) -> None:
    found = _one(look_at_endpoint(account(template=WITH_ENDPOINT)))

    assert (found.status, "forecast start live" in found.advice) == ("failed", True)
    assert _one(look_at_endpoint(account(status=None))).status == "ok"
    assert _one(look_at_endpoint(account())).status == "ok"


def test_an_endpoint_in_its_off_hours_is_brought_back_by_its_own_machine(account: Around) -> None:
    arn = "arn:aws:states:eu-central-1:111111111111:stateMachine:off-hours"

    found = _one(
        look_at_endpoint(account(template=WITH_ENDPOINT, outputs={"OffHoursStateMachineArn": arn}))
    )

    assert f"--state-machine-arn {arn} --region eu-central-1" in found.advice


def test_an_endpoint_that_never_came_up_is_not_away(account: Around) -> None:
    never = account(template=WITH_ENDPOINT, status="ROLLBACK_COMPLETE")

    assert _one(look_at_endpoint(never)).status == "ok"
