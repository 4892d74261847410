from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config.settings.autoscaling import (
    AutoscalingSettings,
    InvocationsTarget,
    ScheduledAction,
)
from forecast_config.settings.container import OwnImage
from forecast_operations.costing.advice import advise
from forecast_operations.costing.measured import Hour, Measured

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_config import EnvironmentSettings
    from forecast_operations.costing.case import Advice
    from forecast_operations.costing.prices import Prices


BUSY = Measured(
    instance_type="ml.m5.large",
    since=datetime(2026, 1, 1, tzinfo=UTC),
    days=14,
    hours=330,
    cpu_share=0.5,
    memory_share=0.5,
    latency_p99_ms=100,
    mean_seconds=0.1,
    requests=50_000_000,
    busiest_hour=200_000,
)


def kinds(found: tuple[Advice, ...]) -> list[str]:
    return [each.kind for each in found]


def only(found: tuple[Advice, ...], kind: str) -> Advice:
    return next(each for each in found if each.kind == kind)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"hours": 149},
            "149 hours of CPU utilization on ml.m5.large in 14 days (known to serve since",
        ),
        ({"cpu_share": None, "hours": 0}, "0 hours of CPU utilization"),
        ({"requests": 999.0}, "999 requests in 14 days, and advice needs 1000"),
        ({"instance_type": "ml.z9.huge"}, "it runs on ml.z9.huge, whose cores are not known here"),
    ],
)
def test_too_little_is_said_to_be_too_little(
    settings: Callable[[str], EnvironmentSettings],
    prices: Prices,
    changes: dict[str, Any],
    words: str,
) -> None:
    found = advise(settings("steps"), replace(BUSY, **changes), 4, prices)

    assert kinds(found) == ["not enough data"]
    assert words in found[0].message


