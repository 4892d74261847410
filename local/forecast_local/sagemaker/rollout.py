"""A rollout over time: traffic moves to a new fleet step by step while alarms are watched.

Sources: SageMaker developer guide, "Deployment guardrails" (all at once, canary, linear, rolling,
auto-rollback); SageMaker API reference, BlueGreenUpdatePolicy and RollingUpdatePolicy.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forecast_local.clock import Clock
from forecast_local.sagemaker.deployment_limits import DEFAULT_EXECUTION_SECONDS, instances_of


class RolledBackError(Exception):
    """A rollout that was undone; the message says why."""


@dataclass(frozen=True)
class Shift:
    """A step of a rollout.

    Attributes:
        shares: Share of each variant's requests that the new fleet answers from now on (0 to 1).
        wait_seconds: How long the alarms are watched before the next step.
        status: What DescribeEndpoint calls the wait.
    """

    shares: Mapping[str, float]
    wait_seconds: int
    status: str = "Baking"


@dataclass(frozen=True)
class RolloutPlan:
    """What a deployment configuration means for a fleet.

    Attributes:
        shifts: The steps; after the last one the old fleet goes.
        alarms: Names of the alarms that undo it.
        timeout_seconds: Waiting time after which an unfinished rollout is undone, in one step.
    """

    shifts: tuple[Shift, ...]
    alarms: tuple[str, ...] = ()
    timeout_seconds: int = DEFAULT_EXECUTION_SECONDS


def rollback_alarms(deployment: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return the names of the alarms of an ``AutoRollbackConfiguration``."""
    rollback = (deployment or {}).get("AutoRollbackConfiguration") or {}
    return tuple(alarm["AlarmName"] for alarm in rollback.get("Alarms", []))


def plan_rollout(
    deployment: Mapping[str, Any] | None, counts: Mapping[str, int], *, falls_back: bool = False
) -> RolloutPlan:
    """Return the steps that a deployment configuration means.

    Args:
        deployment: ``DeploymentConfig``; None moves all traffic at once, without a wait.
        counts: Instances of each production variant, at least 1.
        falls_back: Whether the endpoint is excluded from policies.
    """
    at_once = dict.fromkeys(counts, 1.0)
    alarms = rollback_alarms(deployment)
    given = {} if deployment is None or falls_back else deployment
    if "RollingUpdatePolicy" in given:
        policy = given["RollingUpdatePolicy"]
        shifts = _equal(policy["MaximumBatchSize"], counts, int(policy["WaitIntervalInSeconds"]))
        return RolloutPlan(shifts, alarms, _timeout(policy))
    if "BlueGreenUpdatePolicy" not in given:
        return RolloutPlan((Shift(at_once, 0),), alarms)
    policy = given["BlueGreenUpdatePolicy"]
    routing = policy["TrafficRoutingConfiguration"]
    wait = int(routing["WaitIntervalInSeconds"])
    shifts = (Shift(at_once, wait),)
    if routing["Type"] == "CANARY":
        size = routing["CanarySize"]
        canary = {name: instances_of(size, count) / count for name, count in counts.items()}
        shifts = (Shift(canary, wait), *shifts)
    elif routing["Type"] == "LINEAR":
        shifts = _equal(routing["LinearStepSize"], counts, wait)
    termination = int(policy.get("TerminationWaitInSeconds", 0))
    last = Shift(at_once, termination, status="ActivatingTraffic")
    return RolloutPlan((*shifts, last), alarms, _timeout(policy))


def _timeout(policy: Mapping[str, Any]) -> int:
    return int(policy.get("MaximumExecutionTimeoutInSeconds", DEFAULT_EXECUTION_SECONDS))


def _steps(size: Mapping[str, Any], count: int) -> int:
    return math.ceil(count / max(instances_of(size, count), 1))


def _equal(size: Mapping[str, Any], counts: Mapping[str, int], wait: int) -> tuple[Shift, ...]:
    number = max(_steps(size, count) for count in counts.values())
    return tuple(
        Shift(
            {
                name: min(1.0, step * instances_of(size, count) / count)
                for name, count in counts.items()
            },
            wait,
        )
        for step in range(1, number + 1)
    )


class Rollout:
    """Carries a plan out.

    Args:
        plan: The plan.
        clock: Passes the waiting times.
        shift: Called with each step when it begins.
        tripped: Returns the watched alarms that are in ALARM.
    """

    def __init__(
        self,
        plan: RolloutPlan,
        clock: Clock,
        *,
        shift: Callable[[Shift], None],
        tripped: Callable[[Sequence[str]], list[str]],
    ) -> None:
        self._plan = plan
        self._clock = clock
        self._shift = shift
        self._tripped = tripped
        self._waited_seconds = 0.0

    def run(self) -> None:
        """Make every step; return once the new fleet has all traffic and every wait is over.

        Raises:
            RolledBackError: If an alarm went off, or the time is up.
        """
        for step in self._plan.shifts:
            self._shift(step)
            self._watch(step.wait_seconds)

    def _watch(self, seconds: float) -> None:
        remaining = float(seconds)
        while True:
            alarms = self._tripped(self._plan.alarms)
            if alarms:
                raise RolledBackError(
                    "One or more of the CloudWatch alarms of the endpoint went into ALARM during "
                    f"the deployment, which was rolled back: {alarms}"
                )
            if self._waited_seconds > self._plan.timeout_seconds:
                raise RolledBackError(
                    "The deployment took longer than its MaximumExecutionTimeoutInSeconds "
                    f"{self._plan.timeout_seconds} and was rolled back"
                )
            if remaining <= 0:
                return
            pause = min(remaining, self._clock.watch_interval_seconds)
            self._clock.wait(pause)
            remaining -= pause
            self._waited_seconds += pause
