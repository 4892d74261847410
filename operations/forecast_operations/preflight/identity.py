"""Whose credentials these are, and whether the region is open to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.regions import partition_of
from forecast_operations.cloud.refusals import CloudError
from forecast_operations.preflight.finding import failed, ok, skipped

if TYPE_CHECKING:
    from forecast_config import EnvironmentSettings
    from forecast_operations.cloud.cloud import Cloud
    from forecast_operations.preflight.finding import Finding

_HOMES = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-eusc": "eusc-de-east-1",
}
"""A region of each partition that is always open (AWS account management reference guide)."""

_OPEN = ("opt-in-not-required", "opted-in")
"""States of a region that answers (Amazon EC2 API reference, Region.OptInStatus)."""

_CREDENTIALS = "credentials"
_REGION = "region"
_EXPECTED = "a region that the account can use"


def home_of(region: str) -> str:
    """A region of the same partition that every account can use."""
    return _HOMES[partition_of(region)]


def look_at_identity(
    settings: EnvironmentSettings, cloud: Cloud, home: Cloud
) -> tuple[str | None, list[Finding]]:
    """The account that may be looked at, and what was found of credentials and region.

    An answer from the region proves both. A region that the account has not enabled answers as if
    it did not know the credentials ("Manage AWS Regions", AWS account management reference guide):
    another region then tells which it is.

    Args:
        settings: The environment.
        cloud: AWS in its region.
        home: AWS in a region that is always open.

    Returns:
        Id of the account, and the findings; None where there is nothing to look at in it.
    """
    refusal = None
    try:
        known = cloud.ask("sts", "get_caller_identity")
    except CloudError as error:
        refusal = error
        try:
            known = home.ask("sts", "get_caller_identity")
        except CloudError:
            advice = "sign in (aws sso login), or set AWS_PROFILE"
            return None, [
                failed(_CREDENTIALS, str(refusal), "credentials that AWS knows", advice),
                skipped(_REGION, "there are no credentials to ask with"),
            ]
    account, caller = str(known["Account"]), str(known["Arn"])
    owner = _check_owner(settings, account, caller)
    region = (
        ok(_REGION, f"{settings.region} answers", _EXPECTED)
        if refusal is None
        else _closed(settings.region, home, refusal)
    )
    blocked = any(each.status == "failed" for each in (owner, region))
    return None if blocked else account, [owner, region]


def _check_owner(settings: EnvironmentSettings, account: str, caller: str) -> Finding:
    expected = settings.account
    if expected is None:
        return ok(_CREDENTIALS, f"{account}, as {caller}", "any account: none is configured")
    if expected == account:
        return ok(_CREDENTIALS, f"{account}, as {caller}", f"account {expected}")
    advice = f"take on a role in {expected} (AWS_PROFILE, aws sso login)"
    return failed(_CREDENTIALS, f"{account}, as {caller}", f"account {expected}", advice)


def _closed(region: str, home: Cloud, refusal: CloudError) -> Finding:
    """Why a region refuses credentials that another one knows."""
    enable = (
        f"aws account enable-region --region-name {region} (it takes minutes to hours), or choose "
        "another region"
    )
    try:
        known = home.ask(
            "ec2", "describe_regions", missing="Invalid", RegionNames=[region], AllRegions=True
        )
    except CloudError:
        return failed(_REGION, str(refusal), _EXPECTED, f"where it is not enabled: {enable}")
    state = known["Regions"][0].get("OptInStatus", "unknown") if known else "unknown"
    if state in _OPEN:
        advice = f"look what keeps you from {region}: a policy of the organization, a proxy"
        return failed(_REGION, f"{region} is {state}, and refuses: {refusal}", _EXPECTED, advice)
    return failed(_REGION, f"{region} is {state}", _EXPECTED, enable)
