from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from forecast_config import ConfigError, load_config

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[dict[str, Any]], dict[str, Any]]
    Problems = Callable[..., list[str]]

REPOSITORY = Path(__file__).parents[3]


def test_shipped_configuration_holds_the_three_environments() -> None:
    config = load_config(REPOSITORY / "config" / "forecast.yaml")

    table = {
        name: (
            settings.endpoint.name,
            settings.endpoint.instance_type,
            settings.endpoint.initial_instance_count,
            settings.autoscaling and settings.autoscaling.targets["cpu"].percent,
            settings.autoscaling.max_instance_count if settings.autoscaling else 1,
        )
        for name, settings in config.environments.items()
    }

    assert table == {
        "dev": ("produce-forecast-dev", "ml.t3.medium", 1, None, 1),
        "staging": ("produce-forecast-staging", "ml.m5.large", 1, 70, 3),
        "prod": ("produce-forecast-prod", "ml.m5.xlarge", 2, 60, 10),
    }


def test_an_environment_is_laid_over_the_defaults_key_by_key(
    tmp_path: Path, document_with: Change
) -> None:
    document = document_with({"environments.dev.tags": {"cost_centre": "CC-2"}})
    document["defaults"]["data_capture"] = {"sampling_percent": 50}
    document["environments"]["dev"]["data_capture"] = None
    document["environments"]["dev"]["image"] = {
        "kind": "ecr",
        "uri": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/own:1",
    }
    path = tmp_path / "forecast.yaml"
    path.write_text(yaml.safe_dump(document))

    dev = load_config(path).environments["dev"]

    assert (dev.tags.team, dev.tags.cost_centre) == ("forecasting", "CC-2")
    assert dev.data_capture is None
    assert dev.image.kind == "ecr"


def test_an_account_from_the_command_line_takes_the_place_of_the_file_s(
    tmp_path: Path, document_with: Change
) -> None:
    path = tmp_path / "forecast.yaml"
    path.write_text(yaml.safe_dump(document_with({"environments.dev.account": "111111111111"})))

    config = load_config(path, accounts={"dev": "222222222222"})

    assert config.environments["dev"].account == "222222222222"


