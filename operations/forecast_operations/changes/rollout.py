"""How a wanted version takes over: moment by moment, and what would undo it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config.rollouts import traffic_over_time
from forecast_config.settings import RollingRollout
from forecast_operations.synthesis.hosted import ENDPOINT, hosted_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_config.rollouts import Shares
    from forecast_config.settings import Rollout
    from forecast_operations.changes.fleet import Takeover
    from forecast_operations.changes.resources import ResourceChange
    from forecast_operations.synthesis.hosted import Template
    from forecast_operations.updates.obstacles import Obstacle

_ANEW = frozenset({"recreate", "failed", "away"})
_CONFIGURATION = "EndpointConfigName"
_NEW = "all requests go to the new instances"


@dataclass(frozen=True)
class Moment:
    """What happens at one moment.

    Attributes:
        seconds: Time since the first new instances were healthy.
        text: What happens then.
    """

    seconds: int
    text: str


@dataclass(frozen=True)
class Timeline:
    """A takeover.

    Attributes:
        takeover: How new capacity comes.
        summary: It in a sentence.
        moments: What happens when; nothing where nothing is shifted step by step.
        alarms: Names of the alarms that undo it.
        timeout_seconds: Time after which it is undone when it has not ended; None: never.
    """

    takeover: Takeover
    summary: str
    moments: tuple[Moment, ...] = ()
    alarms: tuple[str, ...] = ()
    timeout_seconds: int | None = None


def takeover_of(
    changes: Sequence[ResourceChange],
    obstacles: Sequence[Obstacle],
    wanted: Template | None,
) -> Takeover:
    """How the capacity of the wanted version comes.

    Args:
        changes: What happens to each resource.
        obstacles: What AWS would refuse; what leads around them is taken to be allowed.
        wanted: The wanted template of the endpoint's stack.
    """
    endpoint = next((each for each in changes if each.type == ENDPOINT), None)
    if any(each.kind in _ANEW for each in obstacles):
        return "anew"
    if endpoint is None or endpoint.action in {"unchanged", "removed", "kept"}:
        return "none"
    if endpoint.action == "new":
        return "start"
    if endpoint.action == "replaced":
        return "beside"
    if not any(each.path == _CONFIGURATION for each in endpoint.properties):
        return "none"
    unguarded = any(each.kind == "variants" for each in obstacles)
    hosted = hosted_in(wanted)
    rolling = hosted is not None and "RollingUpdatePolicy" in hosted.deployment_config
    return "batches" if rolling and not unguarded else "second fleet"


def plan_timeline(
    rollout: Rollout,
    wanted: Template | None,
    takeover: Takeover,
    obstacles: Sequence[Obstacle],
    instances: int | None,
) -> Timeline:
    """The takeover of the wanted version.

    Args:
        rollout: How the settings want it.
        wanted: The wanted template of the endpoint's stack, which knows alarms and timeout.
        takeover: How the new capacity comes.
        obstacles: What AWS would refuse.
        instances: Instances of the champion; None for serverless.
    """
    if takeover in _SUMMARIES:
        return Timeline(takeover, _SUMMARIES[takeover])
    if instances is None:
        return Timeline(
            takeover,
            "serverless: all requests go to the new version at once, and nothing undoes it",
        )
    if any(each.kind == "variants" for each in obstacles):
        return Timeline(
            takeover, "all requests go to the new variants at once, and nothing undoes it"
        )
    hosted = hosted_in(wanted)
    count = max(1, instances)
    moments = tuple(_moments(rollout, count))
    return Timeline(
        takeover,
        f"{rollout.kind} over {count} {'instance' if count == 1 else 'instances'}; the time "
        "starts when the first new instances are healthy",
        moments,
        () if hosted is None else hosted.rollback_alarms,
        None if hosted is None else hosted.timeout_seconds,
    )


_SUMMARIES: dict[Takeover, str] = {
    "none": "the endpoint goes on serving as it does; no traffic is shifted",
    "start": "a new endpoint: its instances start, and there is nothing to go back to",
    "anew": "the endpoint is removed and made anew; between the two steps nobody answers",
    "beside": "an endpoint of another name is made, and the old one is deleted after it",
}


def _moments(rollout: Rollout, count: int) -> list[Moment]:
    shares = traffic_over_time(rollout, count)
    *shifts, (end, _) = shares
    found = [Moment(seconds, _words(each, count)) for seconds, each in shifts]
    last = shifts[-1][0] + rollout.wait_seconds
    if isinstance(rollout, RollingRollout):
        return [*found, Moment(end, "the alarms are watched no longer; it is done")]
    if end > last:
        watched = "the alarms have been watched; the old instances are kept a while longer"
        found.append(Moment(last, watched))
    return [*found, Moment(end, "the old instances are deleted; it is done")]


def _words(shares: Shares, count: int) -> str:
    if "copies" in shares:
        return f"the champion answers; the challenger gets a copy of {_percent(shares['copies'])}"
    if "challenger" in shares:
        champion, challenger = _percent(shares["champion"]), _percent(shares["challenger"])
        return f"the champion gets {champion} of the requests, the challenger {challenger}"
    share = shares["new"]
    if share >= 1:
        return _NEW
    new = round(share * count)
    return f"{_percent(share)} of the requests go to new instances ({new} of {count})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
