"""AWS regions, the partitions that they belong to and the addresses used there."""

from __future__ import annotations

REGION_PATTERN = r"^[a-z]{2,4}(-[a-z]+)+-[0-9]$"

_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("us-iso-", "aws-iso"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
)

_DNS_SUFFIXES = {
    "aws-cn": "amazonaws.com.cn",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-eusc": "amazonaws.eu",
}


def partition_of(region: str) -> str:
    """The partition a region belongs to, as it stands in an ARN (`aws`, `aws-cn`, …)."""
    return next((name for prefix, name in _PARTITIONS if region.startswith(prefix)), "aws")


def dns_suffix_of(region: str) -> str:
    """What the addresses of a region's services end with (`amazonaws.com`, as in botocore)."""
    return _DNS_SUFFIXES.get(partition_of(region), "amazonaws.com")