def test_settings_cannot_be_changed() -> None:
    config = load_config(REPOSITORY / "config" / "forecast.yaml")

    with pytest.raises(ValueError, match="frozen"):
        config.environments["dev"].region = "elsewhere"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("endpiont", 1, "unknown key; did you mean endpoint"),
        ("endpoint.name", "a" * 64, "expected at most 63 characters, got 64"),
        ("endpoint.name", "under_score", "expected letters, digits and hyphens"),
        ("endpoint.name", None, "expected a string, got null"),
        ("rollout", None, "expected a mapping of keys, got null; leave it out for the default"),
        ("alarms", None, "expected a mapping of keys, got null; leave it out for the default"),
        ("endpoint.instance_type", "m5.large", "hosting instance type"),
        ("endpoint.instance_type", "ml.m6g.large", "an Arm type"),
        ("endpoint.initial_instance_count", 0, "expected at least 1, got 0"),
        ("endpoint.initial_instance_count", "2", "expected an integer, got a string"),
        ("endpoint.initial_instance_count", True, "expected an integer, got a boolean"),
        ("endpoint.startup_timeout_seconds", 59, "expected at least 60, got 59"),
        ("endpoint.download_timeout_seconds", 3601, "expected at most 3600, got 3601"),
        ("account", 123456789012, "expected a string, got an integer; put it in quotes"),
        ("account", "12345", "expected an account id of 12 digits, got '12345'"),
        ("region", "us-east-1", "expected one of allowed_regions (eu-central-1, cn-north-1)"),
        ("region", "Frankfurt", "expected an AWS region"),
        ("model_alias", "", "expected at least 1 character, got 0"),
        ("image.version", "9.9-9", "expected a scikit-learn image (1.9-0), got '9.9-9'"),
        ("image.kind", "docker", "expected one of: aws, ecr, own, got 'docker'"),
        ("image.framework", "prophet", "expected one of: scikit-learn, xgboost, got 'prophet'"),
        ("container.environment", {"PIP_NO_INDEX": "0"}, "cannot be overridden"),
        ("container.environment", {"1A": "x"}, "does not start with a digit, got '1A'"),
        ("container.environment", {"A": "é" * 513}, "expected at most 1024 bytes, got 1026"),
        ("container.environment", {"A" * 1025: "x"}, "expected at most 1024 bytes, got 1025"),
        (
            "container.environment",
            {f"A{n}": "x" for n in range(82)},
            "expected at most 81 entries, got 82",
        ),
        (
            "container.environment",
            {f"A{n}": "x" * 1000 for n in range(31)},
            "expected at most 30720 bytes of names and values together, got 31083",
        ),
        ("container.environment", {"AWS_SECRET_ACCESS_KEY": "x"}, "is a credential"),
        ("container.environment", {"OMP_NUM_THREADS": "2"}, "set container.threads_per_worker"),
        ("container.threads_per_worker", 3, "at most the 2 vCPUs of ml.m5.large, got 3"),
        ("endpoint.volume_size_gb", 513, "expected at most 512, got 513"),
        ("network", {"kind": "new", "cidr": "10.0.0.0/28"}, "expected a /16 to /24, got /28"),
        ("network", {"kind": "new", "cidr": "ten"}, "expected an IPv4 range"),
        ("network", {"kind": "new", "max_azs": 1}, "expected at least 2, got 1"),
        ("network", {"isolated": True}, "is missing; expected one of: existing, new, none"),
        ("encryption", {"kind": "new", "rotation_days": 30}, "expected at least 90, got 30"),
        (
            "encryption",
            {"kind": "existing", "arn": f"arn:aws:kms:us-east-1:111111111111:key/mrk-{'0' * 32}"},
            "expected a key in arn:aws:kms:eu-central-1, got one in arn:aws:kms:us-east-1",
        ),
        ("data_capture", {"sampling_percent": 101}, "expected at most 100, got 101"),
        (
            "data_capture",
            {"sampling_percent": 1, "retention_days": 0},
            "expected at least 1, got 0",
        ),
        ("alarms.rollback.latency_p99_ms", 0, "expected more than 0, got 0"),
        ("alarms.high_latency.thresholds_ms", {"high": float("nan")}, "a finite number, got nan"),
        ("alarms.error_rate.thresholds_percent", {"high": 101}, "expected at most 100, got 101"),
        ("alarms.error_rate.thresholds_percent", {"low": 1}, "expected one of: critical, high"),
        ("alarms.notifications", {"critical": ["nobody"]}, "expected a mapping of keys, got a l"),
        (
            "alarms.notifications.critical",
            {"team": {"kind": "email", "address": "nobody"}},
            "expected an e-mail address",
        ),
        (
            "alarms.notifications.critical",
            {"The Team": {"kind": "email", "address": "a@b.c"}},
            "expected small letters, digits and single hyphens, got 'The Team'",
        ),
        ("endpoint.kind", "batch", "expected one of: async, realtime, serverless, got 'batch'"),
        ("log_retention_days", 8, "expected one of: 1, 3, 5"),
        ("termination_protection", "yes", "expected true or false, got a string"),
        ("tags.additional", {"aws:x": "y"}, "which AWS reserves"),
        ("tags.team", "", "expected letters, digits, spaces"),
        ("artifacts.on_stack_deletion", "keep", "expected one of: retain, destroy, got 'keep'"),
        ("rollout", {"kind": "canary", "percent": 51}, "expected at most 50, got 51"),
        ("rollout", {"kind": "canary", "percent": 10}, "one instance cannot be replaced by parts"),
        (
            "rollout",
            {"kind": "all_at_once", "wait_seconds": 3601},
            "expected at most 3600, got 3601",
        ),
    ],
)
def test_rejects(
    problems_of: Problems, document_with: Change, key: str, value: Any, message: str
) -> None:
    (problem,) = problems_of(document_with({f"environments.dev.{key}": value}))

    assert message in problem
    assert f"environments.dev.{key.split('.', maxsplit=1)[0]}" in problem


