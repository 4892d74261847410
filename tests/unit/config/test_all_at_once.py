"""One run reports everything that is wrong: within a value's block, and between blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Problems = Callable[..., list[str]]
    ProblemsWith = Callable[[dict[str, Any]], dict[str, str]]

TARGETS = {"cpu": {"kind": "cpu_utilization", "percent": 70}}

CASES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "name and instance type": (
        {"endpoint": {"kind": "realtime", "name": "a" * 64, "instance_type": "ml.nope.large"}},
        {
            "endpoint.name": "expected at most 63 characters, got 64",
            "endpoint.instance_type": "such as ml.m5.large, got 'ml.nope.large'",
        },
    ),
    "bounds, burstable type and initial count": (
        {
            "endpoint.instance_type": "ml.t3.large",
            "autoscaling": {"min_instance_count": 11, "max_instance_count": 10, "targets": TARGETS},
        },
        {
            "autoscaling.max_instance_count": "expected at least min_instance_count (11), got 10",
            "endpoint.instance_type": "burstable instance types cannot scale, got ml.t3.large",
            "endpoint.initial_instance_count": (
                "expected at least autoscaling.min_instance_count (11), got 1"
            ),
        },
    ),
    "burstable type and a target of no kind": (
        {
            "endpoint.instance_type": "ml.t3.large",
            "autoscaling": {"max_instance_count": "2", "targets": {"cpu": {}}},
        },
        {
            "autoscaling.max_instance_count": "expected an integer, got a string",
            "autoscaling.targets.cpu.kind": "is missing; expected one of: backlog_per_instance",
            "endpoint.instance_type": "cannot scale",
        },
    ),
    "image version and downloads": (
        {
            "image": {
                "kind": "aws",
                "framework": "xgboost",
                "version": "9",
                "missing_libraries": True,
            },
            "endpoint.instance_type": "ml.m6g.large",
        },
        {
            "image.version": "expected a xgboost image (",
            "image.missing_libraries": "expected one of: refuse, vendor, download, got",
            "endpoint.instance_type": "cannot start on ml.m6g.large, an Arm type",
        },
    ),
    "canary and waits": (
        {
            "rollout": {
                "kind": "canary",
                "percent": 60,
                "wait_seconds": 1800,
                "termination_wait_seconds": 1800,
                "maximum_execution_timeout_seconds": 5400,
            }
        },
        {
            "rollout.percent": "expected at most 50, got 60",
            "rollout.maximum_execution_timeout_seconds": (
                "own waits (5400 s) and 300 s to start in, got 5400"
            ),
        },
    ),
    "entries by name, each for itself": (
        {
            "autoscaling": {
                "max_instance_count": 4,
                "targets": {"Cpu": TARGETS["cpu"], "rate": {"kind": "custom_metric"}, "x": 7},
                "scheduled": {
                    "noon": {"schedule": "cron(0 12 * * *)", "min_instance_count": 5},
                    "night": {"schedule": "cron(0 0 * * ? *)", "timezone": "Shanghai"},
                },
            }
        },
        {
            "autoscaling.targets.Cpu": "expected small letters, digits and single hyphens",
            "autoscaling.targets.rate.namespace": "is missing",
            "autoscaling.targets.rate.metric_name": "is missing",
            "autoscaling.targets.rate.value": "is missing",
            "autoscaling.targets.x": "expected a mapping of keys, got an integer",
            "autoscaling.scheduled.noon.schedule": "expected 6 fields (minutes, hours, day of",
            "autoscaling.scheduled.noon.min_instance_count": "expected at most max_instance_count",
            "autoscaling.scheduled.night": "got neither",
            "autoscaling.scheduled.night.timezone": "got 'Shanghai'; did you mean Asia/Shanghai",
        },
    ),
    "reserved variables": (
        {"container.environment": {"PIP_NO_INDEX": "0", "SAGEMAKER_PROGRAM": "x", "A": 1}},
        {
            "container.environment.PIP_NO_INDEX": "is set by the library itself",
            "container.environment.SAGEMAKER_PROGRAM": "is set by the library itself",
            "container.environment.A": "expected a string, got an integer; put it in quotes",
        },
    ),
    "a canary of a fixed fleet and an unknown key": (
        {"rollout": {"kind": "canary", "percent": 10, "wait_second": 1}, "autoscaling": None},
        {
            "rollout.kind": "one instance cannot be replaced by parts",
            "rollout.wait_second": "unknown key; did you mean wait_seconds",
        },
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_block_reports_everything_that_is_wrong(problems_with: ProblemsWith, case: str) -> None:
    values, expected = CASES[case]

    said = problems_with(values)

    assert said.keys() == expected.keys()
    for key, message in expected.items():
        assert message in said[key]


EVERYTHING = """\
model: {name: a b, tracking_url: x, candidate: {approval: {name: ""}}}
allowed_regions: [eu-central-1]
defaulst: {}
defaults:
  nmae: x
  tags: {team: [], cost_centre: 12, additional: {Team: a, "aws:x": b, c: "?"}}