def test_a_fitting_size_is_left_alone(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    found = advise(settings("steps"), replace(BUSY, cpu_share=0.58), 4, prices)

    assert kinds(found) == ["as it should be"]
    assert "CPU 58%, memory 50%, latency p99 100 ms" in found[0].message


@pytest.mark.parametrize("full", [{"cpu_share": 0.9}, {"memory_share": 0.95}])
def test_a_full_instance_gets_the_cheapest_type_with_room(
    settings: Callable[[str], EnvironmentSettings], prices: Prices, full: dict[str, float]
) -> None:
    found = advise(settings("steps"), replace(BUSY, **full), 4, prices)

    advised = "ml.m5.xlarge" if "cpu_share" in full else "ml.r5.large"
    assert kinds(found) == ["larger type"]
    assert found[0].message.startswith(f"{advised} in place of ml.m5.large")
    price = {"ml.m5.xlarge": 0.2, "ml.r5.large": 0.15}[advised]
    assert found[0].change == pytest.approx((price - 0.1) * 4 * 730)


def test_no_larger_type_means_more_instances(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    found = advise(settings("steps"), replace(BUSY, cpu_share=7.0), 4, prices)

    assert kinds(found) == ["larger type"]
    assert "add instances" in found[0].message
    assert found[0].change is None


def test_a_cheaper_type_is_advised_when_the_busiest_hours_fit_into_it(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    found = advise(settings("steps"), replace(BUSY, memory_share=0.2), 4, prices)

    cheaper = only(found, "cheaper type")
    assert cheaper.message.startswith("ml.c5.large in place of ml.m5.large")
    assert "there CPU 50%, memory 40%" in cheaper.message
    assert cheaper.change == pytest.approx(-0.01 * 4 * 730)


def test_arm_is_not_advised_where_the_image_is_for_x86(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    x86 = settings("steps")
    own = x86.model_copy(update={"image": OwnImage.model_construct(kind="own")})
    measured = replace(BUSY, memory_share=0.2)

    assert "ml.c6g" not in str(advise(x86, measured, 1, prices))
    assert "ml.c6g.large, in an image for Arm" in str(advise(own, measured, 1, prices))


def test_slow_answers_rule_a_cheaper_type_out(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    slow = replace(BUSY, memory_share=0.2, latency_p99_ms=1500)

    assert "cheaper type" not in kinds(advise(settings("steps"), slow, 4, prices))


def test_a_type_without_a_known_price_is_not_advised(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    nowhere = settings("steps").model_copy(update={"region": "eu-west-1"})

    found = advise(nowhere, replace(BUSY, cpu_share=0.1, memory_share=0.1), 4, prices)

    assert kinds(found) == ["fewer instances"]
    assert found[0].change is None


def test_fewer_instances_keep_the_cpu_below_its_room_and_two_zones(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    some = only(
        advise(settings("steps"), replace(BUSY, cpu_share=0.4), 4, prices), "fewer instances"
    )
    idle = only(
        advise(settings("steps"), replace(BUSY, cpu_share=0.01), 4, prices), "fewer instances"
    )

    assert some.message.startswith("endpoint.initial_instance_count: 3 in place of 4")
    assert "takes 53% of the CPU" in some.message
    assert some.change == pytest.approx(-73)
    assert idle.message.startswith("endpoint.initial_instance_count: 2 in place of 4")


def scaled(environment: EnvironmentSettings, **changes: Any) -> EnvironmentSettings:
    target = InvocationsTarget(kind="invocations_per_instance", per_minute=600)
    scaling = AutoscalingSettings(
        min_instance_count=4, max_instance_count=10, targets={"load": target}, **changes
    )
    return environment.model_copy(update={"autoscaling": scaling})


QUIET = (*[Hour(4, 0.2)] * 200, *[Hour(10, 0.4)] * 130)


def test_the_minimum_of_what_scales_goes_by_the_hours_in_which_it_is_there(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    steps = scaled(settings("steps"))

    found = only(
        advise(steps, replace(BUSY, cpu_share=0.4, by_hour=QUIET), 4, prices), "fewer instances"
    )

    assert found.message.startswith(
        "autoscaling.min_instance_count: 2 in place of 4: 200 of 330 hours ran on no more, at CPU "
        "20% at the most; with 2 the same work takes 40% of it"
    )
    assert found.change == pytest.approx(-2 * 0.1 * 730 * 200 / 330)


def test_hours_of_a_fleet_that_was_scaled_out_say_nothing_of_its_minimum(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    steps = scaled(settings("steps"))
    out = replace(BUSY, cpu_share=0.4, by_hour=(Hour(10, 0.4),) * 330)

    assert "fewer instances" not in kinds(advise(steps, out, 4, prices))


def test_minima_by_a_schedule_are_left_to_the_capacity_plan(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    night = ScheduledAction(schedule="cron(0 20 * * ? *)", min_instance_count=2)
    steps = scaled(settings("steps"), scheduled={"night": night})

    found = advise(steps, replace(BUSY, cpu_share=0.4, by_hour=QUIET), 4, prices)

    assert "fewer instances" not in kinds(found)


def test_sparse_traffic_is_for_serverless(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    sparse = replace(BUSY, cpu_share=0.05, memory_share=0.2, requests=20_000, busiest_hour=500)

    advised = only(advise(settings("steps"), sparse, 4, prices), "serverless")

    assert "memory_mib 3072 and max_concurrency 1" in advised.message
    month = 20_000 / 14 * 730 / 24 * 0.1 * 3e-5
    assert advised.change == pytest.approx(month - 292)


@pytest.mark.parametrize(
    ("environment", "changes"),
    [
        ("steps", {}),
        ("mirror", {"requests": 20_000.0}),
        ("batches", {"requests": 20_000.0}),
        ("steps", {"requests": 20_000.0, "memory_share": 0.85}),
        ("steps", {"requests": 20_000.0, "mean_seconds": None}),
        ("steps", {"requests": 20_000.0, "busiest_hour": 20_000_000.0}),
    ],
)
def test_serverless_is_not_advised_where_it_cannot_be_or_costs_more(
    settings: Callable[[str], EnvironmentSettings],
    prices: Prices,
    environment: str,
    changes: dict[str, Any],
) -> None:
    measured = (
        replace(BUSY, memory_share=0.2, **changes)
        if "memory_share" not in changes
        else (replace(BUSY, **changes))
    )

    assert "serverless" not in kinds(advise(settings(environment), measured, 4, prices))


def test_a_serverless_endpoint_has_nothing_to_choose(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    assert kinds(advise(settings("warm"), BUSY, 0, prices)) == ["as it should be"]
