"""What serves: the endpoint, its instances and their scaling, and how a new version rolls out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from forecast_config.instances import known_instance_types
from forecast_config.settings.base import Settings
from forecast_config.settings.fields import CooldownSeconds, InstanceCount, Matching
from forecast_config.settings.ruling import refused, rule
from forecast_config.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config.settings.ruling import Broken

MAX_EXECUTION_SECONDS = 28_800
"""Upper bound of MaximumExecutionTimeoutInSeconds (SageMaker API, BlueGreenUpdatePolicy)."""

MIN_EXECUTION_SECONDS = 600
"""Lower bound of MaximumExecutionTimeoutInSeconds (SageMaker API, BlueGreenUpdatePolicy)."""

CANARY_MAX_SHARE = 0.5
"""Largest share of a variant's instances that a canary may hold (SageMaker API, CapacitySize)."""


Name = Annotated[
    str,
    Field(max_length=63),
    Matching(
        r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$",
        "letters, digits and hyphens, with a letter or digit at both ends",
    ),
]
"""Name of an endpoint or a variant (SageMaker API reference, CreateEndpointConfig)."""


def _check_instance_type(instance_type: str) -> str:
    if instance_type not in known_instance_types():
        raise refused(
            "expected a SageMaker hosting instance type such as ml.m5.large, "
            f"got {shown(instance_type)}"
        )
    return instance_type


class EndpointSettings(Settings):
    """The endpoint's name and the instances behind it."""

    name: Name
    """The fixed name clients call; at most 63 characters, never carrying a model version."""

    instance_type: Annotated[str, AfterValidator(_check_instance_type)]
    """Instance type, such as ml.m5.large."""

    initial_instance_count: InstanceCount = 1
    """Instances at the first deployment; later deployments keep the scaled-out count."""

    variant_name: Name = "AllTraffic"
    """Name of the production variant; it must stay the same from deployment to deployment."""

    startup_timeout_seconds: Annotated[int, Field(ge=60, le=3600)] | None = None
    """Time the container has to answer its first ping (60 to 3600); null: by the model's size."""

    download_timeout_seconds: Annotated[int, Field(ge=60, le=3600)] | None = None
    """Time an instance has to fetch and unpack the model (60 to 3600); null: by its size."""

    volume_size_gb: Annotated[int, Field(ge=1, le=512)] | None = None
    """Storage of an instance without NVMe disks (1 to 512); null: by the model's size."""


class CpuUtilizationTarget(Settings):
    """Scale on the CPU's utilization averaged over all cores."""

    kind: Literal["cpu_utilization"]
    """Average CPU over all cores; the metric of AWS is a sum over cores and is divided here."""

    percent: Annotated[float, Field(gt=0, le=100)]
    """Utilization to keep, in percent of all cores (0 to 100)."""


class InvocationsTarget(Settings):
    """Scale on the requests that each instance gets."""

    kind: Literal["invocations_per_instance"]
    """Average number of requests a minute and instance."""

    per_minute: Annotated[float, Field(gt=0)]
    """Requests a minute and instance to keep."""


ScalingTarget = Annotated[CpuUtilizationTarget | InvocationsTarget, Field(discriminator="kind")]


@rule("min_instance_count", "max_instance_count")
def _bounds_are_in_order(low: int, high: int) -> Iterator[Broken]:
    if low > high:
        yield (
            ("max_instance_count",),
            f"expected at least min_instance_count ({low}), got {high}",
        )


class AutoscalingSettings(Settings):
    """Bounds and target of Application Auto Scaling for the production variant."""

    min_instance_count: InstanceCount = 1
    """Fewest instances; a real-time variant cannot go to 0."""

    max_instance_count: InstanceCount
    """Most instances."""

    target: ScalingTarget
    """What is held constant by adding and removing instances."""

    scale_out_cooldown_seconds: CooldownSeconds = 60
    """Pause after adding instances."""

    scale_in_cooldown_seconds: CooldownSeconds = 300
    """Pause after removing instances."""

    rules = (_bounds_are_in_order,)


_SHIFTS = {"all_at_once": 1, "canary": 2}
"""Shifts of traffic in a rollout, each of which the alarms are watched after."""


@rule("kind", "wait_seconds", "termination_wait_seconds", "maximum_execution_timeout_seconds")
def _waits_end_in_time(kind: str, wait: int, termination: int, timeout: int) -> Iterator[Broken]:
    waits = _SHIFTS[kind] * wait + termination
    if waits >= timeout:
        yield (
            ("maximum_execution_timeout_seconds",),
            f"expected more than the rollout's own waits ({waits} s), got {timeout}",
        )


class _BlueGreen(Settings):
    """What every blue/green rollout has: alarms are watched, then the old fleet goes."""

    wait_seconds: Annotated[int, Field(ge=0, le=3600)] = 300
    """Time the alarms are watched after each shift of traffic (0 to 3600)."""

    termination_wait_seconds: Annotated[int, Field(ge=0, le=3600)] = 120
    """Time the old instances are kept after the last shift (0 to 3600)."""

    maximum_execution_timeout_seconds: Annotated[
        int, Field(ge=MIN_EXECUTION_SECONDS, le=MAX_EXECUTION_SECONDS)
    ] = 3600
    """Time after which an unfinished rollout is undone (600 to 28800)."""

    rules = (_waits_end_in_time,)


class AllAtOnceRollout(_BlueGreen):
    """A new fleet takes all traffic at once, and is undone when an alarm fires."""

    kind: Literal["all_at_once"]
    """All traffic moves to the new fleet in one step."""


def canary_share(percent: int, instance_count: int) -> float:
    """Share of a fleet that a canary of so many percent really takes, as instances are whole."""
    return math.ceil(instance_count * percent / 100) / instance_count


class CanaryRollout(_BlueGreen):
    """A part of the new fleet is tried first; the rest follows when no alarm fires."""

    kind: Literal["canary"]
    """A part of the traffic moves first, the rest after wait_seconds."""

    percent: Annotated[int, Field(ge=1, le=50)]
    """Share of the instances in the first step (1 to 50)."""

    def share_of(self, instance_count: int) -> float:
        """Share of a fleet that the canary really takes, as instances are whole."""
        return canary_share(self.percent, instance_count)


Rollout = Annotated[AllAtOnceRollout | CanaryRollout, Field(discriminator="kind")]
