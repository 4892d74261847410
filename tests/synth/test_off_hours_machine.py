"""The state machine of the off hours, really executed: every path, and any interleaving."""

from __future__ import annotations

import copy
import dataclasses
import importlib.util
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_aws_sdk,
    state_task_service_sns,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import wait_function

from forecast_constructs.scaling import off_hours_definition as definitions
from forecast_constructs.scaling import off_hours_plan as plans

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

PLAN = plans.OffHoursPlan(
    endpoint_name="forecast-dev",
    endpoint_config_name="config-1",
    wish_parameter_name="wish",
    configuration_parameter_name="configuration",
    topic_arn="arn:aws:sns:eu-central-1:123456789012:critical",
    alarm_names=("forecast-dev-high-latency", "forecast-dev-error-rate"),
    tags=[{"Key": "team", "Value": "forecasting"}],
)
DEFINITION = definitions.off_hours_definition(PLAN)
STATUSES = [None, "InService", "Creating", "Updating", "RollingBack", "Deleting", "Failed"]
STOP, START = {"action": "stop"}, {"action": "start"}


def _load() -> ModuleType:
    """Importlib mode puts no test folder on sys.path."""
    spec = importlib.util.spec_from_file_location(
        "off_hours_world", Path(__file__).with_name("off_hours_world.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


worlds = _load()


def interpreted(world: Any, wanted: dict[str, Any]) -> tuple[str, list[str]]:
    execution = worlds.Execution(DEFINITION, world, wanted)
    worlds.run([execution], world)
    return execution.result, execution.path


@pytest.fixture
def in_moto(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, list[str]]]:
    """Runs the definition in moto's interpreter, whose calls reach a world instead of moto."""

    def run(world: Any, wanted: dict[str, Any]) -> tuple[str, list[str]]:
        client = SimpleNamespace(
            **{
                action: lambda _action=action, **parameters: world.call(_action, parameters)
                for action in map(worlds.snake_case, (*plans.INTEGRATIONS, "DescribeEndpoint"))
            }
        )
        for module in (state_task_service_aws_sdk, state_task_service_sns):
            monkeypatch.setattr(module, "boto_client_for", lambda **_: client)
        monkeypatch.setattr(
            wait_function.WaitFunction, "_wait_interval", lambda *_, **__: world.tick()
        )
        monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=lambda _: None))
        text = json.dumps(DEFINITION)
        for name, arn in plans.integration_substitutions("aws").items():
            text = text.replace(f"${{{name}}}", arn)
        with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
            return _execute(text, wanted)

    return run


