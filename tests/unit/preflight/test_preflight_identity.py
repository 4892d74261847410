"""Credentials of another account and a region that is not enabled are told apart, and first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectTimeoutError, NoCredentialsError

from forecast_operations.preflight.identity import home_of, look_at_identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_operations.cloud.cloud import Cloud

CALLER = {"Account": "111111111111", "Arn": "arn:aws:iam::111111111111:user/someone"}
OPEN = {"Regions": [{"OptInStatus": "opted-in"}]}


def _at_home(cloud_of: Callable[..., Cloud], regions: Any = OPEN, caller: Any = CALLER) -> Cloud:
    return cloud_of(sts={"get_caller_identity": caller}, ec2={"describe_regions": regions})


def _statuses(findings: Any) -> dict[str, str]:
    return {each.check: each.status for each in findings}


def test_credentials_of_the_configured_account_are_looked_on_with(
    cloud_of: Callable[..., Cloud], config_of: Callable[..., Any]
) -> None:
    settings = config_of(account="111111111111").environments["live"]

    account, findings = look_at_identity(settings, _at_home(cloud_of), _at_home(cloud_of))

    assert account == "111111111111"
    assert _statuses(findings) == {"credentials": "ok", "region": "ok"}
    assert "user/someone" in findings[0].found


def test_credentials_of_another_account_are_looked_no_further_with(
    cloud_of: Callable[..., Cloud], config_of: Callable[..., Any]
) -> None:
    settings = config_of(account="222222222222").environments["live"]

    account, findings = look_at_identity(settings, _at_home(cloud_of), _at_home(cloud_of))

    assert account is None
    assert _statuses(findings) == {"credentials": "failed", "region": "ok"}
    assert findings[0].expected == "account 222222222222"
    assert "take on a role in 222222222222" in findings[0].advice


def test_no_credentials_say_nothing_of_the_region(
    cloud_of: Callable[..., Cloud], config_of: Callable[..., Any]
) -> None:
    home = _at_home(cloud_of, caller=NoCredentialsError())

    account, findings = look_at_identity(config_of().environments["live"], home, home)

    assert account is None
    assert _statuses(findings) == {"credentials": "failed", "region": "skipped"}


@pytest.mark.parametrize(
    "regions", [{"Regions": [{"OptInStatus": "not-opted-in"}]}, "InvalidParameterValue"]
)
def test_a_region_that_is_not_enabled_is_no_fault_of_the_credentials(
    regions: Any,
    cloud_of: Callable[..., Cloud],
    config_of: Callable[..., Any],
    refused: Callable[..., Any],
) -> None:
    answer = refused(regions, "Invalid value") if isinstance(regions, str) else regions
    there = cloud_of(sts={"get_caller_identity": refused("InvalidClientTokenId")})

    account, findings = look_at_identity(
        config_of().environments["live"], there, _at_home(cloud_of, answer)
    )

    assert account is None
    assert _statuses(findings) == {"credentials": "ok", "region": "failed"}
    assert "enable-region --region-name eu-central-1" in findings[1].advice


def test_a_region_that_answers_is_asked_alone(
    cloud_of: Callable[..., Cloud], config_of: Callable[..., Any]
) -> None:
    here = cloud_of(sts={"get_caller_identity": CALLER})
    unreachable = cloud_of(sts={"get_caller_identity": ConnectTimeoutError(endpoint_url="x")})

    account, findings = look_at_identity(config_of().environments["live"], here, unreachable)

    assert account == "111111111111"
    assert _statuses(findings) == {"credentials": "ok", "region": "ok"}


@pytest.mark.parametrize(
    ("regions", "advice"),
    [("UnauthorizedOperation", "enable-region"), (OPEN, "look what keeps you")],
)
def test_a_region_that_refuses_fails_whatever_is_known_of_it(
    regions: Any,
    advice: str,
    cloud_of: Callable[..., Cloud],
    config_of: Callable[..., Any],
    refused: Callable[..., Any],
) -> None:
    home = _at_home(cloud_of, refused(regions) if isinstance(regions, str) else regions)
    closed = cloud_of(sts={"get_caller_identity": refused("InvalidClientTokenId")})

    account, findings = look_at_identity(config_of().environments["live"], closed, home)

    assert account is None
    assert _statuses(findings) == {"credentials": "ok", "region": "failed"}
    assert advice in findings[1].advice


@pytest.mark.parametrize(
    ("region", "home"),
    [
        ("eu-south-2", "us-east-1"),
        ("cn-northwest-1", "cn-north-1"),
        ("us-gov-east-1", "us-gov-west-1"),
    ],
)
def test_the_home_is_in_the_same_partition(region: str, home: str) -> None:
    assert home_of(region) == home
