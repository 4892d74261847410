"""What a region lacks is what CloudFormation's own schemas by region say."""

from __future__ import annotations

from cfnlint.helpers import REGIONS
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError

from forecast_config.regions import WITHOUT_BUDGETS, partition_of

KNOWN = [region for region in REGIONS if partition_of(region) in {"aws", "aws-cn", "aws-us-gov"}]
"""Regions whose own schemas cfn-lint holds; for others it takes those of us-east-1."""

CHATS = ("SlackChannelConfiguration", "MicrosoftTeamsChannelConfiguration")


def _has(region: str, kind: str) -> bool:
    try:
        PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind)
    except ResourceNotFoundError:
        return False
    return True


def test_budgets_are_refused_exactly_where_there_are_none() -> None:
    without = {region for region in KNOWN if not _has(region, "AWS::Budgets::Budget")}

    assert without == WITHOUT_BUDGETS


def test_chats_are_refused_exactly_outside_the_partition_aws() -> None:
    for kind in CHATS:
        having = {region for region in KNOWN if _has(region, f"AWS::Chatbot::{kind}")}

        assert having == {region for region in KNOWN if partition_of(region) == "aws"}
