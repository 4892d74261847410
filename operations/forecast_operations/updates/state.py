"""The endpoint itself, before and after an update: whether it can change, and whether it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError
from forecast_operations.deployed.statuses import (
    MIXED,
    UNDOING,
    UPDATING,
    is_broken,
    is_in_transition,
    way_back,
    way_out,
)
from forecast_operations.synthesis.hosted import hosted_in
from forecast_operations.updates.obstacles import Obstacle, Serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from forecast_config import EnvironmentSettings
    from forecast_operations.deployed.live import Live
    from forecast_operations.synthesis.hosted import Hosted, Template
    from forecast_operations.updates.obstacles import Templates

_CONFIGURATION = "EndpointConfigName"
"""The output of the endpoint's stack that names what it should serve."""

_MACHINE = "OffHoursStateMachineArn"
_NO_REASON = "no reason given"


def look_at_endpoint(
    live: Live, settings: EnvironmentSettings, deployed: Template | None
) -> Serving:
    """What the endpoint is and serves, which its template does not know.

    After an automatic rollback the template is the one that was undone.

    Args:
        live: Where it runs.
        settings: Its environment.
        deployed: The template of its stack; None when it is not deployed.
    """
    hosted = hosted_in(deployed)
    if hosted is None:
        return Serving()
    endpoint = live.endpoint(hosted.name)
    if endpoint is None:
        return Serving(_away(live, settings, hosted.name))
    status = endpoint["EndpointStatus"]
    if is_in_transition(status):
        return Serving(_busy(settings, hosted, endpoint))
    if is_broken(status):
        return Serving(_failed(settings.stack_name, hosted.name, endpoint))
    serves, expected = endpoint[_CONFIGURATION], live.output(settings.stack_name, _CONFIGURATION)
    if serves != expected:
        config = live.endpoint_config(serves)
        return Serving(configuration=config, expected=expected, mixed=status == MIXED)
    return Serving(expected=expected, mixed=True) if status == MIXED else Serving()


def ways_to_stop(
    live: Live, settings: EnvironmentSettings, deployed: Template | None
) -> tuple[str, ...]:
    """How a rollout that is under way is stopped, in a step; nothing where there is none.

    Args:
        live: Where it runs.
        settings: Its environment.
        deployed: The template of its stack, which is being updated.
    """
    hosted = hosted_in(deployed)
    endpoint = None if hosted is None else live.endpoint(hosted.name)
    return () if hosted is None or endpoint is None else _ways_to_stop(settings, hosted, endpoint)


def _ways_to_stop(
    settings: EnvironmentSettings, hosted: Hosted, endpoint: Mapping[str, Any]
) -> tuple[str, ...]:
    rolls_out = endpoint["EndpointStatus"] == UPDATING and endpoint.get("PendingDeploymentSummary")
    if not (rolls_out and hosted.rollback_alarms):
        return ()
    stop = (
        "or stop the rollout now, after which what served before it serves again: aws cloudwatch "
        f"set-alarm-state --alarm-name {hosted.rollback_alarms[0]} --state-value ALARM "
        f'--state-reason "stopped by hand" --region {settings.region}; then: forecast rollback '
        f"{settings.name}"
    )
    return (stop,)


def _busy(settings: EnvironmentSettings, hosted: Hosted, endpoint: Mapping[str, Any]) -> Obstacle:
    status = endpoint["EndpointStatus"]
    return Obstacle(
        "busy",
        f"the endpoint {hosted.name} is {status}: SageMaker takes no update meanwhile",
        (
            way_out(settings.name, hosted.name, status, settings.region),
            "deploy again",
            *_ways_to_stop(settings, hosted, endpoint),
        ),
        None,
        passing=True,
    )


def _failed(stack: str, name: str, endpoint: Mapping[str, Any]) -> Obstacle:
    why = endpoint.get("FailureReason", _NO_REASON)
    return Obstacle(
        "failed",
        f"the endpoint {name} is {endpoint['EndpointStatus']} ({why}): SageMaker does nothing with "
        "it but delete it",
        (f"delete the stack {stack}; the stack of its artifacts stays", "deploy what is wanted"),
        "recreate",
        removes=name,
    )


def _away(live: Live, settings: EnvironmentSettings, name: str) -> Obstacle:
    machine = live.output(settings.stack_name, _MACHINE)
    return Obstacle(
        "away",
        f"the endpoint {name} is away though its stack is deployed: CloudFormation cannot update "
        "what is not there",
        (way_back(settings.name, machine, settings.region), "deploy what is wanted"),
        "recreate",
        passing=machine is not None,
    )


