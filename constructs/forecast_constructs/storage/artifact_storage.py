"""The bucket that holds an endpoint's archives and captured requests, and its access logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from constructs import Construct

if TYPE_CHECKING:
    from aws_cdk import RemovalPolicy
    from aws_cdk import aws_kms as kms

    from forecast_config.settings import ArtifactSettings

MODELS_PREFIX = "models/"
"""Where archives lie. Nothing current under it ever expires: scale-out reads it again."""

DATA_CAPTURE_PREFIX = "data-capture/"
"""Where SageMaker puts captured requests and answers."""

_ABANDONED_UPLOAD_DAYS = 7


class ArtifactStorage(Construct):
    """A versioned, encrypted bucket reached over TLS only, and the bucket of its access logs.

    Attributes:
        bucket: Holds the archives and the captured requests.
        access_log_bucket: Holds the access logs of `bucket`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket_name: str,
        encryption_key: kms.IKey,
        settings: ArtifactSettings,
        data_capture_retention_days: int,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self.access_log_bucket: s3.IBucket = self._build_access_log_bucket(settings, removal_policy)
        self.bucket: s3.IBucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=bucket_name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=encryption_key,
            bucket_key_enabled=True,
            versioned=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=self.access_log_bucket,
            server_access_logs_prefix="artifacts/",
            lifecycle_rules=_lifecycle_rules(settings, data_capture_retention_days),
            removal_policy=removal_policy,
        )

    def _build_access_log_bucket(
        self, settings: ArtifactSettings, removal_policy: RemovalPolicy
    ) -> s3.Bucket:
        return s3.Bucket(
            self,
            "AccessLogs",
            # Log delivery cannot write to a bucket that a customer managed key encrypts by default
            # (Amazon S3 user guide, "Enabling Amazon S3 server access logging").
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="expire-access-logs", expiration=Duration.days(settings.access_log_days)
                )
            ],
            removal_policy=removal_policy,
        )


def _lifecycle_rules(
    settings: ArtifactSettings, data_capture_retention_days: int
) -> list[s3.LifecycleRule]:
    return [
        s3.LifecycleRule(
            id="expire-noncurrent-versions",
            noncurrent_version_expiration=Duration.days(settings.noncurrent_version_days),
            expired_object_delete_marker=True,
        ),
        s3.LifecycleRule(
            id="abort-abandoned-uploads",
            abort_incomplete_multipart_upload_after=Duration.days(_ABANDONED_UPLOAD_DAYS),
        ),
        s3.LifecycleRule(
            id="expire-captured-requests",
            prefix=DATA_CAPTURE_PREFIX,
            expiration=Duration.days(data_capture_retention_days),
            # In a versioned bucket an expired object lives on as a noncurrent version: without this
            # the request would outlive its retention.
            noncurrent_version_expiration=Duration.days(1),
        ),
    ]
