from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from forecast_config import EnvironmentSettings
from forecast_config.advice import least_instance_count, warnings_for, zone_warnings

TODAY = date(2026, 11, 1)
REALTIME = {"kind": "realtime", "name": "forecast", "instance_type": "ml.m5.large"}
SERVERLESS = {"kind": "serverless", "name": "forecast", "memory_mib": 1024}
TWO = {**REALTIME, "initial_instance_count": 2}


def _environment(name: str = "prod", **changes: Any) -> EnvironmentSettings:
    values = {
        "name": name,
        "region": "eu-central-1",
        "endpoint": REALTIME,
        "image": {"kind": "aws", "framework": "xgboost", "version": "3.2-0"},
        "tags": {"team": "forecasting", "cost_centre": "CC-1"},
    }
    return EnvironmentSettings.model_validate(values | changes)


def _scaled(low: int, **more: Any) -> dict[str, Any]:
    targets = {"cpu": {"kind": "cpu_utilization", "percent": 60}}
    return {"min_instance_count": low, "max_instance_count": 9, "targets": targets} | more


def _existing(*subnets: str) -> dict[str, Any]:
    return {
        "kind": "existing",
        "vpc_id": "vpc-01234567",
        "subnet_ids": subnets,
        "security_group_ids": ("sg-01234567",),
    }


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, "endpoint.initial_instance_count"),
        ({"endpoint": TWO, "autoscaling": _scaled(1)}, "autoscaling.min_instance_count"),
    ],
)
def test_one_instance_is_warned_about_by_name(changes: dict[str, Any], key: str) -> None:
    (said,) = warnings_for(_environment(**changes), TODAY)

    assert said == (
        "prod runs one instance: when its zone fails, forecasts fail until another has started; "
        f"set {key} to 2 or more"
    )


@pytest.mark.parametrize(
    "settings",
    [
        _environment(endpoint=TWO),
        _environment(endpoint=TWO, autoscaling=_scaled(2)),
        _environment(endpoint=SERVERLESS),
        _environment("dev"),
        _environment("dev", network=_existing("subnet-01234567")),
        _environment(
            endpoint={**REALTIME, "kind": "async"},
            autoscaling=_scaled(
                0, targets={"backlog": {"kind": "backlog_per_instance", "requests": 5}}
            ),
        ),
    ],
)
def test_nothing_is_said_of_two_instances_dev_or_a_queue(settings: EnvironmentSettings) -> None:
    assert warnings_for(settings, TODAY) == []


def test_one_subnet_is_one_zone() -> None:
    one = _environment(endpoint=TWO, network=_existing("subnet-01234567"))
    two = _environment(endpoint=TWO, network=_existing("subnet-01234567", "subnet-01234568"))

    (said,) = warnings_for(one, TODAY)
    assert "prod runs in one subnet" in said
    assert warnings_for(two, TODAY) == []


def test_each_warning_of_a_zone_has_an_id() -> None:
    both = zone_warnings(_environment(network=_existing("subnet-01234567")))

    assert list(both) == ["singleInstance", "singleSubnet"]
    assert list(both.values()) == warnings_for(
        _environment(network=_existing("subnet-01234567")), TODAY
    )


def test_the_end_of_an_image_s_support_is_said_first() -> None:
    support, instances = warnings_for(_environment(), date(2027, 5, 1))

    assert "is patched until" in support
    assert "one instance" in instances


def test_the_least_count_is_that_of_scaling_and_its_actions() -> None:
    action = {"schedule": "cron(0 0 * * ? *)", "min_instance_count": 1}

    assert least_instance_count(_environment(endpoint=SERVERLESS)) is None
    assert least_instance_count(_environment(endpoint=TWO)) == 2
    assert least_instance_count(_environment(endpoint=TWO, autoscaling=_scaled(2))) == 2
    night = _scaled(2, scheduled={"night": action})
    assert least_instance_count(_environment(endpoint=TWO, autoscaling=night)) == 1


SPLIT = {"kind": "split", "challenger": {"version": "17"}, "challenger_percent": 10}
SHADOW = {"kind": "shadow", "challenger": {"version": "17"}}


@pytest.mark.parametrize("rollout", [SPLIT, SHADOW])
@pytest.mark.parametrize(
    ("capture", "said"),
    [
        (None, "captures no requests, so that their forecasts cannot be compared"),
        ({"sampling_percent": 100}, "deletes captured requests after 30 days"),
        ({"sampling_percent": 100, "retention_days": 31}, None),
    ],
)
def test_a_challenger_that_can_never_be_compared_is_said(
    rollout: dict[str, Any], capture: dict[str, Any] | None, said: str | None
) -> None:
    settings = _environment(endpoint=TWO, rollout=rollout, data_capture=capture)

    found = warnings_for(settings, TODAY)

    assert len(found) == (said is not None)
    assert said is None or (said in found[0] and "31 or more" in found[0])


def test_captures_without_a_challenger_are_not_warned_about() -> None:
    short = {"sampling_percent": 100, "retention_days": 7}

    assert warnings_for(_environment(endpoint=TWO, data_capture=short), TODAY) == []