def find_undone(
    settings: EnvironmentSettings, deployed: Templates, wanted: Templates, serves: Serving
) -> Iterator[Obstacle]:
    """The rollout that was undone, where what is wanted would not be another one.

    A change of anything else can be deployed, as that of an alarm which was too strict.

    Args:
        settings: The environment.
        deployed: What is deployed now.
        wanted: What has been synthesized.
        serves: What the endpoint itself says.
    """
    hosted = hosted_in(wanted.endpoint)
    undone = serves.mixed or serves.configuration is not None
    if not undone or hosted is None or not _is_same(deployed, wanted):
        return
    name, expected = hosted.name, serves.expected
    steps = [
        f"forecast rollback {settings.name}: stack and lock become what was verified and serves"
    ]
    if expected is not None:
        again = rollout_command(name, expected, settings.region)
        steps.append(f"or try the same rollout again: {again}")
    yield Obstacle(
        "undone",
        f"{_undone(name, serves)}; CloudFormation has counted it as done, so that deploying the "
        "same again changes nothing",
        tuple(steps),
        None,
    )


def _undone(name: str, serves: Serving) -> str:
    if serves.mixed:
        return (
            f"the last rollout was undone in part: {name} serves with instances of two "
            "configurations"
        )
    now = (serves.configuration or {}).get(_CONFIGURATION)
    found = now if serves.expected is None else f"{now}, and not {serves.expected}"
    return f"the last rollout was undone: {name} serves {found}"


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


def check_rollout_held(
    live: Live, settings: EnvironmentSettings, say: Callable[[str], None]
) -> None:
    """Refuse to call a deployment done that SageMaker has undone, as a whole or in part.

    After an automatic rollback an endpoint is in service, with the old configuration. The same
    template is no update any more; UpdateEndpoint is, with the rollout of before
    (RetainDeploymentConfig, Amazon SageMaker API reference).

    Args:
        live: Where it runs.
        settings: Its environment.
        say: Told what has begun by itself since.

    Raises:
        ForecastError: The endpoint serves another configuration than the stack's, or two, or
            nothing, or one of them is not there.
    """
    name, stack = settings.endpoint.name, settings.stack_name
    expected = live.output(stack, _CONFIGURATION)
    if expected is None:
        raise ForecastError(
            f"expected an output {_CONFIGURATION} of the stack {stack} after the deployment, got "
            "none; look at the stack in this account and region"
        )
    endpoint = live.endpoint(name)
    if endpoint is None:
        raise ForecastError(
            f"expected the endpoint {name} after the deployment, got none in this account "
            "and region; look who deleted it (DeleteEndpoint in AWS CloudTrail) and deploy again"
        )
    status = endpoint["EndpointStatus"]
    if endpoint[_CONFIGURATION] != expected or status in {MIXED, UNDOING}:
        raise ForecastError(_not_held(settings, endpoint, expected))
    way = way_out(settings.name, name, status, settings.region)
    if is_broken(status):
        why = endpoint.get("FailureReason", _NO_REASON)
        raise ForecastError(f"{name} is {status} after the deployment ({why}): {way}")
    if is_in_transition(status):
        say(f"{name} is {status} by now; {way}")


def _not_held(settings: EnvironmentSettings, endpoint: Mapping[str, Any], expected: str) -> str:
    name, status = settings.endpoint.name, endpoint["EndpointStatus"]
    why = endpoint.get("FailureReason", _NO_REASON)
    again = rollout_command(name, expected, settings.region)
    outcome = {MIXED: "was undone in part", UNDOING: "is being undone"}.get(status, "was undone")
    mixed = " and instances of another configuration" if status == MIXED else ""
    return (
        f"the rollout {outcome}: {name} is {status} with {endpoint[_CONFIGURATION]}{mixed}, "
        f"expected {expected}: {why}\n"
        "deploying the same again changes nothing, as CloudFormation has counted it as done; "
        "deploy another version, or try the same rollout again:\n"
        f"  {again}\n{ways_on(settings.name)}"
    )


def ways_on(environment: str) -> str:
    """The commands that tell why a rollout was undone, and that go back."""
    return (
        f"the alarm that fired, if one did: forecast verify {environment}\n"
        f"back to what was verified: forecast rollback {environment}"
    )


def rollout_command(endpoint_name: str, configuration: str, region: str) -> str:
    """The command that rolls a configuration out once more, as the last rollout did."""
    return (
        f"aws sagemaker update-endpoint --endpoint-name {endpoint_name} "
        f"--endpoint-config-name {configuration} --retain-all-variant-properties "
        f"--retain-deployment-config --region {region}"
    )
