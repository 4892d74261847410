"""A world for the off hours: what AWS would answer, and a way to run a definition in it.

`Execution` interprets the states that the definition uses, one at a time, so that a test decides
how executions interleave. That it reads them as Step Functions does is shown beside moto's own
interpreter, which runs the same paths in the same world.
"""

from __future__ import annotations

import copy
import fnmatch
import json
import re
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

LASTING = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}
STEPS_OF_WORK = 2


def refusal(message: str, action: str, code: str = "ValidationException") -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": "request"},
        },
        action,
    )


@dataclass
class World:
    """SageMaker with one endpoint, a parameter, alarms and a topic; time passes by `tick`."""

    status: str | None = "InService"
    wish: str = "start"
    noted: str = "config-1"
    served: str = "config-1"
    lost: tuple[str, ...] = ()
    alarms_on: bool = True
    creations: list[str] = field(default_factory=list)
    throttled: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    created_with: dict[str, Any] = field(default_factory=dict)
    now: int = 0
    left: int = STEPS_OF_WORK

    def tick(self) -> None:
        self.now += 1
        if self.status not in LASTING:
            return
        self.left -= 1
        if self.left > 0:
            return
        if self.status == "Deleting":
            self.status = None
        elif self.status == "Creating":
            self.status = self.creations.pop(0) if self.creations else "InService"
        else:
            self.status = "InService"

    def call(self, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(action)
        if self.throttled:
            self.throttled -= 1
            raise refusal("Rate exceeded", action, "ThrottlingException")
        if action in self.refused:
            raise refusal(self.refused[action], action, "AccessDeniedException")
        return getattr(self, f"_{action}")(parameters) or {}

    def _put_parameter(self, parameters: dict[str, Any]) -> dict[str, Any]:
        assert parameters["Overwrite"] is True
        assert parameters["Name"] in {"wish", "configuration"}
        if parameters["Name"] == "wish":
            self.wish = parameters["Value"]
        else:
            self.noted = parameters["Value"]
        return {"Version": 2}

    def _get_parameter(self, parameters: dict[str, Any]) -> dict[str, Any]:
        value = {"wish": self.wish, "configuration": self.noted}[parameters["Name"]]
        return {"Parameter": {"Name": parameters["Name"], "Value": value}}

    def _describe_endpoint(self, parameters: dict[str, Any]) -> dict[str, Any]:
        if self.status is None:
            raise refusal('Could not find endpoint "arn:aws:sagemaker".', "DescribeEndpoint")
        described = {"EndpointName": parameters["EndpointName"], "EndpointStatus": self.status}
        return described | ({"EndpointConfigName": self.served} if self.served else {})

    def _delete_endpoint(self, _: dict[str, Any]) -> None:
        if self.status is None:
            raise refusal('Could not find endpoint "arn:aws:sagemaker".', "DeleteEndpoint")
        if self.status in LASTING:
            raise refusal(
                'Cannot update in-progress endpoint "arn:aws:sagemaker".', "DeleteEndpoint"
            )
        self._begin("Deleting")

    def _create_endpoint(self, parameters: dict[str, Any]) -> dict[str, Any]:
        if self.status is not None:
            raise refusal("Cannot create already existing endpoint.", "CreateEndpoint")
        if parameters["EndpointConfigName"] in self.lost:
            raise refusal('Could not find endpoint configuration "arn".', "CreateEndpoint")
        self.served = parameters["EndpointConfigName"]
        self.created_with = parameters
        self._begin("Creating")
        return {"EndpointArn": "arn:aws:…"}

    def _enable_alarm_actions(self, _: dict[str, Any]) -> None:
        self.alarms_on = True

    def _disable_alarm_actions(self, _: dict[str, Any]) -> None:
        self.alarms_on = False

    def _publish(self, parameters: dict[str, Any]) -> dict[str, Any]:
        self.told.append(parameters["Message"])
        return {"MessageId": "1"}

    def _begin(self, status: str) -> None:
        self.status, self.left = status, STEPS_OF_WORK


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


class Execution:
    """One execution; `step` runs one state, or one attempt of a call."""

    def __init__(self, definition: dict[str, Any], world: World, given: dict[str, Any]) -> None:
        self._states = definition["States"]
        self._world = world
        self.state = definition["StartAt"]
        self.data = copy.deepcopy(given)
        self.result: str | None = None
        self.path: list[str] = []
        self._attempts = 0
        self._until = 0

    def step(self) -> None:
        if self.result is not None or self._world.now < self._until:
            return
        state = self._states[self.state]
        if not self._attempts:
            self.path.append(self.state)
        getattr(self, f"_{state['Type'].lower()}")(state)

    @property
    def rests(self) -> bool:
        return self.result is not None or self._world.now < self._until

    def _succeed(self, _: dict[str, Any]) -> None:
        self.result = "SUCCEEDED"

    def _fail(self, _: dict[str, Any]) -> None:
        self.result = "FAILED"

    def _wait(self, state: dict[str, Any]) -> None:
        assert isinstance(state["Seconds"], int)
        self._until = self._world.now + 1
        self.state = state["Next"]

    def _pass(self, state: dict[str, Any]) -> None:
        value = state.get("Result", self.data)
        if "Parameters" in state:
            value = self._render(state["Parameters"], self.data)
        self._keep(state, value)
        self.state = state["Next"]

    def _choice(self, state: dict[str, Any]) -> None:
        for rule in state["Choices"]:
            if self._holds(rule):
                self.state = rule["Next"]
                return
        self.state = state["Default"]

    def _task(self, state: dict[str, Any]) -> None:
        action = snake_case(state["Resource"].rpartition(":")[2].strip("${}"))
        try:
            answer = self._world.call(action, self._render(state["Parameters"], self.data))
        except ClientError as error:
            self._attempts += 1
            (retry,) = state.get("Retry", [{"MaxAttempts": 0}])
            if self._attempts <= retry["MaxAttempts"]:
                return
            (catch,) = state["Catch"]
            cause = f"{error.response['Error']['Message']} (Service: Any)"
            self._attempts = 0
            self._keep(catch, {"Error": "Any.Exception", "Cause": cause})
            self.state = catch["Next"]
            return
        self._attempts = 0
        if "ResultSelector" in state:
            answer = self._render(state["ResultSelector"], answer)
        self._keep(state, answer)
        self.state = state["Next"]

    def _keep(self, state: dict[str, Any], value: Any) -> None:
        path = state.get("ResultPath", "$")
        if path == "$":
            self.data = copy.deepcopy(value)
            return
        *parents, last = path.removeprefix("$.").split(".")
        place = self.data
        for parent in parents:
            place = place[parent]
        place[last] = copy.deepcopy(value)

    def _render(self, template: Any, data: Any) -> Any:
        if not isinstance(template, dict):
            return copy.deepcopy(template)
        return {
            key.removesuffix(".$"): (
                self._evaluate(value, data) if key.endswith(".$") else self._render(value, data)
            )
            for key, value in template.items()
        }

    def _evaluate(self, text: str, data: Any) -> Any:
        if text == "$$.Execution.Id":
            return "execution"
        if text.startswith("$"):
            return self._at(text, data)
        name, _, rest = text.partition("(")
        arguments = re.findall(r"'[^']*'|[^,\s][^,]*?(?=\s*(?:,|$))", rest[:-1])
        if name == "States.MathAdd":
            return self._at(arguments[0], data) + int(arguments[1])
        if name == "States.JsonToString":
            return json.dumps(self._at(arguments[0], data))
        assert name == "States.Format"
        parts = arguments[0][1:-1].split("{}")
        values = [str(self._evaluate(argument, data)) for argument in arguments[1:]]
        return "".join(a + b for a, b in zip(parts, [*values, ""], strict=True))

    def _at(self, path: str, data: Any) -> Any:
        for key in filter(None, path.removeprefix("$").split(".")):
            data = data[key]
        return data

    def _holds(self, rule: dict[str, Any]) -> bool:
        if "And" in rule:
            return all(self._holds(part) for part in rule["And"])
        if "Or" in rule:
            return any(self._holds(part) for part in rule["Or"])
        if "IsPresent" in rule:
            try:
                self._at(rule["Variable"], self.data)
            except KeyError:
                return not rule["IsPresent"]
            return bool(rule["IsPresent"])
        value = self._at(rule["Variable"], self.data)
        (operator,) = set(rule) - {"Variable", "Next"}
        return {
            "StringEquals": lambda wanted: value == wanted,
            "StringMatches": lambda wanted: fnmatch.fnmatchcase(value, wanted),
            "NumericGreaterThan": lambda wanted: value > wanted,
            "NumericGreaterThanEquals": lambda wanted: value >= wanted,
        }[operator](rule[operator])


def run(executions: list[Execution], world: World, limit: int = 20_000) -> None:
    """Let all executions come to their end, in turns; time passes when all of them wait."""
    for _ in range(limit):
        if all(each.result is not None for each in executions):
            return
        for each in executions:
            each.step()
        if all(each.rests for each in executions):
            world.tick()
    raise AssertionError("the executions do not end")
