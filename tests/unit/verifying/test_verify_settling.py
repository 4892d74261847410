"""What is under way is waited for, as long as it may take; the way there is said."""

from __future__ import annotations

from typing import Any

import pytest

from forecast_operations.verifying.settling import default_wait_seconds, wait_until_settled


class _Transition:
    """Answers of DescribeEndpoint, one after the other; the last one stays."""

    def __init__(self, *statuses: str) -> None:
        self._left = list(statuses)

    def __call__(self, answer: dict[str, Any]) -> dict[str, Any]:
        status = self._left.pop(0) if len(self._left) > 1 else self._left[0]
        pending = [{"VariantName": "AllTraffic", "VariantStatus": [{"Status": "Baking"}]}]
        summary = {"PendingDeploymentSummary": {"ProductionVariants": pending}}
        return {**answer, "EndpointStatus": status, **(summary if status == "Updating" else {})}


@pytest.fixture
def moving(deployed: Any, changed: Any) -> Any:
    """A world whose endpoint passes through statuses."""

    def make(*statuses: str) -> Any:
        sagemaker = deployed.aws.client("sagemaker")
        deployed.clients["sagemaker"] = changed(sagemaker, describe_endpoint=_Transition(*statuses))
        return deployed

    return make


def test_an_update_is_waited_for_and_each_change_said_once(moving: Any) -> None:
    subject = moving("Updating", "Updating", "RollingBack", "InService").subject()
    pauses: list[float] = []
    said: list[str] = []

    _, endpoint = wait_until_settled(subject, 600, said.append, sleep=pauses.append)

    assert endpoint is not None
    assert endpoint["EndpointStatus"] == "InService"
    assert pauses == [1, 2, 4]
    assert [line.partition(";")[0] for line in said] == [
        "produce is Updating (AllTraffic Baking)",
        "produce is RollingBack",
    ]


def test_nobody_waits_longer_than_told(moving: Any, checks_failed: Any) -> None:
    pauses: list[float] = []
    world = moving("Updating")

    record = world.verify(wait_seconds=60, sleep=pauses.append)

    assert 60 <= sum(pauses) < 60 + 15
    assert checks_failed(record)["endpoint"].advice.startswith("it has not come to rest")
    assert record.variants == ()
    assert world.runtime.targets == []


def test_without_waiting_nothing_is_waited_for(moving: Any) -> None:
    pauses: list[float] = []

    moving("Updating").verify(wait_seconds=0, sleep=pauses.append)

    assert pauses == []


def test_an_interruption_leaves_the_wait_at_once(moving: Any) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        moving("Creating").verify(wait_seconds=600, sleep=interrupt)


def test_a_stack_that_is_updated_is_waited_for_and_looked_at_again(
    deployed: Any, changed: Any
) -> None:
    statuses = ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"]

    def change(answer: dict[str, Any]) -> dict[str, Any]:
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        stack = {**answer["Stacks"][0], "StackStatus": status}
        return {"Stacks": [stack]}

    cloudformation = deployed.aws.client("cloudformation")
    deployed.clients["cloudformation"] = changed(cloudformation, describe_stacks=change)
    pauses: list[float] = []

    record = deployed.verify(wait_seconds=600, sleep=pauses.append)

    assert pauses == [1, 2]
    assert record.outcome == "verified"
    assert record.checks[0].found == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"


def test_the_rollout_s_own_limit_is_waited_for_unless_told(deployed: Any) -> None:
    assert default_wait_seconds(deployed.subject()) == 1200 + 900
