"""How a new version takes over: the deployment guardrails of Amazon SageMaker.

Limits: SageMaker API reference, BlueGreenUpdatePolicy, TrafficRoutingConfig, RollingUpdatePolicy,
CapacitySize and AutoRollbackConfig.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from forecast_config.settings.base import Settings
from forecast_config.settings.endpoint import InstanceType
from forecast_config.settings.fields import Distinct, InstanceCount
from forecast_config.settings.ruling import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config.settings.ruling import Broken

MAX_EXECUTION_SECONDS = 28_800
"""Upper bound of MaximumExecutionTimeoutInSeconds."""

MAX_ROLLBACK_ALARMS = 10
"""Alarms of an AutoRollbackConfig."""

MIN_EXECUTION_SECONDS = 600
"""Lower bound of MaximumExecutionTimeoutInSeconds."""

FLEET_START_SECONDS = 1800
"""Room for the start of a fleet: instances, image, model and first ping take minutes."""

BATCH_START_SECONDS = 900
"""Room for the start of one batch of a rolling update."""

LEAST_START_SECONDS = 300
"""Room that a timeout of one's own leaves for the start of a fleet or a batch, at the least: it may
be shorter than what is left else, down to the 600 seconds of the API."""

WaitSeconds = Annotated[int, Field(ge=0, le=3600)]
AlarmName = Annotated[str, Field(min_length=1, max_length=255)]


@rule("alias", "version")
def _a_challenger_is_named_once(alias: str | None, version: str | None) -> Iterator[Broken]:
    if (alias is None) == (version is None):
        got = "neither" if alias is None else "both"
        yield (), f"expected either alias or version, got {got}"


class Challenger(Settings):
    """The model version that is compared with the champion."""

    alias: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """Registry alias, such as challenger; exactly one of alias and version is given."""

    version: Annotated[str, Field(min_length=1)] | None = None
    """Version in the registry, quoted."""

    rules = (_a_challenger_is_named_once,)


class _Rollout(Settings):
    """What every rollout has."""

    maximum_execution_timeout_seconds: (
        Annotated[int, Field(ge=MIN_EXECUTION_SECONDS, le=MAX_EXECUTION_SECONDS)] | None
    ) = None
    """Time after which an unfinished rollout is undone (600 to 28800); null: by its own waits."""

    additional_alarms: Annotated[tuple[AlarmName, ...], Distinct] = ()
    """Names of metric alarms of your own that undo a rollout, beside those that are made for it.

    No composite ones: the role may describe just these alarms, and CloudWatch shows composite
    alarms only to who may describe all (CloudWatch API reference, DescribeAlarms).
    """


class _BlueGreen(_Rollout):
    """What every blue/green rollout has: alarms are watched, then the old fleet goes."""

    wait_seconds: WaitSeconds = 300
    """Time the alarms are watched after each shift of traffic (0 to 3600)."""

    termination_wait_seconds: WaitSeconds = 120
    """Time the old instances are kept after the last shift (0 to 3600)."""


class AllAtOnceRollout(_BlueGreen):
    """A new fleet takes all traffic at once, and is undone when an alarm fires."""

    kind: Literal["all_at_once"]
    """All traffic moves to the new fleet in one step."""


class CanaryRollout(_BlueGreen):
    """A part of the new fleet is tried first; the rest follows when no alarm fires."""

    kind: Literal["canary"]
    """A part of the traffic moves first, the rest after wait_seconds."""

    percent: Annotated[int, Field(ge=1, le=50)]
    """Share of the instances in the first step (1 to 50)."""


class LinearRollout(_BlueGreen):
    """The traffic moves in equal steps; the alarms are watched after each."""

    kind: Literal["linear"]
    """Equal steps, wait_seconds apart."""

    step_percent: Annotated[int, Field(ge=10, le=50)]
    """Share of the instances in each step (10 to 50)."""


class RollingRollout(_Rollout):
    """Instances are replaced batch by batch, without a second fleet."""

    kind: Literal["rolling"]
    """Batches in place; needs no spare quota, and is undone batch by batch."""

    batch_percent: Annotated[int, Field(ge=5, le=50)]
    """Share of the instances in a batch (5 to 50)."""

    rollback_batch_percent: Annotated[int, Field(ge=5, le=100)] | None = None
    """Share of the instances in a batch of the way back (5 to 100); null: all of them at once."""

    wait_seconds: WaitSeconds = 300
    """Time the alarms are watched after each batch (0 to 3600)."""


class ShadowRollout(_BlueGreen):
    """The champion answers; a challenger gets copies of the requests and its answers are kept."""

    kind: Literal["shadow"]
    """A copy of a share of the traffic goes to the challenger; clients notice nothing."""

    challenger: Challenger
    """Whom the copies go to."""

    sampling_percent: Annotated[int, Field(ge=1, le=100)] = 100
    """Share of the requests that is copied (1 to 100)."""

    instance_type: InstanceType | None = None
    """Instance type of the challenger; null: that of the endpoint."""

    initial_instance_count: InstanceCount = 1
    """Instances of the challenger."""


class SplitRollout(_BlueGreen):
    """Champion and challenger share the traffic by weight (A/B)."""

    kind: Literal["split"]
    """Each answers its share of the requests."""

    challenger: Challenger
    """Who answers the share."""

    challenger_percent: Annotated[int, Field(ge=1, le=99)]
    """Share of the requests that the challenger answers at first (1 to 99)."""

    instance_type: InstanceType | None = None
    """Instance type of the challenger; null: that of the endpoint."""

    initial_instance_count: InstanceCount = 1
    """Instances of the challenger."""


ChallengerRollout = ShadowRollout | SplitRollout

BlueGreenRollout = AllAtOnceRollout | CanaryRollout | LinearRollout | ShadowRollout | SplitRollout

Rollout = Annotated[
    AllAtOnceRollout
    | CanaryRollout
    | LinearRollout
    | RollingRollout
    | ShadowRollout
    | SplitRollout,
    Field(discriminator="kind"),
]
