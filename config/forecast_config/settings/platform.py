"""What surrounds the endpoint: network, keys, data capture, storage and tags."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from forecast_config.settings.base import Settings
from forecast_config.settings.fields import Distinct, Matching, RetentionDays
from forecast_config.settings.ruling import refused
from forecast_config.words import shown

VpcId = Annotated[
    str, Matching(r"^vpc-[0-9a-f]{8,17}$", "the id of a VPC such as vpc-0123456789abcdef0")
]
SubnetId = Annotated[
    str, Matching(r"^subnet-[0-9a-f]{8,17}$", "the id of a subnet such as subnet-0123456789abcdef0")
]
SecurityGroupId = Annotated[
    str, Matching(r"^sg-[0-9a-f]{8,17}$", "the id of a security group such as sg-0123456789abcdef0")
]
MIN_VPC_PREFIX = 16
MAX_VPC_PREFIX = 24
"""The VPC is split into at least two /28 subnets or larger (Amazon VPC user guide: /16 to /28)."""


class NoNetwork(Settings):
    """The containers run in SageMaker's own network."""

    kind: Literal["none"]
    """No VPC."""

    isolated: bool = False
    """Whether the container is cut off from every network (EnableNetworkIsolation)."""


class ExistingNetwork(Settings):
    """The containers run in a VPC that exists already."""

    kind: Literal["existing"]
    """A VPC by its ids; it must have a way to Amazon S3, by an endpoint or a route."""

    vpc_id: VpcId
    """Id of the VPC."""

    subnet_ids: Annotated[tuple[SubnetId, ...], Field(min_length=1, max_length=16), Distinct]
    """Ids of 1 to 16 subnets; two in different zones keep the endpoint alive when one fails."""

    security_group_ids: Annotated[
        tuple[SecurityGroupId, ...], Field(min_length=1, max_length=5), Distinct
    ]
    """Ids of 1 to 5 security groups."""

    isolated: bool = False
    """Whether the container is cut off from every network (EnableNetworkIsolation)."""


def _check_cidr(cidr: str) -> str:
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError:
        network = None
    # Python reads a netmask too (10.0.0.0/255.255.252.0), AWS does not.
    if network is None or str(network) != cidr:
        raise refused(f"expected an IPv4 range such as 10.0.0.0/22, got {shown(cidr)}")
    if not MIN_VPC_PREFIX <= network.prefixlen <= MAX_VPC_PREFIX:
        raise refused(f"expected a /16 to /24, got /{network.prefixlen}")
    return cidr


class NewNetwork(Settings):
    """The containers run in a new VPC without a way to the internet."""

    kind: Literal["new"]
    """A new isolated VPC with the VPC endpoints that SageMaker needs."""

    cidr: Annotated[str, AfterValidator(_check_cidr)] = "10.0.0.0/22"
    """Address range of the VPC, from /16 to /24."""

    max_azs: Annotated[int, Field(ge=2, le=3)] = 2
    """Availability zones used (2 or 3)."""

    isolated: bool = False
    """Whether the container is cut off from every network (EnableNetworkIsolation)."""


Network = Annotated[NoNetwork | ExistingNetwork | NewNetwork, Field(discriminator="kind")]


class NewKey(Settings):
    """A customer managed key of the environment's own, rotated."""

    kind: Literal["new"]
    """A new key."""

    rotation_days: Annotated[int, Field(ge=90, le=2560)] = 365
    """Days between rotations (90 to 2560)."""


class ExistingKey(Settings):
    """A customer managed key that exists already.

    Its policy must admit the account's IAM policies, CloudWatch and CloudWatch Logs, and the
    file-publishing and deploy roles of the CDK bootstrap.
    """

    kind: Literal["existing"]
    """A key by its ARN."""

    arn: Annotated[
        str,
        Matching(
            r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/"
            r"([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$",
            "the ARN of a key by its id, such as "
            "arn:aws:kms:eu-central-1:111111111111:key/12345678-1234-1234-1234-123456789012",
        ),
    ]
    """ARN of the key (not of an alias), in the environment's region."""


Encryption = Annotated[NewKey | ExistingKey, Field(discriminator="kind")]


class DataCaptureSettings(Settings):
    """Requests and answers kept in the artifact bucket, for monitoring."""

    sampling_percent: Annotated[int, Field(ge=1, le=100)]
    """Share of the requests that is kept (1 to 100)."""

    retention_days: RetentionDays = 30
    """Days after which a captured request is deleted."""


class ArtifactSettings(Settings):
    """How long the bucket keeps what is no longer current, and what happens when it is removed."""

    noncurrent_version_days: RetentionDays = 90
    """Days that an overwritten or deleted object can still be brought back."""

    access_log_days: RetentionDays = 90
    """Days that the bucket's access logs are kept."""

    on_stack_deletion: Literal["retain", "destroy"] = "retain"
    """Whether the buckets, key and logs outlive their stack; only an empty bucket is destroyed."""
