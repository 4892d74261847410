"""Defaults that are built in for dev, staging and prod go with whatever a file says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from forecast_config import load_config
from forecast_config.stages import stage_defaults, stage_names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_config import EnvironmentSettings

    Load = Callable[..., EnvironmentSettings]

REALTIME = {"kind": "realtime", "name": "forecast", "instance_type": "ml.m5.large"}
ENDPOINTS = {
    "realtime": REALTIME,
    "burstable": {**REALTIME, "instance_type": "ml.t3.medium"},
    "without guardrails": {**REALTIME, "instance_type": "ml.inf1.xlarge"},
    "one instance": {**REALTIME, "initial_instance_count": 1},
    "three instances": {**REALTIME, "initial_instance_count": 3},
    "async": {**REALTIME, "kind": "async"},
    "serverless": {"kind": "serverless", "name": "forecast", "memory_mib": 1024},
}
CPU = {"cpu": {"kind": "cpu_utilization", "percent": 60}}


@pytest.fixture
def load(tmp_path: Path, valid: dict[str, Any]) -> Load:
    """An environment of a name, with what it says itself and nothing else."""

    def make(name: str, endpoint: dict[str, Any], **own: Any) -> EnvironmentSettings:
        document = {**valid, "environments": {name: {"endpoint": endpoint, **own}}}
        path = tmp_path / "forecast.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return load_config(path).environments[name]

    return make


@pytest.mark.parametrize("stage", stage_names())
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_minimal_environment_is_valid_whatever_its_endpoint(
    load: Load, stage: str, endpoint: str
) -> None:
    settings = load(stage, ENDPOINTS[endpoint])

    assert settings.log_retention_days == {"dev": 7, "staging": 90, "prod": 365}[stage]


@pytest.mark.parametrize(
    ("own", "kind"),
    [
        ({}, "canary"),
        ({"autoscaling": {"max_instance_count": 9, "targets": CPU}}, "canary"),
        (
            {"autoscaling": {"min_instance_count": 1, "max_instance_count": 9, "targets": CPU}},
            "all_at_once",
        ),
        (
            {
                "autoscaling": {
                    "min_instance_count": 2,
                    "max_instance_count": 9,
                    "targets": CPU,
                    "scheduled": {
                        "night": {"schedule": "cron(0 0 * * ? *)", "min_instance_count": 1}
                    },
                }
            },
            "all_at_once",
        ),
    ],
)
def test_prod_replaces_by_parts_where_there_are_always_two_instances(
    load: Load, own: dict[str, Any], kind: str
) -> None:
    prod = load("prod", REALTIME, **own)

    assert prod.endpoint.initial_instance_count == 2
    assert prod.rollout.kind == kind
    assert (prod.rollout.wait_seconds, prod.rollout.termination_wait_seconds) == (600, 600)


def test_prod_is_multi_az_isolated_and_protected(load: Load) -> None:
    prod = load("prod", REALTIME)

    assert prod.rollout.percent == 33
    assert (prod.network.kind, prod.network.isolated) == ("new", True)
    assert prod.data_capture is not None
    assert prod.termination_protection is True


def test_dev_waits_for_nothing_and_keeps_nothing(load: Load) -> None:
    dev = load("dev", REALTIME)

    assert (dev.rollout.wait_seconds, dev.rollout.termination_wait_seconds) == (0, 0)
    assert dev.data_capture is None
    assert dev.artifacts.on_stack_deletion == "destroy"
    assert dev.alarms.no_traffic is None
    assert dev.alarms.endpoint_down.severity == "medium"


def test_what_the_file_says_goes_first(load: Load) -> None:
    prod = load(
        "prod",
        REALTIME,
        rollout={"percent": 20},
        network={"kind": "none"},
        data_capture=None,
        log_retention_days=30,
    )

    assert (prod.rollout.kind, prod.rollout.percent, prod.rollout.wait_seconds) == (
        "canary",
        20,
        600,
    )
    assert (prod.network.kind, prod.network.isolated) == ("none", False)
    assert prod.data_capture is None
    assert prod.log_retention_days == 30


def test_other_names_have_no_defaults_of_their_own(load: Load) -> None:
    assert stage_defaults("production", {"endpoint": REALTIME}) == {}
    assert load("production", REALTIME).endpoint.initial_instance_count == 1


def test_a_default_that_does_not_go_is_told_from_what_the_file_says(
    problems_of: Callable[..., list[str]],
) -> None:
    problems = problems_of("""\
model: {name: forecaster}
allowed_regions: [eu-central-1]
environments:
  prod:
    region: eu-central-1
    endpoint: {kind: realtime, name: prod, instance_type: ml.m5.large}
    autoscaling: {max_instance_count: 1, targets: {cpu: {kind: cpu_utilization, percent: 60}}}
    image: {kind: aws, framework: xgboost, version: 3.2-0, missing_libraries: download}
    tags: {team: forecasting, cost_centre: CC-1}
""")

    built_in = " (a default that is built in for environments of this name)"
    expected = {
        "6: environments.prod.endpoint.initial_instance_count": "at most autoscaling.max_instance_",
        "7: environments.prod.autoscaling.max_instance_count": "at least min_instance_count (2)",
        "8: environments.prod.image.missing_libraries": "refuse or vendor, as ",
    }
    said = [problem.split(": expected ") for problem in problems]
    assert {place for place, _ in said} == expected.keys()
    assert all(expected[place] in message for place, message in said)
    assert [place for place, message in said if message.endswith(built_in)] == [
        next(iter(expected))
    ]
