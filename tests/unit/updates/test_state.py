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


def _status(status: str, config: str = "new", **more: str) -> dict[str, str]:
    return {"EndpointStatus": status, "EndpointConfigName": config, **more}


def test_credentials_of_another_account_are_refused(account: Account) -> None:
    live = account(None)

    with pytest.raises(ForecastError, match=r"of account 111111111111.*got those of 222222222222"):
        check_account(live, "111111111111")
    check_account(live, "222222222222")
    check_account(live, None)


@pytest.mark.parametrize("status", ["Updating", "Creating", "RollingBack", "Deleting"])
def test_an_endpoint_in_a_transition_is_not_updated(
    status: str, account: Account, endpoint_template: Callable[..., Any]
) -> None:
    template = endpoint_template(A="ml.m5.large")
    serves = look_at_endpoint(account(_status(status)), "ForecastProd", template)

    (obstacle,) = find_obstacles(Templates(None, template), Templates(None, template), serves)

    assert obstacle.passing
    with pytest.raises(ForecastError, match=f"forecast is {status}: SageMaker takes no update"):
        check_obstacles([obstacle], ("rescale", "unguarded", "recreate"))


def test_an_endpoint_in_service_and_none_at_all_can_begin(
    account: Account, endpoint_template: Callable[..., Any]
) -> None:
    live = account(_status("InService"), EndpointConfigName="new")

    assert look_at_endpoint(live, "ForecastProd", endpoint_template(A="ml.m5.large")) == Serving()
    assert look_at_endpoint(account(None), "ForecastProd", None) == Serving()


@pytest.mark.parametrize("status", ["Failed", "OutOfService", None])
def test_an_endpoint_that_cannot_change_is_made_anew(
    status: str | None, account: Account, endpoint_template: Callable[..., Any]
) -> None:
    live = account(status and _status(status, FailureReason="no capacity"))
    old = endpoint_template(A="ml.m5.large", scaled=("A",))
    deployed = Templates(None, old)
    wanted = Templates(None, endpoint_template(A="ml.c5.large", scaled=("A",)))

    (obstacle,) = find_obstacles(deployed, wanted, look_at_endpoint(live, "ForecastProd", old))

    assert obstacle.permission == "recreate"
    assert not obstacle.passing
    assert (f"is {status} (no capacity)" if status else "is away") in obstacle.reason
    assert "delete the stack ForecastProd;" in obstacle.steps[0]
    first, second = plan_steps(deployed, wanted, [obstacle])
    assert first.template is not None
    assert first.template["Resources"].keys() == {"Model", "Config", "Topic", "Incident"}
    assert second.template is None


def test_the_state_machine_of_the_off_hours_brings_it_back(
    account: Account, endpoint_template: Callable[..., Any]
) -> None:
    live = account(None, OffHoursStateMachineArn="arn:machine")

    found = look_at_endpoint(live, "ForecastProd", endpoint_template(A="ml.m5.large")).obstacle

    assert found is not None
    assert found.passing
    assert '--state-machine-arn arn:machine --input \'{"action": "start"}\'' in found.steps[0]


def test_after_a_rollback_what_serves_is_compared(
    account: Account, endpoint_template: Callable[..., Any]
) -> None:
    undone = endpoint_template(A="ml.c5.large", scaled=("A",))
    serves = {"ProductionVariants": [{"VariantName": "A", "InstanceType": "ml.m5.large"}]}
    live = account(_status("InService", "old"), serves, EndpointConfigName="new")
    deployed = wanted = Templates(None, undone)

    found = look_at_endpoint(live, "ForecastProd", undone)

    assert find_obstacles(deployed, wanted) == []
    (obstacle,) = find_obstacles(deployed, wanted, found)
    assert "cannot change from ml.m5.large to ml.c5.large" in obstacle.reason


def test_what_was_undone_is_not_deployed_again_without_a_change(
    account: Account, endpoint_template: Callable[..., Any]
) -> None:
    undone = endpoint_template(A="ml.m5.large")
    serves = {"EndpointConfigName": "old", "ProductionVariants": []}
    live = account(_status("InService", "old"), serves, EndpointConfigName="new")
    deployed = Templates(None, undone)
    found = look_at_endpoint(live, "ForecastProd", undone)
    annotated = copy.deepcopy(undone)
    annotated["Resources"]["Model"]["Metadata"] = {"aws:cdk:path": "another"}
    changed = copy.deepcopy(undone)
    changed["Resources"]["Topic"]["Properties"] = {"DisplayName": "another"}

    (obstacle,) = find_undone("prod", deployed, Templates(None, annotated), found)

    assert "forecast serves old, and not new; CloudFormation has counted it as done" in (
        obstacle.reason
    )
    assert obstacle.permission is None
    assert obstacle.steps[0].startswith("forecast rollback prod: ")
    assert (
        "update-endpoint --endpoint-name forecast --endpoint-config-name new "
        in (obstacle.steps[1])
    )
    assert list(find_undone("prod", deployed, Templates(None, changed), found)) == []
    assert list(find_undone("prod", deployed, deployed, Serving())) == []


def test_a_rollout_that_was_undone_is_no_success(account: Account) -> None:
    endpoint = _status("InService", "old", FailureReason="an alarm fired")

    with pytest.raises(ForecastError) as caught:
        check_rollout_held(account(endpoint, EndpointConfigName="new"), "forecast", "ForecastProd")

    said = str(caught.value)
    assert "InService with old, expected new" in said
    assert "an alarm fired" in said
    assert "update-endpoint --endpoint-name forecast --endpoint-config-name new " in said
    assert said.endswith("--retain-deployment-config")


def test_a_rollout_that_held_is_one(account: Account) -> None:
    live = account(_status("InService"), EndpointConfigName="new")

    check_rollout_held(live, "forecast", "ForecastProd")


def test_nothing_to_compare_is_no_success(account: Account) -> None:
    with pytest.raises(ForecastError, match="expected an output EndpointConfigName"):
        check_rollout_held(account(_status("InService")), "forecast", "ForecastProd")
    with pytest.raises(ForecastError, match="expected the endpoint forecast after"):
        check_rollout_held(account(None, EndpointConfigName="new"), "forecast", "ForecastProd")
