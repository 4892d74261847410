"""The deletion of an endpoint: by its stack where it has one, else by itself."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_operations.deployed.endpoint import read_endpoint
from forecast_operations.deployed.live import GONE
from forecast_operations.deployed.place import where
from forecast_operations.deployed.stacks import is_protected, is_under_way, status_of
from forecast_operations.endpoints.listing import configs_in, models_of
from forecast_operations.stopping.stopped import StoppedStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from forecast_config import EnvironmentSettings
    from forecast_operations.deployed.endpoint import EndpointState
    from forecast_operations.deployed.live import Live
    from forecast_operations.deployed.place import Place

_POLL_SECONDS = 10.0
_STACK_TAG = "aws:cloudformation:stack-name"
_SHOWN = 3


@dataclass(frozen=True)
class OwnDeletion:
    """The deletion of an environment's endpoint, with its stack.

    Attributes:
        place: The environment.
        state: The endpoint; None: it is away, and its stack is not.
        resources: How many resources the stack has.
    """

    place: Place
    state: EndpointState | None
    resources: int

    @property
    def where(self) -> str:
        """Account and region."""
        return self.place.where


@dataclass(frozen=True)
class StrayDeletion:
    """The deletion of an endpoint that belongs to no environment.

    Attributes:
        live: Where it is.
        state: The endpoint.
        models: Its models that nothing else uses, where they go as well.
        config: Whether its configuration goes as well.
    """

    live: Live
    state: EndpointState
    models: tuple[str, ...] = ()
    config: bool = False

    @property
    def where(self) -> str:
        """Account and region."""
        return where(self.live)


def check_accounts(live: Live, environments: Iterable[EnvironmentSettings]) -> None:
    """Refuse credentials of an account that no environment names, where any names one.

    Raises:
        ForecastError: The credentials are of another account.
    """
    known = sorted({each.account for each in environments if each.account is not None})
    if not known:
        return
    actual = live.account()
    if actual not in known:
        raise ForecastError(
            f"expected credentials of one of the accounts of the configuration "
            f"({', '.join(known)}), got those of {actual}; take on a role in one of them "
            "(AWS_PROFILE, aws sso login)"
        )


def plan_own(place: Place) -> OwnDeletion | StrayDeletion:
    """What the deletion of an environment's endpoint will do; nothing is changed.

    Raises:
        ForecastError: There is nothing to delete, it may not be deleted now, or it is another
            stack's.
    """
    stack = place.live.stack(place.stack)
    state = read_endpoint(place.live, place.endpoint_name)
    _check_settled(state)
    if stack is None:
        if state is None:
            raise ForecastError(
                f"{place.settings.name} is not deployed in {place.settings.region}: there is "
                f"neither an endpoint {place.endpoint_name} nor a stack {place.stack}"
            )
        _check_stackless(place.live, state)
        return StrayDeletion(place.live, state)
    if is_protected(stack):
        raise ForecastError(_protected(place))
    if is_under_way(status_of(stack)):
        raise ForecastError(
            f"the stack {place.stack} is {status_of(stack)}; wait for the end of it"
        )
    return OwnDeletion(place, state, len(place.live.stack_resources(place.stack)))


def plan_stray(live: Live, name: str, *, with_models: bool) -> StrayDeletion:
    """What the deletion of an endpoint of no environment will do; nothing is changed.

    Args:
        live: Where it is.
        name: Its name.
        with_models: Whether its configuration and models go as well, unless something else uses
            them.

    Raises:
        ForecastError: It is not there, in a transition, or a stack's.
    """
    state = read_endpoint(live, name)
    if state is None:
        raise ForecastError(f"there is no endpoint {name} in {live.cloud.region}")
    _check_settled(state)
    _check_stackless(live, state)
    if not with_models:
        return StrayDeletion(live, state)
    return _with_models(live, state)


def carry_out_own(
    deletion: OwnDeletion,
    say: Callable[[str], None],
    pause: Callable[[], None] = lambda: time.sleep(_POLL_SECONDS),
) -> None:
    """Delete an environment's endpoint with its stack, and wait for the end of it.

    Args:
        deletion: What is deleted.
        say: Told each step.
        pause: Called between two looks at the stack.

    Raises:
        ForecastError: CloudFormation could not delete all of it.
    """
    place = deletion.place
    stack_id = (place.live.stack(place.stack) or {}).get("StackId", place.stack)
    place.cloud.ask("cloudformation", "delete_stack", StackName=place.stack)
    say(f"deleting the stack {place.stack}: takes minutes, and goes on when this is interrupted")
    while (stack := place.live.stack(stack_id)) is not None:
        if stack["StackStatus"] == "DELETE_COMPLETE":
            break
        if stack["StackStatus"] == "DELETE_FAILED":
            raise ForecastError(
                f"the stack {place.stack} could not be deleted: "
                f"{'; '.join(_failures(place, stack_id))}; remove what is in the way and run the "
                "same command again"
            )
        pause()
    bucket = place.bucket()
    if bucket is not None:
        # An emergency stop before it is over, too.
        StoppedStore(place.cloud, bucket, place.settings.name).remove()


def carry_out_stray(deletion: StrayDeletion, say: Callable[[str], None]) -> None:
    """Delete an endpoint of no environment, and what goes with it."""
    cloud, state = deletion.live.cloud, deletion.state
    cloud.ask("sagemaker", "delete_endpoint", missing=GONE, EndpointName=state.name)
    say(f"deleted the endpoint {state.name}")
    if deletion.config:
        cloud.ask(
            "sagemaker",
            "delete_endpoint_config",
            missing=GONE,
            EndpointConfigName=state.config,
        )
        say(f"deleted its configuration {state.config}")
    for model in deletion.models:
        cloud.ask("sagemaker", "delete_model", missing=GONE, ModelName=model)
        say(f"deleted its model {model}")


def _check_settled(state: EndpointState | None) -> None:
    if state is not None and state.under_way:
        raise ForecastError(
            f"the endpoint {state.name} is {state.status}, and SageMaker deletes none in a "
            "transition; wait for the end of it: forecast status --watch"
        )


def _check_stackless(live: Live, state: EndpointState) -> None:
    """Refuse an endpoint that CloudFormation says it has made."""
    stack = live.tags_of(state.arn).get(_STACK_TAG)
    if stack is not None:
        raise ForecastError(
            f"the endpoint {state.name} belongs to the stack {stack}, which would look for it in "
            f"vain; delete the stack: aws cloudformation delete-stack --stack-name {stack} "
            f"--region {live.cloud.region}"
        )


def _protected(place: Place) -> str:
    return (
        f"the stack {place.stack} is protected from deletion (termination_protection); to delete "
        f"it nevertheless: aws cloudformation update-termination-protection --stack-name "
        f"{place.stack} --no-enable-termination-protection --region {place.settings.region}, then "
        "the same command again; to take the endpoint away for a while: forecast stop "
        f"{place.settings.name} --how delete"
    )


def _failures(place: Place, stack_id: str) -> list[str]:
    found = [
        f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason', 'no reason given')}"
        for each in place.cloud.pages(
            "cloudformation", "describe_stack_events", "StackEvents", StackName=stack_id
        )
        if each["ResourceStatus"] == "DELETE_FAILED"
    ]
    return found[:_SHOWN]


def _with_models(live: Live, state: EndpointState) -> StrayDeletion:
    """Its configuration and models, where neither another endpoint nor another config uses them."""
    if any(name != state.name and config == state.config for name, config, _ in configs_in(live)):
        return StrayDeletion(live, state)
    own = models_of(live.endpoint_config(state.config))
    used = {
        model
        for each in live.cloud.pages("sagemaker", "list_endpoint_configs", "EndpointConfigs")
        if each["EndpointConfigName"] != state.config
        for model in models_of(live.endpoint_config(each["EndpointConfigName"]))
    }
    return StrayDeletion(live, state, tuple(sorted(own - used)), config=True)
