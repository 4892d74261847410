"""Settings built in Python are refused for the same reasons as those of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from forecast_config.settings import (
    AutoscalingSettings,
    AwsImage,
    CanaryRollout,
    Challenger,
    EnvironmentSettings,
    ForecastConfig,
    InvocationsTarget,
    NewNetwork,
    RealtimeEndpoint,
    SplitRollout,
    TagSettings,
)

if TYPE_CHECKING:
    from collections.abc import Callable

TARGETS = {"requests": InvocationsTarget(kind="invocations_per_instance", per_minute=60)}


def _environment(**changes: Any) -> EnvironmentSettings:
    values = {
        "name": "dev",
        "region": "eu-central-1",
        "endpoint": RealtimeEndpoint(
            kind="realtime", name="forecast-dev", instance_type="ml.m5.large"
        ),
        "image": AwsImage(kind="aws", framework="xgboost", version="3.2-0"),
        "tags": TagSettings(team="forecasting", cost_centre="CC-1"),
    }
    return EnvironmentSettings(**values | changes)


def _config(*names: str, allowed: tuple[str, ...] = ("eu-central-1",)) -> ForecastConfig:
    environments = {
        name: _environment(
            name=name,
            endpoint=RealtimeEndpoint(
                kind="realtime", name=f"forecast-{name}", instance_type="ml.m5.large"
            ),
        )
        for name in names
    }
    return ForecastConfig.model_validate(
        {
            "source": Path("forecast.yaml"),
            "model": {"name": "forecaster"},
            "allowed_regions": allowed,
            "environments": environments,
        }
    )


@pytest.mark.parametrize(
    ("build", "place", "message"),
    [
        (
            lambda: RealtimeEndpoint(kind="realtime", name="a", instance_type="m5.large"),
            ("instance_type",),
            "expected a SageMaker hosting instance type such as ml.m5.large, got 'm5.large'",
        ),
        (
            lambda: AutoscalingSettings(
                min_instance_count=3, max_instance_count=2, targets=TARGETS
            ),
            ("max_instance_count",),
            "expected at least min_instance_count (3), got 2",
        ),
        (
            lambda: Challenger(alias="challenger", version="17"),
            (),
            "expected either alias or version, got both",
        ),
        (
            lambda: _environment(
                rollout=SplitRollout(
                    kind="split",
                    challenger=Challenger(alias="challenger"),
                    challenger_percent=10,
                    wait_seconds=3600,
                    maximum_execution_timeout_seconds=3720,
                )
            ),
            ("rollout", "maximum_execution_timeout_seconds"),
            (
                "expected at least 4020, the rollout's own waits (3720 s) and 300 s to start in, "
                "got 3720; left out, it is made to fit, or use at most 3300 as wait_seconds"
            ),
        ),
        (
            lambda: AwsImage(kind="aws", framework="scikit-learn", version="9"),
            ("version",),
            "expected a scikit-learn image (1.9-0), got '9'",
        ),
        (
            lambda: NewNetwork(kind="new", cidr="10.0.0.0/8"),
            ("cidr",),
            "expected a /16 to /24, got /8",
        ),
        (
            lambda: TagSettings(team="a", cost_centre="b", additional={"A.b": "x", "a.b": "y"}),
            ("additional", "a.b"),
            "expected a key that differs from 'A.b' by more than case",
        ),
        (
            lambda: _environment(
                autoscaling=AutoscalingSettings(
                    min_instance_count=2, max_instance_count=2, targets=TARGETS
                )
            ),
            ("endpoint", "initial_instance_count"),
            "expected at least autoscaling.min_instance_count (2), got 1",
        ),
        (
            lambda: _environment(rollout=CanaryRollout(kind="canary", percent=10)),
            ("rollout", "kind"),
            (
                "one instance cannot be replaced by parts: use at least 2 instances, "
                "or all_at_once, got canary"
            ),
        ),
        (
            lambda: _config("dev", allowed=("eu-west-1",)),
            ("environments", "dev", "region"),
            "expected one of allowed_regions (eu-west-1), got 'eu-central-1'",
        ),
        (
            lambda: _config("prod", "prod-artifacts"),
            ("environments", "prod-artifacts"),
            "expected a name whose stacks are its own, got ForecastProdArtifacts as for 'prod'",
        ),
    ],
)
def test_settings_built_in_python_keep_the_rules(
    build: Callable[[], Any], place: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        build()

    (error,) = caught.value.errors()
    assert (error["loc"], error["msg"]) == (place, message)


def test_valid_settings_can_be_built_in_python() -> None:
    assert list(_config("dev", "prod").environments) == ["dev", "prod"]
