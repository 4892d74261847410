from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from forecast_operations.costing.estimate import Estimate, estimate
from forecast_operations.costing.usage import Usage
from forecast_operations.updates.obstacles import Templates

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_operations.costing.bill import CostLine
    from forecast_operations.costing.prices import Prices

REGION = "eu-central-1"
HEARTBEAT: dict[str, Any] = {
    "Every": {
        "Type": "AWS::Events::Rule",
        "Properties": {"ScheduleExpression": "rate(1 minute)"},
    },
    "Function": {
        "Type": "AWS::Lambda::Function",
        "Properties": {"MemorySize": 256, "Architectures": ["arm64"]},
    },
}
SERVERLESS: dict[str, Any] = {
    "ServerlessConfig": {"MemorySizeInMB": 3072, "MaxConcurrency": 10},
}


def line(found: Estimate, item: str) -> CostLine:
    return next(each for each in found.lines if each.item == item)


def amounts(found: Estimate, item: str) -> tuple[float | None, float | None]:
    return line(found, item).low, line(found, item).high


def test_fixed_instances_cost_the_same_all_month(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    found = estimate(templates(), REGION, prices=prices)

    assert amounts(found, "instances of AllTraffic") == pytest.approx((146, 146))


def test_scaled_instances_cost_from_the_fewest_to_the_most(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    target = {"MinCapacity": 1, "MaxCapacity": 5}

    found = estimate(templates(target=target), REGION, prices=prices)

    assert amounts(found, "instances of AllTraffic") == pytest.approx((73, 365))


def test_a_target_of_another_variant_does_not_count(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    target = {"MinCapacity": 1, "MaxCapacity": 5, "ResourceId": "endpoint/x/variant/Challenger"}

    found = estimate(templates(target=target), REGION, prices=prices)

    assert amounts(found, "instances of AllTraffic") == pytest.approx((146, 146))


def test_an_asynchronous_endpoint_may_cost_nothing(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    target = {"MinCapacity": 0, "MaxCapacity": 2}

    found = estimate(templates(target=target), REGION, prices=prices)

    assert amounts(found, "instances of AllTraffic") == pytest.approx((0, 146))


def test_scheduled_minimums_are_averaged_over_the_week(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    actions = [
        {"Schedule": "cron(0 0 ? * SAT *)", "ScalableTargetAction": {"MinCapacity": 1}},
        {"Schedule": "cron(0 0 ? * MON *)", "ScalableTargetAction": {"MinCapacity": 3}},
    ]
    target = {"MinCapacity": 1, "MaxCapacity": 5, "ScheduledActions": actions}

    found = estimate(templates(target=target), REGION, prices=prices)

    low, _ = amounts(found, "instances of AllTraffic")
    assert low == pytest.approx(73 * (5 * 3 + 2 * 1) / 7)


def test_a_single_moment_is_named_as_left_out(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    once = {
        "ScheduledActionName": "stock-taking",
        "Schedule": "at(2027-07-01T06:00:00)",
        "ScalableTargetAction": {"MinCapacity": 8},
    }
    target = {"MinCapacity": 1, "MaxCapacity": 5, "ScheduledActions": [once]}

    found = estimate(templates(target=target), REGION, prices=prices)

    assert amounts(found, "instances of AllTraffic") == pytest.approx((73, 584))
    assert any("stock-taking" in sentence for sentence in found.assumptions)


def test_off_hours_are_not_paid_for(templates: Callable[..., Templates], prices: Prices) -> None:
    def schedule(action: str, expression: str) -> dict[str, Any]:
        return {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "ScheduleExpression": expression,
                "ScheduleExpressionTimezone": "Asia/Shanghai",
                "Target": {"Input": f'{{"action": "{action}"}}'},
            },
        }

    found = estimate(
        templates(
            Stop=schedule("stop", "cron(0 20 ? * MON-FRI *)"),
            Start=schedule("start", "cron(0 7 ? * MON-FRI *)"),
            Other={"Type": "AWS::Scheduler::Schedule", "Properties": {"Target": {"Input": "["}}},
        ),
        REGION,
        prices=prices,
    )

    assert amounts(found, "instances of AllTraffic")[0] == pytest.approx(146 * 65 / 168)
    assert "39%" in line(found, "instances of AllTraffic").detail


def test_a_shadow_is_paid_for_beside_the_champion(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    shadow = {"VariantName": "Next", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}

    found = estimate(
        templates(config={"ShadowProductionVariants": [shadow]}), REGION, prices=prices
    )

    assert amounts(found, "instances of shadow Next") == pytest.approx((146, 146))
    assert found.low == pytest.approx(292)


def test_volumes_follow_the_instances(templates: Callable[..., Templates], prices: Prices) -> None:
    found = estimate(
        templates({"VolumeSizeInGB": 50}, target={"MinCapacity": 1, "MaxCapacity": 3}),
        REGION,
        prices=prices,
    )

    assert amounts(found, "volumes of AllTraffic") == pytest.approx((10, 30))


def test_an_unknown_price_makes_the_total_a_least(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    found = estimate(templates({"InstanceType": "ml.m5.24xlarge"}), REGION, prices=prices)

    assert amounts(found, "instances of AllTraffic") == (None, None)
    assert found.unknown == ("instances of AllTraffic",)
    assert found.low == 0


def test_an_unknown_price_of_nothing_is_nothing(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    found = estimate(
        templates({"InstanceType": "ml.m5.24xlarge"}, target={"MinCapacity": 0, "MaxCapacity": 1}),
        REGION,
        prices=prices,
    )

    assert amounts(found, "instances of AllTraffic") == (0, None)
    assert found.unknown == ("instances of AllTraffic",)


def test_prices_of_another_region_are_not_borrowed(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    found = estimate(templates(), "eu-west-1", prices=prices)

    assert found.unknown == ("instances of AllTraffic",)


def test_china_is_estimated_in_yuan(templates: Callable[..., Templates], prices: Prices) -> None:
    found = estimate(templates(), "cn-north-1", prices=prices)

    assert (found.currency, found.low) == ("CNY", 0)


def test_serverless_without_requests_costs_up_to_all_containers_at_work(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    found = estimate(templates(SERVERLESS), REGION, prices=prices)

    assert amounts(found, "serverless AllTraffic") == pytest.approx((0, 10 * 730 * 3600 * 3e-5))
    assert any("work day and night" in sentence for sentence in found.assumptions)


def test_serverless_with_requests_costs_their_time(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    usage = Usage(requests=1_000_000, seconds=(0.2, 0.2), seconds_from="given")

    found = estimate(templates(SERVERLESS), REGION, prices=prices, usage=usage)

    assert amounts(found, "serverless AllTraffic") == pytest.approx((6, 6))
    assert not any("container busy" in sentence for sentence in found.assumptions)


def test_the_heartbeat_is_a_client_too(templates: Callable[..., Templates], prices: Prices) -> None:
    usage = Usage(requests=0, seconds=(1, 1), seconds_from="given")

    found = estimate(templates(SERVERLESS, **HEARTBEAT), REGION, prices=prices, usage=usage)

    assert amounts(found, "serverless AllTraffic")[0] == pytest.approx(43_800 * 3e-5)
    assert amounts(found, "metrics of the heartbeat") == pytest.approx((0.9, 0.9))
    low, _ = amounts(found, "heartbeat")
    assert low == pytest.approx(43_800 * (0.25 * 1 * 1e-5 + 0.2e-6))


def test_measured_requests_hold_those_of_the_heartbeat_already(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    usage = Usage(requests=50_000, with_heartbeats=True, seconds=(1, 1), seconds_from="measured")

    found = estimate(templates(SERVERLESS, **HEARTBEAT), REGION, prices=prices, usage=usage)

    assert amounts(found, "serverless AllTraffic")[0] == pytest.approx(50_000 * 3e-5)


def test_warm_capacity_is_paid_for_by_the_second(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    config = {**SERVERLESS["ServerlessConfig"], "ProvisionedConcurrency": 2}
    month = 730 * 3600

    found = estimate(templates({"ServerlessConfig": config}), REGION, prices=prices)

    assert amounts(found, "warm capacity of AllTraffic") == pytest.approx(
        (2 * month * 1e-6, 2 * month * 1e-6)
    )
    assert amounts(found, "work of the warm capacity of AllTraffic")[0] == 0


def test_nothing_deployed_costs_nothing(prices: Prices) -> None:
    assert estimate(Templates(None, None), REGION, prices=prices).lines == ()
