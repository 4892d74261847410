"""Rules between an environment, its region and its account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_config.regions import WITHOUT_BUDGETS, dns_suffix_of, partition_of
from forecast_config.settings.ruling import rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_config.settings.ruling import Broken

    Targets = Mapping[str, Mapping[str, Any]]

CHATS = ("slack", "teams")


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


@rule("region", "alarms.budget")
def _budgets_are_in_region(region: str, budget: object) -> Iterator[Broken]:
    if budget and region in WITHOUT_BUDGETS:
        yield (
            ("alarms", "budget"),
            (
                f"expected null, as CloudFormation makes no budgets in {region}; keep the budget "
                "in an environment of another region, or in the billing console"
            ),
        )


@rule(
    "region",
    "alarms.notifications.critical",
    "alarms.notifications.high",
    "alarms.notifications.medium",
)
def _chats_are_in_partition(
    region: str, critical: Targets, high: Targets, medium: Targets
) -> Iterator[Broken]:
    # AWS::Chatbot is in no resource schema of another partition's regions.
    if partition_of(region) == "aws":
        return
    for severity, targets in (("critical", critical), ("high", high), ("medium", medium)):
        for name, target in targets.items():
            if target.get("kind") in CHATS:
                yield (
                    ("alarms", "notifications", severity, name, "kind"),
                    (
                        f"expected email, pagerduty or webhook, as {region} has no Amazon Q "
                        f"Developer in chat applications, got {target['kind']}"
                    ),
                )


PLATFORM_RULES = (
    _image_is_in_region,
    _key_is_in_region,
    _key_is_in_account,
    _budgets_are_in_region,
    _chats_are_in_partition,
)
