"""How each rollout is rendered, and what an update keeps of the variants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk.assertions import Template

from forecast_config.settings import (
    AllAtOnceRollout,
    CanaryRollout,
    Challenger,
    LinearRollout,
    RollingRollout,
    ShadowRollout,
    SplitRollout,
)
from forecast_constructs import render_deployment_config

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import App

    from forecast_config.settings import Rollout

CHALLENGER = Challenger(alias="challenger")

BLUE_GREEN: dict[str, Any] = {"wait_seconds": 600, "termination_wait_seconds": 120}

ROLLOUTS: dict[str, Rollout] = {
    "AllAtOnce": AllAtOnceRollout(kind="all_at_once", **BLUE_GREEN),
    "NoWait": AllAtOnceRollout(kind="all_at_once", wait_seconds=0, termination_wait_seconds=0),
    "Canary": CanaryRollout(kind="canary", percent=25, **BLUE_GREEN),
    "Linear": LinearRollout(kind="linear", step_percent=20, **BLUE_GREEN),
    "Rolling": RollingRollout(kind="rolling", batch_percent=5, wait_seconds=60),
    "RollingBack": RollingRollout(
        kind="rolling",
        batch_percent=50,
        rollback_batch_percent=100,
        wait_seconds=0,
        maximum_execution_timeout_seconds=7200,
    ),
    "Shadow": ShadowRollout(kind="shadow", challenger=CHALLENGER, **BLUE_GREEN),
    "Split": SplitRollout(kind="split", challenger=CHALLENGER, challenger_percent=10, **BLUE_GREEN),
}


@pytest.fixture(scope="module")
def deployments(new_app: Callable[..., App]) -> dict[str, dict[str, Any]]:
    """The DeploymentConfig of each rollout, out of one template."""
    stack = Stack(new_app(), "Rollouts")
    for name, rollout in ROLLOUTS.items():
        sagemaker.CfnEndpoint(
            stack,
            name,
            endpoint_config_name="config",
            deployment_config=render_deployment_config(rollout, ["sick", "slow"]),
        )
    resources = Template.from_stack(stack).to_json()["Resources"]
    return {
        name: resource["Properties"]["DeploymentConfig"] for name, resource in resources.items()
    }


@pytest.mark.parametrize("name", ROLLOUTS)
def test_every_rollout_is_undone_by_its_alarms(
    name: str, deployments: dict[str, dict[str, Any]]
) -> None:
    assert deployments[name]["AutoRollbackConfiguration"] == {
        "Alarms": [{"AlarmName": "sick"}, {"AlarmName": "slow"}]
    }


@pytest.mark.parametrize("name", ROLLOUTS)
def test_a_rollout_has_one_policy_and_always_says_how_long_it_waits(
    name: str, deployments: dict[str, dict[str, Any]]
) -> None:
    ((kind, policy),) = (
        (kind, policy)
        for kind, policy in deployments[name].items()
        if kind != "AutoRollbackConfiguration"
    )

    routing = policy if kind == "RollingUpdatePolicy" else policy["TrafficRoutingConfiguration"]
    # The API requires it although the resource's schema does not.
    assert routing["WaitIntervalInSeconds"] == ROLLOUTS[name].wait_seconds


@pytest.mark.parametrize(
    ("name", "routing"),
    [
        ("AllAtOnce", {"Type": "ALL_AT_ONCE"}),
        (
            "Canary",
            {"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 25}},
        ),
        (
            "Linear",
            {"Type": "LINEAR", "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 20}},
        ),
        ("Shadow", {"Type": "ALL_AT_ONCE"}),
        ("Split", {"Type": "ALL_AT_ONCE"}),
    ],
)
def test_a_blue_green_rollout_shifts_the_traffic_as_its_kind_says(
    name: str, routing: dict[str, Any], deployments: dict[str, dict[str, Any]]
) -> None:
    policy = deployments[name]["BlueGreenUpdatePolicy"]

    assert policy["TrafficRoutingConfiguration"] == {**routing, "WaitIntervalInSeconds": 600}
    assert policy["TerminationWaitInSeconds"] == 120


def test_a_rolling_rollout_replaces_batches(deployments: dict[str, dict[str, Any]]) -> None:
    policy = deployments["Rolling"]["RollingUpdatePolicy"]

    assert policy["MaximumBatchSize"] == {"Type": "CAPACITY_PERCENT", "Value": 5}
    # SageMaker then goes back with all instances at once.
    assert "RollbackMaximumBatchSize" not in policy


def test_a_rolling_rollout_says_how_it_goes_back(deployments: dict[str, dict[str, Any]]) -> None:
    assert deployments["RollingBack"] == {
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "sick"}, {"AlarmName": "slow"}]},
        "RollingUpdatePolicy": {
            "MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
            "MaximumExecutionTimeoutInSeconds": 7200,
            "RollbackMaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 100},
            "WaitIntervalInSeconds": 0,
        },
    }


@pytest.mark.parametrize("name", ROLLOUTS)
def test_a_timeout_that_is_not_set_leaves_room_for_all_waits(
    name: str, deployments: dict[str, dict[str, Any]]
) -> None:
    rollout = ROLLOUTS[name]
    policy = next(
        policy for kind, policy in deployments[name].items() if kind != "AutoRollbackConfiguration"
    )
    steps = {"Canary": 2, "Linear": 5, "Rolling": 20, "RollingBack": 2}.get(name, 1)
    waits = steps * rollout.wait_seconds + getattr(rollout, "termination_wait_seconds", 0)

    assert max(600, waits + 1) <= policy["MaximumExecutionTimeoutInSeconds"] <= 28_800


@pytest.mark.parametrize("count", [0, 11])
def test_a_rollout_rejects_a_number_of_alarms_that_the_api_refuses(count: int) -> None:
    with pytest.raises(ValueError, match=f"expected 1 to 10 rollback alarms, got {count}"):
        render_deployment_config(
            ROLLOUTS["AllAtOnce"], [f"alarm-{number}" for number in range(count)]
        )