_TARGETS = {"cpu": {"kind": "cpu_utilization", "percent": 70}}


@pytest.mark.parametrize(
    ("autoscaling", "endpoint", "message"),
    [
        ({"min_instance_count": 0, "max_instance_count": 2}, {}, "expected at least 1, got 0"),
        ({"max_instance_count": 2}, {"instance_type": "ml.t3.medium"}, "cannot scale"),
        ({"max_instance_count": 2}, {"initial_instance_count": 3}, "expected at most"),
        (
            {
                "max_instance_count": 2,
                "targets": {"cpu": {"kind": "cpu_utilization", "percent": 101}},
            },
            {},
            "100",
        ),
        ({"max_instance_count": 2, "targets": {"a": {"kind": "memory"}}}, {}, "got 'memory'"),
        (
            {"max_instance_count": 2, "scale_in_cooldown_seconds": -1},
            {},
            "expected at least 0, got -1",
        ),
    ],
)
def test_rejects_scaling_that_aws_would_refuse(
    problems_of: Problems,
    document_with: Change,
    autoscaling: dict[str, Any],
    endpoint: dict[str, Any],
    message: str,
) -> None:
    document = document_with({"environments.dev.autoscaling": {"targets": _TARGETS} | autoscaling})
    document["environments"]["dev"]["endpoint"] |= endpoint

    (problem,) = problems_of(document)

    assert message in problem


@pytest.mark.parametrize(
    "network", [{"kind": "none", "isolated": True}, {"kind": "new", "isolated": False}]
)
def test_rejects_downloads_without_a_way_to_an_index(
    problems_of: Problems, document_with: Change, network: dict[str, Any]
) -> None:
    document = document_with({"environments.dev.network": network})
    document["environments"]["dev"]["image"] = {"missing_libraries": "download"}

    (problem,) = problems_of(document)

    assert "environments.dev.image.missing_libraries: expected refuse or vendor" in problem


def test_rejects_a_region_without_the_chosen_image(
    problems_of: Problems, document_with: Change
) -> None:
    document = document_with(
        {"environments.dev.region": "mx-central-1", "allowed_regions": ["mx-central-1"]}
    )

    (problem,) = problems_of(document)

    assert "AWS publishes no framework images in mx-central-1" in problem


def test_rejects_one_endpoint_name_for_two_environments(
    problems_of: Problems, valid: dict[str, Any]
) -> None:
    valid["environments"]["prod"] = valid["environments"]["dev"]

    (problem,) = problems_of(valid)

    assert "expected a name of its own, got 'forecast-dev'" in problem


def test_all_problems_are_reported_at_once_with_their_lines(
    problems_of: Problems,
) -> None:
    problems = problems_of("""\
model: {name: "a b"}
allowed_regions: [eu-central-1]
defaults:
  tags: {team: t, cost_centre: 12}
environments:
  dev:
    region: us-east-1
    endpoint: {kind: realtime, name: dev, instance_type: ml.t3.medium}
    autoscaling: {max_instance_count: 2, targets: {cpu: {kind: cpu_utilization, percent: 70}}}
""")

    assert [problem.split(" ")[0:2] for problem in problems] == [
        ["1:", "model.name:"],
        ["4:", "environments.dev.tags.cost_centre:"],
        ["6:", "environments.dev.image:"],
        ["7:", "environments.dev.region:"],
        ["8:", "environments.dev.endpoint.instance_type:"],
    ]


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot read the configuration: No such"):
        load_config(tmp_path / "none.yaml")
