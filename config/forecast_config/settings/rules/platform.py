"""Rules between an environment, its region and its account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.regions import dns_suffix_of, partition_of
from forecast_config.settings.ruling import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config.settings.ruling import Broken


@rule("region", "image.uri")
def _image_is_in_region(region: str, uri: str) -> Iterator[Broken]:
    # Amazon SageMaker developer guide: the image must be in the same region as the model.
    expected = f"{region}.{dns_suffix_of(region)}"
    found = uri.partition("/")[0].partition(".dkr.ecr.")[2]
    if found != expected:
        yield ("image", "uri"), f"expected an image in {expected}, got one in {found}"


@rule("region", "encryption.arn")
def _key_is_in_region(region: str, arn: str) -> Iterator[Broken]:
    expected = f"arn:{partition_of(region)}:kms:{region}"
    found = ":".join(arn.split(":")[:4])
    if found != expected:
        yield ("encryption", "arn"), f"expected a key in {expected}, got one in {found}"


@rule("account", "encryption.arn")
def _key_is_in_account(account: str | None, arn: str) -> Iterator[Broken]:
    found = arn.split(":")[4]
    if account is not None and found != account:
        yield ("encryption", "arn"), f"expected a key of the account {account}, got one of {found}"


PLATFORM_RULES = (_image_is_in_region, _key_is_in_region, _key_is_in_account)
