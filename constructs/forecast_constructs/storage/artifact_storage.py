"""The bucket of an endpoint's archives, captures and asynchronous answers, and its access logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from constructs import Construct

from forecast_constructs.acknowledgements import acknowledge, acknowledge_checkov

if TYPE_CHECKING:
    from aws_cdk import CfnResource, RemovalPolicy
    from aws_cdk import aws_kms as kms

    from forecast_config.settings import ArtifactSettings

MODELS_PREFIX = "models/"
"""Where archives lie. Nothing current under it ever expires: scale-out reads it again."""

DATA_CAPTURE_PREFIX = "data-capture/"
"""Where SageMaker puts captured requests and answers."""

ASYNC_PREFIX = "async/"
"""Where everything of an asynchronous endpoint lies; it expires like captures."""

ASYNC_REQUESTS_PREFIX = f"{ASYNC_PREFIX}requests/"
"""Where clients put what an asynchronous endpoint shall answer."""

ASYNC_ANSWERS_PREFIX = f"{ASYNC_PREFIX}answers/"
"""Where SageMaker puts the answers (S3OutputPath)."""

ASYNC_FAILURES_PREFIX = f"{ASYNC_PREFIX}failures/"
"""Where SageMaker puts what went wrong (S3FailurePath)."""

_ABANDONED_UPLOAD_DAYS = 7


class ArtifactStorage(Construct):
    """A versioned, encrypted bucket reached over TLS only, and the bucket of its access logs.

    What clients sent is deleted after its retention whatever becomes of the stack: the lifecycle
    rules are the bucket's, and a bucket that outlives its stack keeps them.

    Attributes:
        bucket: Holds the archives, the captured requests and the asynchronous answers.
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
        async_retention_days: int,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        acknowledge(
            self,
            "S3BucketReplicationEnabled",
            "an archive is packed again from the registry with the same bytes; captures, answers "
            "and access logs are kept for days and must not leave their region",
        )
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
            lifecycle_rules=[
                *_housekeeping(settings),
                _expire("captured-requests", data_capture_retention_days, DATA_CAPTURE_PREFIX),
                _expire("asynchronous-answers", async_retention_days, ASYNC_PREFIX),
            ],
            removal_policy=removal_policy,
        )

    def _build_access_log_bucket(
        self, settings: ArtifactSettings, removal_policy: RemovalPolicy
    ) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            versioned=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[_expire("access-logs", settings.access_log_days)],
            removal_policy=removal_policy,
        )
        acknowledge(
            bucket,
            "S3DefaultEncryptionKMS",
            "log delivery cannot write to a bucket that a KMS key encrypts by default (Amazon S3 "
            "user guide, Enabling Amazon S3 server access logging)",
        )
        acknowledge_checkov(
            cast("CfnResource", bucket.node.default_child),
            ("CKV_AWS_18", "it holds access logs; logging its own access would never come to rest"),
        )
        return bucket


def _housekeeping(settings: ArtifactSettings) -> list[s3.LifecycleRule]:
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
    ]


def _expire(what: str, days: int, prefix: str | None = None) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        id=f"expire-{what}",
        prefix=prefix,
        expiration=Duration.days(days),
        # In a versioned bucket an expired object lives on as a noncurrent version: without this
        # it would outlive its retention.
        noncurrent_version_expiration=Duration.days(1),
    )
