"""An update begins only when the endpoint can change, and is done only when it did."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import ForecastError
from forecast_operations.deployed.live import check_account
from forecast_operations.updates.obstacles import Serving, Templates, find_obstacles
from forecast_operations.updates.proposal import check_obstacles
from forecast_operations.updates.state import (
    check_rollout_held,
    find_undone,
    look_at_endpoint,
    ways_to_stop,
)
from forecast_operations.updates.steps import plan_steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_operations.deployed.live import Live

    Account = Callable[..., Live]


@pytest.fixture
def account(live_with: Callable[..., Live], refusal: Callable[..., Any]) -> Account:
    """An account with one endpoint; None: it has none."""

    def make(
        endpoint: dict[str, Any] | None,
        config: dict[str, Any] | None = None,
        **outputs: str,
    ) -> Live:
        listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        away = refusal("Could not find endpoint")
        return live_with(
            cloudformation={"describe_stacks": {"Stacks": [{"Outputs": listed}]}},
            sagemaker={
                "describe_endpoint": endpoint or away,
                "describe_endpoint_config": config or away,
            },
            sts={"get_caller_identity": {"Account": "222222222222"}},
        )

    return make


def _status(status: str, config: str = "new", **more: Any) -> dict[str, Any]:
    return {"EndpointStatus": status, "EndpointConfigName": config, **more}


def _heard(line: str) -> None:
    pytest.fail(f"nothing was to be said, got {line}")


def test_credentials_of_another_account_are_refused(account: Account) -> None:
    live = account(None)

    with pytest.raises(ForecastError, match=r"of account 111111111111.*got those of 222222222222"):
        check_account(live, "111111111111")
    check_account(live, "222222222222")
    check_account(live, None)


@pytest.mark.parametrize("status", ["Updating", "Creating", "RollingBack", "Deleting"])
def test_an_endpoint_in_a_transition_is_not_updated(
    status: str, account: Account, settings: Any, endpoint_template: Callable[..., Any]
) -> None:
    template = endpoint_template(A="ml.m5.large")
    serves = look_at_endpoint(account(_status(status)), settings, template)

    (obstacle,) = find_obstacles(Templates(None, template), Templates(None, template), serves)

    assert obstacle.passing
    with pytest.raises(ForecastError, match=f"forecast is {status}: SageMaker takes no update"):
        check_obstacles([obstacle], ("rescale", "unguarded", "recreate"))


def test_an_endpoint_in_service_and_none_at_all_can_begin(
    account: Account, settings: Any, endpoint_template: Callable[..., Any]
) -> None:
    live = account(_status("InService"), EndpointConfigName="new")

    assert look_at_endpoint(live, settings, endpoint_template(A="ml.m5.large")) == Serving()
    assert look_at_endpoint(account(None), settings, None) == Serving()


@pytest.mark.parametrize("status", ["Failed", "OutOfService", None])
def test_an_endpoint_that_cannot_change_is_made_anew(
    status: str | None, account: Account, settings: Any, endpoint_template: Callable[..., Any]
) -> None:
    live = account(status and _status(status, FailureReason="no capacity"))
    old = endpoint_template(A="ml.m5.large", scaled=("A",))
    deployed = Templates(None, old)
    wanted = Templates(None, endpoint_template(A="ml.c5.large", scaled=("A",)))

    (obstacle,) = find_obstacles(deployed, wanted, look_at_endpoint(live, settings, old))

    assert obstacle.permission == "recreate"
    assert not obstacle.passing
    assert (f"is {status} (no capacity)" if status else "is away") in obstacle.reason
    way = "delete the stack ForecastProd;" if status else "forecast start prod; else look who"
    assert way in obstacle.steps[0]
    assert obstacle.removes == ("forecast" if status else None)
    first, second = plan_steps(deployed, wanted, [obstacle])
    assert first.template is not None
    assert first.template["Resources"].keys() == {"Model", "Config", "Topic", "Incident"}
    assert second.template is None


def test_the_state_machine_of_the_off_hours_brings_it_back(
    account: Account, settings: Any, endpoint_template: Callable[..., Any]
) -> None:
    live = account(None, OffHoursStateMachineArn="arn:machine")

    found = look_at_endpoint(live, settings, endpoint_template(A="ml.m5.large")).obstacle

    assert found is not None
    assert found.passing
    assert "--state-machine-arn arn:machine --region eu-central-1 --input" in found.steps[0]


def test_a_rollout_that_is_under_way_can_be_stopped_by_its_alarm(
    account: Account, settings: Any, endpoint_template: Callable[..., Any]
) -> None:
    template = endpoint_template(A="ml.m5.large")
    alarms = {"Alarms": [{"AlarmName": "forecast-rollback-latency"}]}
    guarded = template["Resources"]["Endpoint"]["Properties"]["DeploymentConfig"]
    guarded["AutoRollbackConfiguration"] = alarms
    rolling_out = {"PendingDeploymentSummary": {"EndpointConfigName": "new"}}

    def steps(**more: Any) -> tuple[str, ...]:
        live = account(_status("Updating", **more))
        obstacle = look_at_endpoint(live, settings, template).obstacle
        assert obstacle is not None
        assert ways_to_stop(live, settings, template) == obstacle.steps[2:]
        return obstacle.steps

    assert len(steps()) == 2, "nothing is rolled out while it scales"
    stop = steps(**rolling_out)[-1]
    assert "--alarm-name forecast-rollback-latency --state-value ALARM" in stop
    assert stop.endswith("--region eu-central-1; then: forecast rollback prod")
    assert ways_to_stop(account(None), settings, template) == ()
    assert ways_to_stop(account(None), settings, None) == ()


def test_after_a_rollback_what_serves_is_compared(
    account: Account, settings: Any, endpoint_template: Callable[..., Any]
) -> None:
    undone = endpoint_template(A="ml.c5.large", scaled=("A",))
    serves = {"ProductionVariants": [{"VariantName": "A", "InstanceType": "ml.m5.large"}]}
    live = account(_status("InService", "old"), serves, EndpointConfigName="new")
    deployed = wanted = Templates(None, undone)

    found = look_at_endpoint(live, settings, undone)

    assert find_obstacles(deployed, wanted) == []
    (obstacle,) = find_obstacles(deployed, wanted, found)
    assert "cannot change from ml.m5.large to ml.c5.large" in obstacle.reason


def test_what_was_undone_is_not_deployed_again_without_a_change(
    account: Account, settings: Any, endpoint_template: Callable[..., Any]
) -> None:
    undone = endpoint_template(A="ml.m5.large")
    serves = {"EndpointConfigName": "old", "ProductionVariants": []}
    live = account(_status("InService", "old"), serves, EndpointConfigName="new")
    deployed = Templates(None, undone)
    found = look_at_endpoint(live, settings, undone)
    annotated = copy.deepcopy(undone)
    annotated["Resources"]["Model"]["Metadata"] = {"aws:cdk:path": "another"}
    changed = copy.deepcopy(undone)
    changed["Resources"]["Topic"]["Properties"] = {"DisplayName": "another"}

    (obstacle,) = find_undone(settings, deployed, Templates(None, annotated), found)

    assert "forecast serves old, and not new; CloudFormation has counted it as done" in (
        obstacle.reason
    )
    assert obstacle.permission is None
    assert obstacle.steps[0].startswith("forecast rollback prod: ")
    assert (
        "update-endpoint --endpoint-name forecast --endpoint-config-name new "
        in (obstacle.steps[1])
    )
    assert list(find_undone(settings, deployed, Templates(None, changed), found)) == []
    assert list(find_undone(settings, deployed, deployed, Serving())) == []


def test_a_rollout_that_was_undone_is_no_success(account: Account, settings: Any) -> None:
    endpoint = _status("InService", "old", FailureReason="an alarm fired")

    with pytest.raises(ForecastError) as caught:
        check_rollout_held(account(endpoint, EndpointConfigName="new"), settings, _heard)

    said = str(caught.value)
    assert "InService with old, expected new" in said
    assert "an alarm fired" in said
    assert "update-endpoint --endpoint-name forecast --endpoint-config-name new " in said
    assert "--retain-deployment-config --region eu-central-1\n" in said
    assert "the alarm that fired, if one did: forecast verify prod\n" in said
    assert said.endswith("back to what was verified: forecast rollback prod")


@pytest.mark.parametrize("config", ["new", "old"])
@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("UpdateRollbackFailed", "was undone in part: forecast is UpdateRollbackFailed with"),
        ("RollingBack", "is being undone: forecast is RollingBack with"),
    ],
)
def test_a_rollout_that_is_undone_in_part_is_no_success(
    status: str, said: str, config: str, account: Account, settings: Any
) -> None:
    live = account(_status(status, config), EndpointConfigName="new")

    with pytest.raises(ForecastError, match=f"{said} {config}"):
        check_rollout_held(live, settings, _heard)


def test_an_endpoint_that_has_failed_since_is_no_success(account: Account, settings: Any) -> None:
    live = account(_status("Failed"), EndpointConfigName="new")

    with pytest.raises(ForecastError, match=r"is Failed after .*deploy prod --allow-recreate"):
        check_rollout_held(live, settings, _heard)


def test_what_began_by_itself_after_a_rollout_is_said(account: Account, settings: Any) -> None:
    said: list[str] = []

    check_rollout_held(
        account(_status("Updating"), EndpointConfigName="new"), settings, said.append
    )

    (line,) = said
    assert line.startswith("forecast is Updating by now; wait until it is InService: aws sagemaker")


@pytest.mark.parametrize("config", ["new", "old"])
def test_a_mix_of_two_configurations_is_not_taken_for_what_is_deployed(
    config: str, account: Account, settings: Any, endpoint_template: Callable[..., Any]
) -> None:
    template = endpoint_template(A="ml.m5.large")
    serves = {"EndpointConfigName": "old", "ProductionVariants": []}
    live = account(_status("UpdateRollbackFailed", config), serves, EndpointConfigName="new")
    deployed = Templates(None, template)

    found = look_at_endpoint(live, settings, template)

    assert found.mixed
    (obstacle,) = find_undone(settings, deployed, deployed, found)
    assert "undone in part: forecast serves with instances of two" in obstacle.reason
    assert obstacle.steps[0].startswith("forecast rollback prod: ")


def test_a_rollout_that_held_is_one(account: Account, settings: Any) -> None:
    live = account(_status("InService"), EndpointConfigName="new")

    check_rollout_held(live, settings, _heard)


def test_nothing_to_compare_is_no_success(account: Account, settings: Any) -> None:
    with pytest.raises(ForecastError, match="expected an output EndpointConfigName"):
        check_rollout_held(account(_status("InService")), settings, _heard)
    with pytest.raises(ForecastError, match="expected the endpoint forecast after"):
        check_rollout_held(account(None, EndpointConfigName="new"), settings, _heard)