environments:
  Dev:
    account: 123456789012
    region: us-east-1
    endpoint: {kind: realtime, name: a_b, instance_type: ml.t3.medium, initial_instance_count: 0}
    autoscaling: {max_instance_count: 0, targets: {load: {kind: memory}}}
    image: {kind: ecr, uri: nowhere}
    network: {kind: existing, vpc_id: vpc-1, subnet_ids: [], security_group_ids: sg-1}
    encryption: {kind: existing, arn: "arn:aws:kms:eu-central-1:111111111111:alias/a"}
    alarms: {rollback: {error_count: 0}, notifications: {critical: [a], high: {a: {kind: fax}}}}
  prod:
    endpoint: {kind: realtime, name: prod, instance_type: ml.m6g.large, initial_instance_count: 3}
    autoscaling: {max_instance_count: 2, targets: {cpu: {kind: cpu_utilization, percent: 101}}}
    rollout: {kind: canary, percent: 60, wait_seconds: 3600, maximum_execution_timeout_seconds: 600}
    image: {kind: aws, framework: xgboost, version: "9", missing_libraries: download}
    network: {kind: new, cidr: ten, max_azs: 4, isolated: false}
    data_capture: {sampling_percent: 0}
    log_retention_days: 8
    name: prod
  prod-artifacts: 5
