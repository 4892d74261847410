"""What AWS or the CDK would refuse later is refused at load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from forecast_config import load_config
from forecast_config.regions import dns_suffix_of
from forecast_config.settings.tags import TAGS_OF_THE_LIBRARY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Change = Callable[[dict[str, Any]], dict[str, Any]]
    Problems = Callable[..., list[str]]
    ProblemsWith = Callable[[dict[str, Any]], dict[str, str]]

KEY_ID = "12345678-1234-1234-1234-123456789012"
CHINA = {"region": "cn-north-1"}
XGBOOST = {"kind": "aws", "framework": "xgboost", "version": "3.2-0"}


@pytest.mark.parametrize(
    ("first", "second", "stack"),
    [
        ("prod", "prod-artifacts", "ForecastProdArtifacts"),
        ("a-b1", "a-b-1", "ForecastAB1"),
        ("ab", "a-b", "ForecastAb"),
    ],
)
def test_rejects_environments_with_the_same_stacks(
    problems_of: Problems, document_with: Change, first: str, second: str, stack: str
) -> None:
    def endpoint(name: str) -> dict[str, str]:
        return {
            "kind": "realtime",
            "name": f"forecast-{name}",
            "instance_type": "ml.m5.large",
        }

    environments = {name: {"endpoint": endpoint(name)} for name in (first, second)}

    (problem,) = problems_of(document_with({"environments": environments}))

    assert "expected a name whose stacks are its own" in problem
    assert stack in problem


def test_the_prefix_of_the_stacks_is_a_name_that_stacks_can_begin_with(
    problems_of: Problems, document_with: Change
) -> None:
    (problem,) = problems_of(document_with({"stack_prefix": "leek-prices"}))

    assert "stack_prefix: expected letters and digits, with a capital letter first" in problem


@pytest.mark.parametrize("block", ["defaults", "environments.dev"])
def test_the_prefix_of_the_stacks_is_that_of_the_file(
    problems_of: Problems, document_with: Change, block: str
) -> None:
    (problem,) = problems_of(document_with({f"{block}.stack_prefix": "Leek"}))

    assert f"{block}.stack_prefix: unknown key" in problem


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            {
                "alarms.notifications.high": {
                    "team": {"kind": "email", "address": "a@b.c"},
                    "desk": {"kind": "email", "address": "d@e.f"},
                    "zoe": {"kind": "email", "address": "A@b.c"},
                }
            },
            (
                "alarms.notifications.high.zoe",
                "expected a target of its own, got that of 'team'",
            ),
        ),
        (
            {
                "network": {
                    "kind": "existing",
                    "vpc_id": "vpc-01234567",
                    "subnet_ids": ["subnet-01234567", "subnet-01234567"],
                    "security_group_ids": ["sg-01234567"],
                }
            },
            ("network.subnet_ids.1", "expected each one once, got 'subnet-01234567' again"),
        ),
        (
            {
                "network": {
                    "kind": "existing",
                    "vpc_id": "vpc-01234567",
                    "subnet_ids": ["subnet-01234567"],
                    "security_group_ids": ["sg-01234567", "sg-01234567"],
                }
            },
            ("network.security_group_ids.1", "expected each one once, got 'sg-01234567' again"),
        ),
    ],
)
def test_rejects_what_is_listed_twice(
    problems_with: ProblemsWith, values: dict[str, Any], problem: tuple[str, str]
) -> None:
    assert problems_with(values) == dict([problem])


@pytest.mark.parametrize("key", [*TAGS_OF_THE_LIBRARY, "cost_centre", "Run_Id", "COST-CENTRE"])
def test_rejects_tags_that_the_library_sets(problems_with: ProblemsWith, key: str) -> None:
    said = problems_with({"tags.additional": {key: "x"}})

    assert said == {
        f"tags.additional.{key}": "expected another tag key, as the library sets this one itself"
    }


def test_rejects_tags_that_differ_by_case_only(problems_with: ProblemsWith) -> None:
    said = problems_with({"tags.additional": {"a.Owner": "x", "a.owner": "y", "b": "z"}})

    assert said == {
        "tags.additional.a.owner": "expected a key that differs from 'a.Owner' by more than case"
    }


@pytest.mark.parametrize(
    ("region", "host", "expected"),
    [
        ("eu-central-1", "us-east-1.amazonaws.com", "eu-central-1.amazonaws.com"),
        ("eu-central-1", "eu-central-1.amazonaws.com.cn", "eu-central-1.amazonaws.com"),
        ("cn-north-1", "cn-north-1.amazonaws.com", "cn-north-1.amazonaws.com.cn"),
        ("us-iso-east-1", "us-iso-east-1.amazonaws.com", "us-iso-east-1.c2s.ic.gov"),
    ],
)
def test_rejects_an_image_of_another_region_or_partition(
    problems_of: Problems, document_with: Change, region: str, host: str, expected: str
) -> None:
    image = {"kind": "ecr", "uri": f"111111111111.dkr.ecr.{host}/forecaster:1"}

    (problem,) = problems_of(
        document_with(
            {
                "environments.dev.region": region,
                "environments.dev.image": image,
                "allowed_regions": [region],
            }
        )
    )

    assert f"image.uri: expected an image in {expected}, got one in {host}" in problem


@pytest.mark.parametrize(
    ("region", "suffix"),
    [
        ("eu-central-1", "amazonaws.com"),
        ("us-gov-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
        ("us-iso-east-1", "c2s.ic.gov"),
        ("us-isob-east-1", "sc2s.sgov.gov"),
        ("us-isof-south-1", "csp.hci.ic.gov"),
        ("eu-isoe-west-1", "cloud.adc-e.uk"),
        ("eusc-de-east-1", "amazonaws.eu"),
    ],
)
def test_every_partition_has_addresses_of_its_own(region: str, suffix: str) -> None:
    assert dns_suffix_of(region) == suffix


@pytest.mark.parametrize(
    ("values", "arn", "message"),
    [
        (
            {},
            f"arn:aws-cn:kms:eu-central-1:111111111111:key/{KEY_ID}",
            "expected a key in arn:aws:kms:eu-central-1, got one in arn:aws-cn:kms:eu-central-1",
        ),
        (
            CHINA,
            f"arn:aws:kms:cn-north-1:111111111111:key/{KEY_ID}",
            "expected a key in arn:aws-cn:kms:cn-north-1, got one in arn:aws:kms:cn-north-1",
        ),
        (
            {"account": "222222222222"},
            f"arn:aws:kms:eu-central-1:111111111111:key/{KEY_ID}",
            "expected a key of the account 222222222222, got one of 111111111111",
        ),
        ({}, "arn:aws:kms:eu-central-1:111111111111:key/mine", "the ARN of a key by its id"),
        ({}, "arn:aws:kms:eu-central-1:111111111111:key/mrk-1", "the ARN of a key by its id"),
        ({}, f"arn:aws:kms:eu-central-1:111111111111:key/{KEY_ID}\n", "by its id"),
    ],
)
def test_rejects_a_key_that_cannot_be_the_environment_s(
    problems_with: ProblemsWith, values: dict[str, Any], arn: str, message: str
) -> None:
    said = problems_with({**values, "encryption": {"kind": "existing", "arn": arn}})

    assert message in said.pop("encryption.arn")
    assert said == {}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("data_capture", {"sampling_percent": 1, "retention_days": 36501}, "at most 36500"),
        ("artifacts", {"noncurrent_version_days": 36501}, "at most 36500"),
        ("artifacts", {"access_log_days": 2**31}, "at most 36500, got 2147483648"),
        ("endpoint.initial_instance_count", 10_001, "at most 10000"),
        ("alarms.rollback", {"error_count": 10**7}, "at most 1000000, got 10000000"),
        ("alarms.rollback", {"error_count": 10**400}, "an integer of more than 80 digits"),
        ("alarms.rollback", {"latency_p99_ms": 10**400}, "expected a number of at most 308 digits"),
        ("region", "eu-central-1\n", r"expected an AWS region such as eu-central-1, got"),
        ("region", "eu-central-\u0661", "expected an AWS region"),
        ("account", "\u0661" * 12, "expected an account id of 12 digits"),
        ("endpoint.name", "forecast\n", "expected letters, digits and hyphens"),
        ("network", {"kind": "new", "cidr": "10.0.0.0/255.255.252.0"}, "expected an IPv4 range"),
    ],
)
def test_rejects_values_out_of_all_bounds(
    problems_with: ProblemsWith, key: str, value: Any, message: str
) -> None:
    (said,) = problems_with({key: value}).values()

    assert message in said


def test_rejects_endless_scaling_without_counting_to_it(problems_with: ProblemsWith) -> None:
    scaling = {
        "max_instance_count": 10**12,
        "scale_out_cooldown_seconds": 86_401,
        "scale_in_cooldown_seconds": 10**12,
        "targets": {"rate": {"kind": "invocations_per_instance", "per_minute": float("inf")}},
    }

    said = problems_with({"autoscaling": scaling, "rollout": {"kind": "canary", "percent": 10}})

    assert said == {
        "autoscaling.max_instance_count": "expected at most 10000, got 1000000000000",
        "autoscaling.scale_out_cooldown_seconds": "expected at most 86400, got 86401",
        "autoscaling.scale_in_cooldown_seconds": "expected at most 86400, got 1000000000000",
        "autoscaling.targets.rate.per_minute": "expected a finite number, got inf",
    }


@pytest.mark.parametrize("region", ["eu-central-1\n", "Frankfurt", "eu", ""])
def test_rejects_an_allowed_region_that_is_none(
    problems_of: Problems, document_with: Change, region: str
) -> None:
    (problem,) = problems_of(document_with({"allowed_regions": ["eu-central-1", region]}))

    assert "allowed_regions.1: expected an AWS region such as eu-central-1" in problem


def test_an_account_from_the_command_line_is_not_blamed_on_the_file(
    problems_of: Problems, document_with: Change
) -> None:
    document = document_with({"environments.dev.account": "111111111111"})

    assert problems_of(document, accounts={"dev": "12", "prd": "111111111111"}) == [
        "-c accounts: an account is given for 'prd', expected one of: dev",
        "-c accounts: environments.dev.account: expected an account id of 12 digits, got '12'",
    ]


@pytest.mark.parametrize(
    ("values", "key", "message"),
    [
        (
            {
                "image": {
                    "kind": "aws",
                    "framework": "xgboost",
                    "version": "3.2-0",
                    "server": "archive",
                }
            },
            "image.server",
            "expected framework, as the xgboost image is not known to take more",
        ),
        (
            {
                "image.missing_libraries": "download",
                "image.server": "archive",
            },
            "image.server",
            "expected framework, as nothing else installs what is missing",
        ),
        (
            {
                "image": {
                    "kind": "ecr",
                    "uri": "111111111111.dkr.ecr.eu-central-1.amazonaws.com/forecaster:1",
                    "architecture": "x86_64",
                },
                "endpoint.instance_type": "ml.m7g.large",
            },
            "image.architecture",
            "expected arm64, the CPU of ml.m7g.large, got x86_64",
        ),
        (
            {"image": {"kind": "own", "python": "3.10"}},
            "image.python",
            "expected a Python from 3.11 to 3.14, quoted, such as '3.12', got '3.10'",
        ),
        (
            {"endpoint.instance_type": "ml.m5d.large", "endpoint.volume_size_gb": 40},
            "endpoint.volume_size_gb",
            "expected null, as ml.m5d.large has disks of its own and gets no volume",
        ),
    ],
)
def test_rejects_an_image_or_a_volume_that_the_instance_cannot_have(
    problems_with: ProblemsWith, values: dict[str, Any], key: str, message: str
) -> None:
    assert problems_with(values) == {key: message}


def test_an_own_image_runs_on_graviton(document_with: Change, tmp_path: Path) -> None:
    document = document_with(
        {
            "environments.dev.image": {"kind": "own", "python": "3.13"},
            "environments.dev.endpoint.instance_type": "ml.m7g.large",
        }
    )
    path = tmp_path / "forecast.yaml"
    path.write_text(yaml.safe_dump(document))

    assert load_config(path).environments["dev"].image.kind == "own"
