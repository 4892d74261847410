"""Rules between a rollout and the fleet that it replaces: the limits solver.

Sources: SageMaker API reference, TrafficRoutingConfig, RollingUpdatePolicy, BlueGreenUpdatePolicy
and AutoRollbackConfig; Amazon SageMaker developer guide, "Deployment guardrails", exclusions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_config.instances import ignores_guardrails
from forecast_config.settings.rollout import (
    BATCH_START_SECONDS,
    FLEET_START_SECONDS,
    LEAST_START_SECONDS,
    MAX_EXECUTION_SECONDS,
    MAX_ROLLBACK_ALARMS,
)
from forecast_config.settings.ruling import Rule, rule
from forecast_config.steps import largest_percent, most_steps, share_of, too_large_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from forecast_config.settings.ruling import Broken

    Entries = Mapping[str, Mapping[str, Any]]

_PERCENTS = {"canary": "percent", "linear": "step_percent", "rolling": "batch_percent"}
_STEPS = {"canary": "a canary", "linear": "a step", "rolling": "a batch"}
_INSTANCES_BY_PARTS = "one instance cannot be replaced by parts"


@dataclass(frozen=True)
class _Fleets:
    """The fleets of `low` to `high` instances that a rollout may have to replace."""

    low: int
    high: int

    @property
    def shown(self) -> str:
        if self.low == self.high:
            return f"{self.low} instances"
        return f"{self.low} to {self.high} instances"


def _reachable(low: int, high: int, scheduled: Entries) -> _Fleets:
    """What scaling and its scheduled actions can make of a fleet; one that is empty is filled."""
    lows = [action.get("min_instance_count") for action in scheduled.values()]
    highs = [action.get("max_instance_count") for action in scheduled.values()]
    least = max(1, min([low, *(each for each in lows if each is not None)]))
    return _Fleets(least, max([least, high, *(each for each in highs if each is not None)]))


_SCALED = (
    "autoscaling.min_instance_count",
    "autoscaling.max_instance_count",
    "autoscaling.scheduled",
)
_WAITS = ("rollout.wait_seconds", "rollout.maximum_execution_timeout_seconds")


def _for_fleets(*needs: str) -> Callable[[Callable[..., Iterator[Broken]]], tuple[Rule, Rule]]:
    """Makes a check of fleets, and of the values needed, one rule for fixed and one for scaled."""

    def make(check: Callable[..., Iterator[Broken]]) -> tuple[Rule, Rule]:
        def check_fixed(count: int, autoscaling: object, *values: Any) -> Iterator[Broken]:
            if not autoscaling:
                yield from check(_Fleets(count, count), *values)

        def check_scaled(low: int, high: int, scheduled: Entries, *values: Any) -> Iterator[Broken]:
            yield from check(_reachable(low, high, scheduled), *values)

        fixed = ("endpoint.initial_instance_count", "autoscaling")
        return Rule((*fixed, *needs), check_fixed), Rule((*_SCALED, *needs), check_scaled)

    return make


@_for_fleets("rollout.percent")
def _canary_fits(fleets: _Fleets, percent: int) -> Iterator[Broken]:
    yield from _check_step("canary", percent, fleets)


@_for_fleets("rollout.step_percent")
def _steps_fit(fleets: _Fleets, percent: int) -> Iterator[Broken]:
    yield from _check_step("linear", percent, fleets)


@_for_fleets("rollout.batch_percent")
def _batches_fit(fleets: _Fleets, percent: int) -> Iterator[Broken]:
    yield from _check_step("rolling", percent, fleets)


def _check_step(kind: str, percent: int, fleets: _Fleets) -> Iterator[Broken]:
    if fleets.low == 1:
        yield (
            ("rollout", "kind"),
            f"{_INSTANCES_BY_PARTS}: use at least 2 instances, or all_at_once, got {kind}",
        )
        return
    count = too_large_in(percent, fleets.low, fleets.high)
    if count is not None:
        yield (
            ("rollout", _PERCENTS[kind]),
            (
                f"{percent} % of {count} instances is {share_of(percent, count):.0%}, as instances "
                f"are whole; {_STEPS[kind]} may hold at most 50 %: use at most "
                f"{largest_percent(fleets.low, fleets.high)} for {fleets.shown}, or all_at_once"
            ),
        )


@rule("rollout.kind", "rollout.termination_wait_seconds", *_WAITS)
def _waits_fit_the_timeout(
    kind: str, termination: int, wait: int, timeout: int | None
) -> Iterator[Broken]:
    if kind != "linear":
        pauses = _Pauses(2 if kind == "canary" else 1, termination)
        yield from _check_waits(pauses, wait, timeout)


@_for_fleets("rollout.step_percent", "rollout.termination_wait_seconds", *_WAITS)
def _steps_fit_the_timeout(
    fleets: _Fleets, percent: int, termination: int, wait: int, timeout: int | None
) -> Iterator[Broken]:
    steps = most_steps(percent, fleets.low, fleets.high)
    yield from _check_waits(_Pauses(steps, termination), wait, timeout)


@_for_fleets("rollout.batch_percent", *_WAITS)
def _batches_fit_the_timeout(
    fleets: _Fleets, percent: int, wait: int, timeout: int | None
) -> Iterator[Broken]:
    steps = most_steps(percent, fleets.low, fleets.high)
    yield from _check_waits(_Pauses(steps, 0, starts=steps), wait, timeout)


@dataclass(frozen=True)
class _Pauses:
    """What a rollout spends its time on: waits after its steps, a last one, and starts."""

    steps: int
    termination: int
    starts: int | None = None
    """Batches that start one after the other; None for a whole fleet at once."""

    @property
    def usual_room(self) -> int:
        if self.starts is None:
            return FLEET_START_SECONDS
        return self.starts * BATCH_START_SECONDS

    @property
    def least_room(self) -> int:
        return (self.starts or 1) * LEAST_START_SECONDS

    def largest_wait(self, seconds: int) -> int:
        """The longest wait of each step that fits into what is left of a timeout."""
        return (seconds - self.termination) // self.steps


def _check_waits(pauses: _Pauses, wait: int, timeout: int | None) -> Iterator[Broken]:
    # SageMaker API reference, BlueGreenUpdatePolicy: the timeout is larger than all the waiting,
    # and it runs while instances start.
    waits = pauses.steps * wait + pauses.termination
    if waits + pauses.usual_room > MAX_EXECUTION_SECONDS:
        most = pauses.largest_wait(MAX_EXECUTION_SECONDS - pauses.usual_room)
        yield (
            ("rollout", "wait_seconds"),
            (
                f"{pauses.steps} steps wait {waits} s and need {pauses.usual_room} s to start in, "
                f"and a rollout ends after {MAX_EXECUTION_SECONDS} s at the latest: "
                f"use at most {most}, or larger steps"
            ),
        )
    elif timeout is not None and timeout < waits + pauses.least_room:
        most = pauses.largest_wait(timeout - pauses.least_room)
        shorter = f", or use at most {most} as wait_seconds" if most >= 0 else ""
        yield (
            ("rollout", "maximum_execution_timeout_seconds"),
            (
                f"expected at least {waits + pauses.least_room}, the rollout's own waits "
                f"({waits} s) and {pauses.least_room} s to start in, got {timeout}; "
                f"left out, it is made to fit{shorter}"
            ),
        )


@rule(
    "endpoint.kind", "rollout.kind", "rollout.additional_alarms", "alarms.rollback.latency_p99_ms"
)
def _alarms_are_few(
    endpoint_kind: str, kind: str, additional: tuple[str, ...], latency: float | None
) -> Iterator[Broken]:
    if endpoint_kind == "serverless":
        return
    # A shadow has none: undoing a rollout for it would take back the champion.
    variants = 2 if kind == "split" else 1
    own = variants * (1 if latency is None else 2)
    if own + len(additional) > MAX_ROLLBACK_ALARMS:
        yield (
            ("rollout", "additional_alarms"),
            (
                f"expected at most {MAX_ROLLBACK_ALARMS - own}, as a rollout watches at most "
                f"{MAX_ROLLBACK_ALARMS} alarms and {own} are made for it, got {len(additional)}; "
                "name only those that must undo it"
            ),
        )


@rule("endpoint.instance_type", "rollout.kind")
def _guardrails_are_kept(instance_type: str, kind: str) -> Iterator[Broken]:
    if kind != "all_at_once" and ignores_guardrails(instance_type):
        yield (
            ("rollout", "kind"),
            (
                f"expected all_at_once, as {instance_type} is excluded from every other rollout "
                f"and would silently fall back to it, got {kind}"
            ),
        )


ROLLOUT_RULES = (
    *_canary_fits,
    *_steps_fit,
    *_batches_fit,
    _waits_fit_the_timeout,
    *_steps_fit_the_timeout,
    *_batches_fit_the_timeout,
    _alarms_are_few,
    _guardrails_are_kept,
)
