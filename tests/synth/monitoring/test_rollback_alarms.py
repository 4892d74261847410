"""A rollout is undone by what its own fleet does wrong, and by nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from forecast_config.settings import AllAtOnceRollout, RollbackSettings
from forecast_constructs import RollbackAlarms
from forecast_stacks.monitoring_part import add_rollback_alarms

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack


def _rollbacks(built: Any) -> dict[str, dict[str, Any]]:
    return {name: alarm for name, alarm in built.alarms().items() if "rollback" in name}


def _metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    if "Metrics" not in alarm:
        return [alarm]
    return [query["MetricStat"]["Metric"] for query in alarm["Metrics"] if "MetricStat" in query]


@pytest.mark.parametrize(
    ("name", "variants"),
    [
        ("realtime", {"AllTraffic"}),
        ("split", {"AllTraffic", "AllTraffic-challenger"}),
        ("shadow", {"AllTraffic"}),
        ("slow", {"AllTraffic"}),
    ],
)
def test_the_new_fleets_production_variants_are_watched(
    name: str, variants: set[str], watched: Callable[[str], Any]
) -> None:
    alarms = _rollbacks(watched(name))
    seen = set()
    for alarm in alarms.values():
        for metric in _metrics(alarm):
            dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
            assert dimensions["EndpointConfigName"] == "the-new-fleet"
            seen.add(dimensions["VariantName"])

    assert seen == variants
    assert len(alarms) == 2 * len(variants)


def test_a_serverless_endpoint_has_no_rollouts_to_undo(watched: Callable[[str], Any]) -> None:
    assert not _rollbacks(watched("serverless"))


def test_failures_and_slowness_undo_a_rollout(watched: Callable[[str], Any]) -> None:
    alarms = _rollbacks(watched("realtime"))
    failures, latency = alarms["rollback-failed-requests"], alarms["rollback-latency"]

    assert failures["Threshold"] == 5
    assert failures["Metrics"][0]["Expression"] == (
        "MAX([FILL(server, 0), FILL(unanswered, 0) - FILL(client, 0)])"
    )
    assert failures["EvaluationPeriods"] == 1
    assert latency["Threshold"] == 5_000_000
    assert latency["ExtendedStatistic"] == "p99"
    assert latency["EvaluationPeriods"] == 2
    for alarm in alarms.values():
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


def test_without_a_threshold_latency_undoes_nothing(
    stack: Stack, rendered: Callable[[Stack], dict[str, Any]], watched: Callable[[str], Any]
) -> None:
    settings = watched("realtime").settings
    alarms = settings.alarms.model_copy(
        update={"rollback": RollbackSettings(error_count=9, latency_p99_ms=None)}
    )
    rollback = add_rollback_alarms(
        stack,
        settings.model_copy(
            update={
                "alarms": alarms,
                "rollout": AllAtOnceRollout(kind="all_at_once", additional_alarms=("sales-down",)),
            }
        ),
        endpoint_config_name="the-new-fleet",
        variant_names=["AllTraffic"],
    )

    assert rollback is not None
    assert rollback.alarm_names == ["forecast-rollback-failed-requests", "sales-down"]
    (alarm,) = rendered(stack).values()
    assert alarm["Properties"]["Threshold"] == 9


def test_more_alarms_than_a_rollout_takes_are_refused(
    stack: Stack, watched: Callable[[str], Any]
) -> None:
    settings = watched("split").settings
    many = AllAtOnceRollout(
        kind="all_at_once", additional_alarms=tuple(f"own-{number}" for number in range(7))
    )

    with pytest.raises(ValueError, match="expected at most 10 rollback alarms, got 11: 4 are made"):
        RollbackAlarms(
            stack,
            "RollbackAlarms",
            settings=settings.model_copy(update={"rollout": many}),
            variant_names=["AllTraffic", "AllTraffic-challenger"],
            endpoint_config_name="the-new-fleet",
        )
