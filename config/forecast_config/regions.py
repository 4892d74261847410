"""AWS regions and the partitions that they belong to."""

from __future__ import annotations

import re

REGION_PATTERN = re.compile(r"^[a-z]{2,4}(-[a-z]+)+-\d$")

_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("us-iso-", "aws-iso"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
)


def partition_of(region: str) -> str:
    """The partition a region belongs to, as it stands in an ARN (`aws`, `aws-cn`, …)."""
    return next((name for prefix, name in _PARTITIONS if region.startswith(prefix)), "aws")