def _execute(definition: str, wanted: dict[str, Any]) -> tuple[str, list[str]]:
    machines = boto3.client("stepfunctions", region_name="eu-central-1")
    machine = machines.create_state_machine(
        name="off-hours", definition=definition, roleArn="arn:aws:iam::123456789012:role/machine"
    )
    execution = machines.start_execution(
        stateMachineArn=machine["stateMachineArn"], input=json.dumps(wanted)
    )["executionArn"]
    deadline = time.monotonic() + 60
    while machines.describe_execution(executionArn=execution)["status"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    history = machines.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    entered = [event for event in history if "stateEnteredEventDetails" in event]
    return (
        machines.describe_execution(executionArn=execution)["status"],
        [event["stateEnteredEventDetails"]["name"] for event in entered],
    )


@pytest.mark.parametrize("status", STATUSES)
def test_stop_ends_without_an_endpoint_and_with_silent_alarms(status: str | None) -> None:
    world = worlds.World(status=status)

    result, _ = interpreted(world, STOP)

    assert (result, world.status, world.alarms_on, world.told) == ("SUCCEEDED", None, False, [])


@pytest.mark.parametrize("status", STATUSES)
def test_start_ends_in_service_and_with_alarms_that_speak(status: str | None) -> None:
    world = worlds.World(status=status, alarms_on=False)

    result, _ = interpreted(world, START)

    assert (result, world.status, world.alarms_on) == ("SUCCEEDED", "InService", True)
    assert world.told == []


def test_an_endpoint_is_deleted_only_when_sagemaker_takes_it_and_is_silent_before() -> None:
    world = worlds.World(status="Updating")

    interpreted(world, STOP)

    assert world.calls.count("delete_endpoint") == 1
    assert world.calls.index("disable_alarm_actions") < world.calls.index("delete_endpoint")


def test_what_is_wanted_already_is_left_alone() -> None:
    world = worlds.World(status="InService")
    interpreted(world, START)
    assert not {"delete_endpoint", "create_endpoint"} & set(world.calls)

    world = worlds.World(status=None)
    interpreted(world, STOP)
    assert not {"delete_endpoint", "create_endpoint"} & set(world.calls)


def test_it_is_created_with_the_configuration_noted_and_the_tags_of_the_stack() -> None:
    world = worlds.World(status=None)

    interpreted(world, START)

    assert world.created_with == {
        "EndpointName": "forecast-dev",
        "EndpointConfigName": "config-1",
        "Tags": [{"Key": "team", "Value": "forecasting"}],
    }


@pytest.mark.parametrize("status", ["InService", "UpdateRollbackFailed", "RollingBack"])
def test_it_comes_back_with_what_served_though_the_stack_names_another(status: str) -> None:
    # The rollout of config-1 was undone.
    world = worlds.World(status=status, served="config-0", noted="config-1")

    interpreted(world, STOP)
    interpreted(world, START)

    assert world.created_with["EndpointConfigName"] == "config-0"


def test_each_stop_notes_anew_what_served() -> None:
    world = worlds.World(status="InService", served="config-0")
    interpreted(world, STOP)
    interpreted(world, START)
    world.served = "config-2"

    interpreted(world, STOP)
    interpreted(world, START)

    assert world.created_with["EndpointConfigName"] == "config-2"


@pytest.mark.parametrize(
    ("status", "served"), [("Failed", "config-0"), ("OutOfService", "config-0"), ("InService", "")]
)
def test_what_did_not_serve_is_not_noted(status: str, served: str) -> None:
    world = worlds.World(status=status, served=served)

    assert interpreted(world, STOP)[0] == "SUCCEEDED"

    assert (world.status, world.noted) == (None, "config-1")


def test_without_the_configuration_that_served_it_comes_back_as_the_stack_names_it() -> None:
    world = worlds.World(status=None, noted="config-0", lost=("config-0",))

    result, path = interpreted(world, START)

    assert (result, world.created_with["EndpointConfigName"]) == ("SUCCEEDED", "config-1")
    assert path.count("CreateAsNamed") == 1


def test_a_creation_that_fails_is_deleted_and_tried_again() -> None:
    world = worlds.World(status=None, creations=["Failed", "Failed", "InService"])

    result, _ = interpreted(world, START)

    assert (result, world.status, world.told) == ("SUCCEEDED", "InService", [])
    assert world.calls.count("create_endpoint") == 3


def test_creations_that_keep_failing_leave_nothing_behind_and_are_told() -> None:
    world = worlds.World(status=None, alarms_on=False, creations=["Failed"] * 9)

    result, path = interpreted(world, START)

    assert (result, path[-1]) == ("FAILED", "NotAsWanted")
    assert world.calls.count("create_endpoint") == definitions.MAX_FAILURES
    assert (world.status, world.alarms_on) == (None, True)
    (message,) = world.told
    assert message.startswith("Off hours of the endpoint forecast-dev failed")


@pytest.mark.parametrize("wanted", [STOP, START])
@pytest.mark.parametrize("throttled", [1, 5, 7])
def test_throttled_calls_are_tried_again(throttled: int, wanted: dict[str, Any]) -> None:
    world = worlds.World(status="InService" if wanted is STOP else None, throttled=throttled)

    result, _ = interpreted(world, wanted)

    assert result == ("SUCCEEDED" if throttled <= 5 else "FAILED")
    assert len(world.told) == (0 if throttled <= 5 else 1)


@pytest.mark.parametrize(
    ("wanted", "status", "refused", "left"),
    [
        (STOP, "InService", "delete_endpoint", "InService"),
        (STOP, "InService", "disable_alarm_actions", "InService"),
        (STOP, "InService", "put_parameter", "InService"),
        (START, None, "create_endpoint", None),
        (START, "InService", "describe_endpoint", "InService"),
        (START, None, "get_parameter", None),
        (START, None, "put_parameter", None),
    ],
)
def test_a_call_that_stays_refused_ends_whole_and_is_told(
    wanted: dict[str, Any], status: str | None, refused: str, left: str | None
) -> None:
    world = worlds.World(status=status, refused={refused: "not authorized"})

    result, _ = interpreted(world, wanted)

    assert (result, world.status, len(world.told)) == ("FAILED", left, 1)
    assert world.alarms_on


def test_a_missing_configuration_is_not_taken_for_a_missing_endpoint() -> None:
    world = worlds.World(
        status=None, refused={"create_endpoint": "Could not find endpoint configuration"}
    )

    result, _ = interpreted(world, START)

    assert result == "FAILED"
    assert len(world.told) == 1


def test_an_update_that_does_not_end_is_given_up_and_told() -> None:
    world = worlds.World(status="Updating", left=10**6)

    result, path = interpreted(world, STOP)

    assert (result, world.status, len(world.told)) == ("FAILED", "Updating", 1)
    assert path.count("Pause") == definitions.MAX_ROUNDS
    # A call counts as five events of an execution, other states as two.
    assert len(path) * 2 + sum(path.count(call) for call in ("ReadWish", "Look")) * 3 < 25_000


def test_a_failure_that_cannot_be_told_still_fails() -> None:
    world = worlds.World(
        status=None,
        refused={"create_endpoint": "no", "publish": "no", "enable_alarm_actions": "no"},
    )

    assert interpreted(world, START)[0] == "FAILED"


@pytest.mark.parametrize("wanted", [{"action": "pause"}, {}])
def test_another_action_is_refused_before_anything_is_called(wanted: dict[str, Any]) -> None:
    world = worlds.World()

    assert interpreted(world, wanted) == ("FAILED", ["CheckAction", "RefuseAction"])
    assert world.calls == []


def test_without_alarms_nothing_is_muted() -> None:
    definition = definitions.off_hours_definition(dataclasses.replace(PLAN, alarm_names=()))
    world = worlds.World()
    execution = worlds.Execution(definition, world, STOP)

    worlds.run([execution], world)

    assert (execution.result, world.status, world.alarms_on) == ("SUCCEEDED", None, True)


def test_more_alarms_than_one_call_can_switch_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at most 100 alarms to mute, got 101"):
        dataclasses.replace(PLAN, alarm_names=[f"alarm-{number}" for number in range(101)])


@pytest.mark.parametrize(
    ("wanted", "world"),
    [
        (STOP, {"status": "Updating"}),
        (STOP, {"status": None, "throttled": 2}),
        (STOP, {"status": "InService", "served": "config-0"}),
        (STOP, {"status": "InService", "served": ""}),
        (START, {"status": None, "noted": "config-0", "lost": ("config-0",)}),
        (START, {"status": "Deleting", "creations": ["Failed", "InService"]}),
        (START, {"status": None, "creations": ["Failed"] * 3}),
        ({"action": "pause"}, {}),
    ],
)
def test_the_interpreter_of_moto_takes_the_same_path(
    wanted: dict[str, Any],
    world: dict[str, Any],
    in_moto: Callable[..., tuple[str, list[str]]],
) -> None:
    here, there = worlds.World(**copy.deepcopy(world)), worlds.World(**copy.deepcopy(world))

    assert in_moto(there, wanted) == interpreted(here, wanted)
    assert there.calls == here.calls
    assert (there.status, there.alarms_on, len(there.told)) == (
        here.status,
        here.alarms_on,
        len(here.told),
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[Any, list[str | int]]:
    """A world, and what happens in it: executions that start, take steps, and time that passes."""
    world = worlds.World(
        status=draw(st.sampled_from(STATUSES)),
        alarms_on=draw(st.booleans()),
        creations=list(draw(st.sampled_from([(), ("Failed",), ("InService", "Failed")]))),
        throttled=draw(st.sampled_from([0, 0, 3])),
    )
    happens = st.sampled_from(["stop", "start", "tick"]) | st.integers(0, 3)
    return world, draw(st.lists(happens, min_size=1, max_size=150))


@settings(max_examples=300, deadline=None)
@given(histories())
def test_whatever_overlaps_it_ends_as_the_newest_request_wants(
    history: tuple[Any, list[str | int]],
) -> None:
    world, happenings = history
    executions: list[Any] = []
    for happening in happenings:
        if happening == "tick":
            world.tick()
        elif isinstance(happening, int):
            for _ in range(3):
                if happening < len(executions):
                    executions[happening].step()
        elif len(executions) < 4:
            executions.append(worlds.Execution(DEFINITION, world, {"action": happening}))
    if not executions:
        executions.append(worlds.Execution(DEFINITION, world, STOP))

    worlds.run(executions, world)

    assert [each.result for each in executions] == ["SUCCEEDED"] * len(executions)
    assert world.status == (None if world.wish == "stop" else "InService")
    assert world.alarms_on is (world.wish == "start")
    assert world.told == []
