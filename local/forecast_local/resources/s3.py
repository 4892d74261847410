"""S3 buckets and their policies."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from forecast_local import shapes
from forecast_local.cloudformation.handler import (
    Handler,
    Request,
    ResourceError,
)
from forecast_local.resources.s3_lifecycle import lifecycle_rule

_NAME_LIMIT = 63
_CANNED = {
    "AuthenticatedRead": "authenticated-read",
    "BucketOwnerFullControl": "bucket-owner-full-control",
    "BucketOwnerRead": "bucket-owner-read",
    "LogDeliveryWrite": "log-delivery-write",
    "Private": "private",
    "PublicRead": "public-read",
    "PublicReadWrite": "public-read-write",
}


def _conform(operation: str, member: str, value: Any) -> Any:
    try:
        return shapes.conform(shapes.input_shape("s3", operation).members[member], value)
    except ValueError as error:
        raise ResourceError(f"Properties validation failed: {error}") from error


def _put_encryption(s3: Any, bucket: str, value: Any) -> None:
    rules = [
        {
            (
                "ApplyServerSideEncryptionByDefault"
                if key == "ServerSideEncryptionByDefault"
                else key
            ): item
            for key, item in rule.items()
        }
        for rule in value["ServerSideEncryptionConfiguration"]
    ]
    document = _conform(
        "PutBucketEncryption", "ServerSideEncryptionConfiguration", {"Rules": rules}
    )
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=document)


def _put_lifecycle(s3: Any, bucket: str, value: Any) -> None:
    rules = [lifecycle_rule(rule) for rule in value["Rules"]]
    document = _conform(
        "PutBucketLifecycleConfiguration", "LifecycleConfiguration", {"Rules": rules}
    )
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=document)


def _put_logging(s3: Any, bucket: str, value: Any) -> None:
    enabled = {
        "TargetBucket": value.get("DestinationBucketName", bucket),
        "TargetPrefix": value.get("LogFilePrefix", ""),
    }
    if "TargetObjectKeyFormat" in value:
        enabled["TargetObjectKeyFormat"] = value["TargetObjectKeyFormat"]
    document = _conform("PutBucketLogging", "BucketLoggingStatus", {"LoggingEnabled": enabled})
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=document)


def _put_ownership(s3: Any, bucket: str, value: Any) -> None:
    document = _conform("PutBucketOwnershipControls", "OwnershipControls", value)
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=document)


def _put_public_access(s3: Any, bucket: str, value: Any) -> None:
    document = _conform("PutPublicAccessBlock", "PublicAccessBlockConfiguration", value)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=document)


def _put_tags(s3: Any, bucket: str, value: Any) -> None:
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": value})


def _put_versioning(s3: Any, bucket: str, value: Any) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": value["Status"]})


def _put_acl(s3: Any, bucket: str, value: Any) -> None:
    s3.put_bucket_acl(Bucket=bucket, ACL=_CANNED[value])


def _suspend_versioning(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def _stop_logging(s3: Any, bucket: str) -> None:
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})


# In the order in which they are applied: an ACL needs its ownership rule first.
_SETTINGS: dict[str, tuple[Callable[[Any, str, Any], None], Callable[[Any, str], None]]] = {
    "OwnershipControls": (
        _put_ownership,
        lambda s3, bucket: s3.delete_bucket_ownership_controls(Bucket=bucket),
    ),
    "AccessControl": (_put_acl, lambda s3, bucket: s3.put_bucket_acl(Bucket=bucket, ACL="private")),
    "PublicAccessBlockConfiguration": (
        _put_public_access,
        lambda s3, bucket: s3.delete_public_access_block(Bucket=bucket),
    ),
    "VersioningConfiguration": (_put_versioning, _suspend_versioning),
    "BucketEncryption": (
        _put_encryption,
        lambda s3, bucket: s3.delete_bucket_encryption(Bucket=bucket),
    ),
    "LifecycleConfiguration": (
        _put_lifecycle,
        lambda s3, bucket: s3.delete_bucket_lifecycle(Bucket=bucket),
    ),
    "LoggingConfiguration": (_put_logging, _stop_logging),
    "Tags": (_put_tags, lambda s3, bucket: s3.delete_bucket_tagging(Bucket=bucket)),
}


class Bucket(Handler):
    """AWS::S3::Bucket."""

    type_name = "AWS::S3::Bucket"
    applies = frozenset({*_SETTINGS, "BucketName"})
    create_only = frozenset({"BucketName"})
    attributes = frozenset({"Arn", "DomainName", "DualStackDomainName", "RegionalDomainName"})
    name_property = "BucketName"
    tagged = True
    gone = frozenset({"NoSuchBucket"})

    def create(self, request: Request) -> str:
        """Create the bucket and apply its settings."""
        s3, region = request.client("s3"), request.stack.region
        name = request.name(_NAME_LIMIT, property_name="BucketName")
        if "BucketName" not in request.properties:
            name = name.lower()
        location = {} if region == "us-east-1" else {"LocationConstraint": region}
        given = {"CreateBucketConfiguration": location} if location else {}
        existing = [item["Name"] for item in s3.list_buckets()["Buckets"]]
        if name in existing:
            # In us-east-1 CreateBucket succeeds for a bucket of one's own; CloudFormation does not.
            raise ResourceError(f"{name} already exists")
        s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerEnforced", **given)
        self._apply(s3, request.made(name), request.properties, {})
        return name

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Apply the settings that changed and remove those that are gone."""
        self._apply(request.client("s3"), physical_id, request.properties, old)

    @staticmethod
    def _apply(s3: Any, name: str, new: Mapping[str, Any], old: Mapping[str, Any]) -> None:
        for key, (put, remove) in _SETTINGS.items():
            if key in new and new[key] != old.get(key):
                put(s3, name, new[key])
            elif key in old and key not in new:
                remove(s3, name)

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the bucket; it must be empty."""
        request.client("s3").delete_bucket(Bucket=physical_id)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:
        """Return ARN and host names of the bucket."""
        stack = request.stack
        suffix = "amazonaws.com.cn" if stack.partition == "aws-cn" else "amazonaws.com"
        return {
            "Arn": f"arn:{stack.partition}:s3:::{physical_id}",
            "DomainName": f"{physical_id}.s3.{suffix}",
            "DualStackDomainName": f"{physical_id}.s3.dualstack.{stack.region}.{suffix}",
            "RegionalDomainName": f"{physical_id}.s3.{stack.region}.{suffix}",
        }


class BucketPolicy(Handler):
    """AWS::S3::BucketPolicy."""

    type_name = "AWS::S3::BucketPolicy"
    applies = frozenset({"Bucket", "PolicyDocument"})
    required = applies
    create_only = frozenset({"Bucket"})
    gone = frozenset({"NoSuchBucket", "NoSuchBucketPolicy"})

    def create(self, request: Request) -> str:
        """Put the policy on the bucket; a second policy for it is refused as on AWS."""
        s3, bucket = request.client("s3"), str(request.properties["Bucket"])
        try:
            s3.get_bucket_policy(Bucket=bucket)
        except s3.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
                raise
        else:
            raise ResourceError(f"The bucket policy already exists on bucket {bucket}.")
        self._put(request, bucket)
        return bucket

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:  # noqa: ARG002 - a put replaces everything
        """Replace the policy."""
        self._put(request, physical_id)

    def delete(self, request: Request, physical_id: str) -> None:
        """Remove the policy."""
        request.client("s3").delete_bucket_policy(Bucket=physical_id)

    @staticmethod
    def _put(request: Request, bucket: str) -> None:
        policy = json.dumps(request.properties["PolicyDocument"])
        request.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
