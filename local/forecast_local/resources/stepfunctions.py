"""Step Functions state machines."""

import json
import re
from collections.abc import Mapping
from typing import Any

from forecast_local.cloudformation.handler import (
    Handler,
    Request,
    ResourceError,
    tag_changes,
)

_NAME_LIMIT = 80
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_RENAMED = {
    "EncryptionConfiguration": "encryptionConfiguration",
    "LoggingConfiguration": "loggingConfiguration",
    "TracingConfiguration": "tracingConfiguration",
}


class StateMachine(Handler):
    """AWS::StepFunctions::StateMachine."""

    type_name = "AWS::StepFunctions::StateMachine"
    applies = frozenset(
        {
            *_RENAMED,
            "Definition",
            "DefinitionString",
            "DefinitionSubstitutions",
            "RoleArn",
            "StateMachineName",
            "StateMachineType",
            "Tags",
        }
    )
    required = frozenset({"RoleArn"})
    create_only = frozenset({"StateMachineName", "StateMachineType"})
    attributes = frozenset({"Arn", "Name"})
    name_property = "StateMachineName"
    tagged = True
    gone = frozenset({"StateMachineDoesNotExist"})

    def create(self, request: Request) -> str:
        """Create the state machine; its definition is checked for states that do not exist."""
        answer = request.client("stepfunctions").create_state_machine(
            name=request.name(_NAME_LIMIT, property_name="StateMachineName"),
            type=request.properties.get("StateMachineType", "STANDARD"),
            tags=[
                {"key": tag["Key"], "value": tag["Value"]}
                for tag in request.properties.get("Tags", [])
            ],
            **_arguments(request),
        )
        return str(answer["stateMachineArn"])

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Replace definition, role and settings, and change the tags."""
        states = request.client("stepfunctions")
        states.update_state_machine(stateMachineArn=physical_id, **_arguments(request))
        tags, removed = tag_changes(old, request.properties)
        if removed:
            states.untag_resource(resourceArn=physical_id, tagKeys=removed)
        if tags:
            renamed = [{"key": tag["Key"], "value": tag["Value"]} for tag in tags]
            states.tag_resource(resourceArn=physical_id, tags=renamed)

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the state machine."""
        request.client("stepfunctions").delete_state_machine(stateMachineArn=physical_id)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:  # noqa: ARG002 - the ARN says it all
        """Return ARN and name."""
        return {"Arn": physical_id, "Name": physical_id.rpartition(":")[2]}


def _arguments(request: Request) -> dict[str, Any]:
    properties = request.properties
    found = {"definition": _definition(properties), "roleArn": properties["RoleArn"]}
    for key, renamed in _RENAMED.items():
        if key in properties:
            found[renamed] = _lower_camel(properties[key])
    return found


def _definition(properties: Mapping[str, Any]) -> str:
    if ("Definition" in properties) == ("DefinitionString" in properties):
        raise ResourceError("expected one of Definition and DefinitionString")
    given = properties.get("DefinitionString", properties.get("Definition"))
    text = given if isinstance(given, str) else json.dumps(given)
    values = properties.get("DefinitionSubstitutions", {})

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        return json.dumps(str(values[name]))[1:-1] if name in values else match.group()

    filled = _PLACEHOLDER.sub(value, text)
    try:
        document = json.loads(filled)
    except ValueError as error:
        raise ResourceError(f"Invalid State Machine Definition: {error}") from error
    _check_states(document)
    return filled


def _check_states(document: Any) -> None:
    """Refuse transitions to states that the definition does not have."""
    states = document.get("States", {})
    targets = {document.get("StartAt")}
    for state in states.values():
        targets.update({state.get("Next"), state.get("Default")})
        targets.update(item.get("Next") for item in state.get("Choices", []))
        targets.update(item.get("Next") for item in state.get("Catch", []))
    missing = sorted(targets - {None, *states})
    if missing or document.get("StartAt") is None:
        raise ResourceError(
            f"Invalid State Machine Definition: MISSING_TRANSITION_TARGET {missing or 'StartAt'}"
        )


def _lower_camel(value: Any) -> Any:
    if isinstance(value, list):
        return [_lower_camel(item) for item in value]
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _lower_camel(item) for key, item in value.items()}
    return value
