"""The endpoint itself, before and after an update: whether it can change, and whether it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError
from forecast_operations.deployed.statuses import is_broken, is_in_transition
from forecast_operations.synthesis.hosted import hosted_in
from forecast_operations.updates.obstacles import Obstacle, Serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.deployed.live import Live
    from forecast_operations.synthesis.hosted import Template
    from forecast_operations.updates.obstacles import Templates

_CONFIGURATION = "EndpointConfigName"
"""The output of the endpoint's stack that names what it should serve."""


def look_at_endpoint(live: Live, stack: str, deployed: Template | None) -> Serving:
    """What the endpoint is and serves, which its template does not know.

    After an automatic rollback the template is the one that was undone.

    Args:
        live: Where it runs.
        stack: Name of the endpoint's stack.
        deployed: Its template; None when it is not deployed.
    """
    hosted = None if deployed is None else hosted_in(deployed)
    if hosted is None:
        return Serving()
    endpoint = live.endpoint(hosted.name)
    if endpoint is None:
        return Serving(_away(live, stack, hosted.name))
    status = endpoint["EndpointStatus"]
    if is_in_transition(status):
        return Serving(_busy(hosted.name, status))
    if is_broken(status):
        why = endpoint.get("FailureReason", "no reason given")
        return Serving(_failed(stack, f"{hosted.name} is {status} ({why})"))
    serves = endpoint[_CONFIGURATION]
    expected = live.output(stack, _CONFIGURATION)
    if serves == expected:
        return Serving()
    return Serving(configuration=live.endpoint_config(serves), expected=expected)


def _busy(name: str, status: str) -> Obstacle:
    return Obstacle(
        "busy",
        f"the endpoint {name} is {status}: SageMaker takes no update meanwhile",
        ("wait until it is InService", "deploy again"),
        None,
        passing=True,
    )


def _failed(stack: str, what: str) -> Obstacle:
    return Obstacle(
        "failed",
        f"the endpoint {what}: SageMaker does nothing with it but delete it",
        (f"delete the stack {stack}; the stack of its artifacts stays", "deploy what is wanted"),
        "recreate",
    )


def _away(live: Live, stack: str, name: str) -> Obstacle:
    machine = live.output(stack, "OffHoursStateMachineArn")
    back = (
        "forecast start, if forecast stop has deleted it; else delete the stack "
        f"{stack}; the stack of its artifacts stays"
    )
    if machine is not None:
        back = (
            "bring it back: aws stepfunctions start-execution "
            f'--state-machine-arn {machine} --input \'{{"action": "start"}}\''
        )
    schedule = ", as its off hours have it or somebody deleted it" if machine is not None else ""
    return Obstacle(
        "away",
        f"the endpoint {name} is away though its stack is deployed{schedule}: CloudFormation "
        "cannot update what is not there",
        (back, "deploy what is wanted"),
        "recreate",
        passing=machine is not None,
    )


def find_undone(
    environment: str, deployed: Templates, wanted: Templates, serves: Serving
) -> Iterator[Obstacle]:
    """The rollout that was undone, where what is wanted would not be another one.

    A change of anything else can be deployed, as that of an alarm which was too strict.

    Args:
        environment: Name of the environment.
        deployed: What is deployed now.
        wanted: What has been synthesized.
        serves: What the endpoint itself says.
    """
    hosted = None if wanted.endpoint is None else hosted_in(wanted.endpoint)
    if serves.configuration is None or hosted is None or not _is_same(deployed, wanted):
        return
    name, expected = hosted.name, serves.expected
    now = serves.configuration[_CONFIGURATION]
    found = now if expected is None else f"{now}, and not {expected}"
    steps = [f"forecast rollback {environment}: stack and lock become what was verified and serves"]
    if expected is not None:
        steps.append(f"or try the same rollout again: {rollout_command(name, expected)}")
    yield Obstacle(
        "undone",
        f"the last rollout was undone: {name} serves {found}; CloudFormation has counted it as "
        "done, so that deploying the same again changes nothing",
        tuple(steps),
        None,
    )


def _is_same(deployed: Templates, wanted: Templates) -> bool:
    """Whether CloudFormation has nothing to do."""
    pairs = ((deployed.artifacts, wanted.artifacts), (deployed.endpoint, wanted.endpoint))
    return all(_content(old) == _content(new) for old, new in pairs)


def _content(template: Template | None) -> tuple[Any, ...]:
    """What is deployed of a template: its metadata are for its readers."""
    resources = {} if template is None else template["Resources"]
    outputs = {} if template is None else template.get("Outputs", {})
    return outputs, {
        logical_id: {key: value for key, value in resource.items() if key != "Metadata"}
        for logical_id, resource in resources.items()
    }


def check_rollout_held(live: Live, endpoint_name: str, stack: str) -> None:
    """Refuse to call a deployment done that SageMaker has undone.

    After an automatic rollback an endpoint is in service, with the old configuration. The same
    template is no update any more; UpdateEndpoint is, with the rollout of before
    (RetainDeploymentConfig, Amazon SageMaker API reference).

    Raises:
        ForecastError: The endpoint serves another configuration than the stack's, or one of them
            is not there.
    """
    expected = live.output(stack, _CONFIGURATION)
    if expected is None:
        raise ForecastError(
            f"expected an output {_CONFIGURATION} of the stack {stack} after the deployment, got "
            "none; look at the stack in this account and region"
        )
    endpoint = live.endpoint(endpoint_name)
    if endpoint is None:
        raise ForecastError(
            f"expected the endpoint {endpoint_name} after the deployment, got none in this account "
            "and region; look who deleted it (DeleteEndpoint in AWS CloudTrail) and deploy again"
        )
    if endpoint[_CONFIGURATION] != expected:
        raise ForecastError(
            f"the rollout was undone: {endpoint_name} is {endpoint['EndpointStatus']} with "
            f"{endpoint[_CONFIGURATION]}, expected {expected}; see the alarms "
            f"{endpoint_name}-rollback-…: {endpoint.get('FailureReason', 'no reason given')}\n"
            "deploying the same again changes nothing, as CloudFormation has counted it as done; "
            "deploy another version, or try the same rollout again:\n"
            f"  {rollout_command(endpoint_name, expected)}"
        )


def rollout_command(endpoint_name: str, configuration: str) -> str:
    """The command that rolls a configuration out once more, as the last rollout did."""
    return (
        f"aws sagemaker update-endpoint --endpoint-name {endpoint_name} "
        f"--endpoint-config-name {configuration} --retain-all-variant-properties "
        "--retain-deployment-config"
    )
