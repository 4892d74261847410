"""Rules between the endpoint and what scales it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_config.instances import is_burstable
from forecast_config.schedules import is_recurring
from forecast_config.settings.rules.hosting import INSTANCE_TYPE
from forecast_config.settings.ruling import rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_config.settings.ruling import Broken

    Entries = Mapping[str, Mapping[str, Any]]

INITIAL_COUNT = ("endpoint", "initial_instance_count")

MAX_SCHEDULED_ACTIONS = 200
"""Scheduled actions of a scalable target (Application Auto Scaling user guide, quotas)."""

ASYNC_KINDS = ("backlog_per_instance", "cpu_utilization", "custom_metric", "latency_p90")
"""Targets whose metrics an asynchronous endpoint publishes (Amazon SageMaker developer guide,
"Alarms and logs for tracking metrics from asynchronous endpoints": an exhaustive list)."""


@rule("min_instance_count", "max_instance_count")
def _an_action_changes_a_bound(low: int | None, high: int | None) -> Iterator[Broken]:
    if low is None and high is None:
        yield (), "expected min_instance_count, max_instance_count or both, got neither"
    elif low is not None and high is not None and low > high:
        yield (
            ("max_instance_count",),
            f"expected at least min_instance_count ({low}), got {high}",
        )


@rule("schedule", "start", "end")
def _a_period_is_one(schedule: str, start: str | None, end: str | None) -> Iterator[Broken]:
    for key, moment in (("start", start), ("end", end)):
        if moment is not None and not is_recurring(schedule):
            yield (key,), f"expected null, as {schedule} happens once"
    # Moments of one form: as texts they are in the order of time.
    if start is not None and end is not None and is_recurring(schedule) and start >= end:
        yield ("end",), f"expected a moment after start ({start}), got {end}"


@rule("min_instance_count", "max_instance_count")
def _bounds_are_in_order(low: int, high: int) -> Iterator[Broken]:
    if low > high:
        yield ("max_instance_count",), f"expected at least min_instance_count ({low}), got {high}"


@rule("min_instance_count", "max_instance_count", "scheduled")
def _actions_fit_the_bounds(low: int, high: int, scheduled: Entries) -> Iterator[Broken]:
    for name, action in scheduled.items():
        least, most = action.get("min_instance_count"), action.get("max_instance_count")
        if least is not None and "max_instance_count" in action and most is None and least > high:
            yield (
                ("scheduled", name, "min_instance_count"),
                (
                    f"expected at most max_instance_count ({high}) of autoscaling, got {least}; "
                    "give the action a max_instance_count too"
                ),
            )
        if most is not None and "min_instance_count" in action and least is None and most < low:
            yield (
                ("scheduled", name, "max_instance_count"),
                (
                    f"expected at least min_instance_count ({low}) of autoscaling, got {most}; "
                    "give the action a min_instance_count too"
                ),
            )


@rule("scheduled")
def _actions_are_few(scheduled: Entries) -> Iterator[Broken]:
    if len(scheduled) > MAX_SCHEDULED_ACTIONS:
        yield (
            ("scheduled",),
            f"expected at most {MAX_SCHEDULED_ACTIONS} actions, got {len(scheduled)}",
        )


@rule("targets")
def _targets_differ(targets: Entries) -> Iterator[Broken]:
    # Application Auto Scaling user guide, "Target tracking": each policy needs another metric.
    if not targets:
        yield (
            ("targets",),
            "expected at least one, such as cpu: {kind: cpu_utilization, percent: 70}, got none",
        )
    first: dict[tuple[str, ...], str] = {}
    for name, target in targets.items():
        if "kind" not in target:
            continue
        dimensions = [f"{key}={value}" for key, value in target.get("dimensions", {}).items()]
        what = ("kind", "namespace", "metric_name", "statistic")
        metric = (*(str(target.get(key)) for key in what), *sorted(dimensions))
        other = first.setdefault(metric, name)
        if other != name:
            yield (
                ("targets", name),
                f"expected a metric of its own, got the same as '{other}'; keep one of the two",
            )


@rule("stop", "start")
def _off_hours_recur(stop: str, start: str) -> Iterator[Broken]:
    for key, schedule in (("stop", stop), ("start", start)):
        if not is_recurring(schedule):
            yield (key,), f"expected a cron expression, as off hours recur, got {schedule}"
    if stop == start:
        yield ("start",), f"expected another moment than stop, got {start} for both"


@rule("endpoint.instance_type", "autoscaling")
def _burstable_types_do_not_scale(instance_type: str, autoscaling: object) -> Iterator[Broken]:
    # Amazon SageMaker developer guide, "Automatic scaling of Amazon SageMaker AI models".
    if autoscaling and is_burstable(instance_type):
        yield (
            INSTANCE_TYPE,
            (
                f"burstable instance types cannot scale, got {instance_type}; choose "
                "another type such as ml.m5.large, or set autoscaling to null"
            ),
        )


@rule("endpoint.initial_instance_count", "autoscaling.min_instance_count")
def _initial_count_is_not_below(count: int, low: int) -> Iterator[Broken]:
    if count < low:
        yield (
            INITIAL_COUNT,
            f"expected at least autoscaling.min_instance_count ({low}), got {count}",
        )


@rule("endpoint.initial_instance_count", "autoscaling.max_instance_count")
def _initial_count_is_not_above(count: int, high: int) -> Iterator[Broken]:
    if count > high:
        yield (
            INITIAL_COUNT,
            f"expected at most autoscaling.max_instance_count ({high}), got {count}",
        )


@rule("endpoint.kind", "autoscaling.min_instance_count", "autoscaling.scheduled")
def _only_queues_wait_for_instances(kind: str, low: int, scheduled: Entries) -> Iterator[Broken]:
    if kind != "realtime":
        return
    bounds: dict[tuple[str, ...], int | None] = {("min_instance_count",): low}
    for name, action in scheduled.items():
        for key in ("min_instance_count", "max_instance_count"):
            bounds["scheduled", name, key] = action.get(key)
    for where, bound in bounds.items():
        if bound == 0:
            yield (
                ("autoscaling", *where),
                (
                    "expected at least 1, got 0: a real-time endpoint cannot scale to nothing; "
                    "choose endpoint.kind async or serverless, or set off_hours"
                ),
            )


@rule("endpoint.kind", "autoscaling.targets")
def _targets_have_metrics(kind: str, targets: Entries) -> Iterator[Broken]:
    for name, target in targets.items():
        where, metric = ("autoscaling", "targets", name, "kind"), target.get("kind")
        if kind == "realtime" and metric == "backlog_per_instance":
            yield (
                where,
                (
                    "expected another kind, as a real-time endpoint has no queue; "
                    "choose concurrent_requests, or endpoint.kind async"
                ),
            )
        if kind == "async" and metric is not None and metric not in ASYNC_KINDS:
            yield (
                where,
                (
                    f"expected one of: {', '.join(ASYNC_KINDS)}, got {metric}, whose metric an "
                    "asynchronous endpoint does not publish"
                ),
            )


@rule(
    "endpoint.kind",
    "autoscaling.min_instance_count",
    "autoscaling.scheduled",
    "autoscaling.targets",
)
def _something_wakes_the_endpoint(
    kind: str, low: int, scheduled: Entries, targets: Entries
) -> Iterator[Broken]:
    kinds = {target.get("kind") for target in targets.values()}
    lows = [low, *(action.get("min_instance_count") for action in scheduled.values())]
    if kind == "async" and targets and 0 in lows and not kinds & {"backlog_per_instance", None}:
        yield (
            ("autoscaling", "targets"),
            "expected one of kind backlog_per_instance, as nothing else wakes 0 instances",
        )


@rule("off_hours", "autoscaling")
def _off_hours_have_no_scaling(off_hours: object, autoscaling: object) -> Iterator[Broken]:
    if off_hours and autoscaling:
        yield (
            ("off_hours",),
            (
                "expected null, as an endpoint that is removed takes its scaling along; set "
                "autoscaling to null, or lower its bounds by scheduled actions"
            ),
        )


@rule("off_hours", "rollout.kind")
def _off_hours_have_no_challenger(off_hours: object, kind: str) -> Iterator[Broken]:
    if off_hours and kind in {"shadow", "split"}:
        yield (
            ("off_hours",),
            (
                f"expected null beside a rollout of kind {kind}, as an endpoint that is removed "
                "loses weights that were shifted; set off_hours to null while it is compared"
            ),
        )


SCHEDULED_ACTION_RULES = (_an_action_changes_a_bound, _a_period_is_one)

AUTOSCALING_RULES = (
    _bounds_are_in_order,
    _actions_are_few,
    _actions_fit_the_bounds,
    _targets_differ,
)

OFF_HOURS_RULES = (_off_hours_recur,)

SCALING_RULES = (
    _burstable_types_do_not_scale,
    _initial_count_is_not_below,
    _initial_count_is_not_above,
    _only_queues_wait_for_instances,
    _targets_have_metrics,
    _something_wakes_the_endpoint,
    _off_hours_have_no_scaling,
    _off_hours_have_no_challenger,
)