"""

EVERYTHING_SAID = {
    "1: model.name": "expected letters, digits, dots, underscores and hyphens, got 'a b'",
    "1: model.tracking_url": "unknown key; did you mean tracking_uri",
    "1: model.candidate.approval.name": "expected at least 1 character, got 0",
    "1: model.candidate.approval.value": "is missing",
    "3: defaulst": "unknown key; did you mean defaults",
    "5: defaults.nmae": "unknown key; ",
    "6: environments.Dev.tags.team": "expected a string, got a list",
    "6: environments.Dev.tags.cost_centre": "expected a string, got an integer; put it in quotes",
    "6: environments.Dev.tags.additional.Team": "expected another tag key",
    "6: environments.Dev.tags.additional.aws:x": "which AWS reserves",
    "6: environments.Dev.tags.additional.c": "expected letters, digits, spaces",
    "6: environments.prod.tags.team": "expected a string, got a list",
    "6: environments.prod.tags.cost_centre": "expected a string, got an integer; put it in quotes",
    "6: environments.prod.tags.additional.Team": "expected another tag key",
    "6: environments.prod.tags.additional.aws:x": "which AWS reserves",
    "6: environments.prod.tags.additional.c": "expected letters, digits, spaces",
    "8: environments.Dev": "expected small letters, digits and single hyphens",
    "9: environments.Dev.account": "expected a string, got an integer; put it in quotes",
    "10: environments.Dev.region": "expected one of allowed_regions (eu-central-1), got",
    "11: environments.Dev.endpoint.name": "expected letters, digits and hyphens",
    "11: environments.Dev.endpoint.instance_type": "burstable instance types cannot scale",
    "11: environments.Dev.endpoint.initial_instance_count": "expected at least 1, got 0",
    "12: environments.Dev.autoscaling.max_instance_count": "expected at least 1, got 0",
    "12: environments.Dev.autoscaling.targets.load.kind": "got 'memory'",
    "13: environments.Dev.image.uri": "expected an image in Amazon ECR with a tag or a digest",
    "14: environments.Dev.network.vpc_id": "expected the id of a VPC",
    "14: environments.Dev.network.subnet_ids": "expected at least 1 entry, got 0",
    "14: environments.Dev.network.security_group_ids": "expected a list, got a string",
    "15: environments.Dev.encryption.arn": "expected the ARN of a key by its id",
    "16: environments.Dev.alarms.rollback.error_count": "expected at least 1, got 0",
    "16: environments.Dev.alarms.notifications.critical": "expected a mapping of keys, got a list",
    "16: environments.Dev.alarms.notifications.high.a.kind": "got 'fax'",
    "17: environments.prod.region": "is missing",
    "18: environments.prod.endpoint.instance_type": "an Arm type",
    "18: environments.prod.endpoint.initial_instance_count": (
        "expected at most autoscaling.max_instance_count (2), got 3"
    ),
    "19: environments.prod.autoscaling.targets.cpu.percent": "expected at most 100, got 101",
    "20: environments.prod.rollout.percent": "expected at most 50, got 60",
    "20: environments.prod.rollout.maximum_execution_timeout_seconds": "own waits (7800 s)",
    "21: environments.prod.image.version": "expected a xgboost image",
    "21: environments.prod.image.missing_libraries": "a new network has no way to an index",
    "22: environments.prod.network.cidr": "expected an IPv4 range such as 10.0.0.0/22, got 'ten'",
    "22: environments.prod.network.max_azs": "expected at most 3, got 4",
    "23: environments.prod.data_capture.sampling_percent": "expected at least 1, got 0",
    "24: environments.prod.log_retention_days": "expected one of: 1, 3, 5",
    "25: environments.prod.name": "unknown key; ",
    "26: environments.prod-artifacts": "expected a mapping of keys, got an integer",
}


def test_a_file_with_everything_wrong_is_told_everything_at_once(problems_of: Problems) -> None:
    said = {
        f"{line}: {key}": message
        for line, key, message in (problem.split(": ", 2) for problem in problems_of(EVERYTHING))
    }

    assert said.keys() == EVERYTHING_SAID.keys()
    for key, message in EVERYTHING_SAID.items():
        assert message in said[key]


@pytest.mark.parametrize("regions", [None, [], ["Frankfurt"], "eu-central-1"])
def test_regions_that_are_not_given_are_one_problem(
    problems_of: Problems, valid: dict[str, Any], regions: Any
) -> None:
    valid["allowed_regions"] = regions
    valid["environments"]["qa"] = {
        "endpoint": {"kind": "realtime", "name": "b", "instance_type": "ml.m5.large"}
    }

    (problem,) = problems_of(valid)

    assert ": allowed_regions" in problem


def test_missing_regions_are_only_missing(problems_of: Problems, valid: dict[str, Any]) -> None:
    del valid["allowed_regions"]

    assert problems_of(valid) == ["1: allowed_regions: is missing"]


@pytest.mark.parametrize("environments", [None, {}, [], {"dev": None}])
def test_environments_that_are_none_are_one_problem(
    problems_of: Problems, valid: dict[str, Any], environments: Any
) -> None:
    valid["environments"] = environments

    (problem,) = problems_of(valid)

    assert "environments" in problem
    assert ": expected a" in problem
