"""What the deletion of an endpoint destroys, and how it is undone, in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from forecast_operations.cloud.refusals import CloudError
from forecast_operations.deployed.scaling import read_targets
from forecast_operations.endpoints.deletion import OwnDeletion, StrayDeletion
from forecast_operations.watching.traffic import read_traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.deployed.endpoint import EndpointState
    from forecast_operations.deployed.live import Live


def consequences(deletion: OwnDeletion | StrayDeletion) -> Iterator[str]:
    """What a deletion destroys, and how it is undone, one sentence each."""
    yield deletion.where
    if isinstance(deletion, OwnDeletion):
        yield from _of_own(deletion)
    else:
        yield from _of_stray(deletion)


def _of_own(deletion: OwnDeletion) -> Iterator[str]:
    place, settings = deletion.place, deletion.place.settings
    if deletion.state is not None:
        yield from _traffic(place.live, deletion.state)
    yield (
        f"the stack {place.stack} goes with its {deletion.resources} resources: endpoint, model, "
        "configuration, scaling, alarms, heartbeat, dashboard"
    )
    yield (
        f"the stack {place.artifacts_stack} stays: bucket, archives, captured data, key and logs; "
        f"models and configurations of earlier versions, too (forecast prune {settings.name})"
    )
    yield f"the way back: forecast deploy {settings.name}, which takes minutes"


def _of_stray(deletion: StrayDeletion) -> Iterator[str]:
    live, state = deletion.live, deletion.state
    yield from _traffic(live, state)
    targets = read_targets(live.cloud, state.name)
    if targets:
        yield f"the scaling of {', '.join(each.variant for each in targets)} goes with it"
    if deletion.config:
        gone = ", ".join(deletion.models) or "none"
        yield f"its configuration {state.config} goes, and its models: {gone}"
        yield "there is no way back but to deploy it anew"
        return
    yield (
        "the way back, while its configuration is there: aws sagemaker create-endpoint "
        f"--endpoint-name {state.name} --endpoint-config-name {state.config} --region "
        f"{live.cloud.region}; its scaling is not brought back by that"
    )


def _traffic(live: Live, state: EndpointState) -> Iterator[str]:
    if state.mode is None:
        yield "whether it is used is not known: its configuration is gone"
        return
    variants = [variant.name for variant in state.answering]
    try:
        seen = read_traffic(live.cloud, state.name, variants, datetime.now(UTC))
    except CloudError as error:
        yield f"whether it is used is not known: {error}"
        return
    requests = sum(each.requests for each in seen.traffic)
    if state.mode == "async":
        # An asynchronous endpoint publishes no Invocations (SageMaker developer guide, "Monitor
        # asynchronous endpoint").
        waiting = "how many is not known" if seen.backlog is None else f"{seen.backlog:,} now"
        yield f"requests that wait in its queue are lost: {waiting}; who asks it is not known"
    elif requests:
        yield f"it answered {requests:,} requests in the last hour, the heartbeat's among them"
    else:
        yield "nobody has asked it in the last hour"
