"""What the CDK's bootstrap roles may do in a bucket of the environment's own.

The CDK publishes file assets with the bootstrap's file-publishing role, and CloudFormation reads
the template, published beside them, with its deploy role. Both are allowed the bootstrap's own
bucket only, so that another one has to admit them by its policies. A policy that names a role is
accepted only when the role exists: `cdk bootstrap` has to come first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Aws, DefaultStackSynthesizer, FileAssetPackaging, IBoundStackSynthesizer, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from forecast_config.errors import ForecastError
from forecast_constructs.storage.artifact_storage import MODELS_PREFIX

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3

_QUALIFIER_CONTEXT = "@aws-cdk/core:bootstrapQualifier"


class ModelSynthesizer(DefaultStackSynthesizer):
    """A synthesizer that publishes a stack's files into a bucket of the environment's own.

    Assets go there under the hash of their content, which loses their names; `add_named_file`
    publishes a file under a key that is chosen.
    """

    def __init__(self, *, bucket_name: str) -> None:
        """Define the synthesizer.

        Args:
            bucket_name: The bucket, in which files go under `models/`.
        """
        super().__init__(
            file_assets_bucket_name=bucket_name,
            bucket_prefix=MODELS_PREFIX,
            generate_bootstrap_version_rule=False,
        )

    def reusable_bind(self, stack: Stack) -> IBoundStackSynthesizer:
        """Serve the one stack that this synthesizer is given to.

        The default makes a copy for each stack, which Python cannot call: jsii takes the copy for
        the original, and that is bound to no stack.
        """
        self.bind(stack)
        return self

    def add_named_file(self, name: str, *, staged: str, shown: str) -> str:
        """Publish a file of the cloud assembly under `models/`.

        Args:
            name: The key below `models/`.
            staged: The file's path in the cloud assembly.
            shown: What the CDK calls it while it is published.

        Returns:
            Name of the bucket, which may be a token.

        Raises:
            ForecastError: The CDK publishes it under another key.
        """
        location = self.add_file_asset(
            source_hash=name,
            # The CDK would append the path's extension to a key that has it already; whoever reads
            # the manifest resolves the dot.
            file_name=f"{staged}/.",
            packaging=FileAssetPackaging.FILE,
            display_name=shown,
        )
        if location.object_key != f"{MODELS_PREFIX}{name}":
            raise ForecastError(
                f"expected the CDK to publish under '{MODELS_PREFIX}{name}', got "
                f"'{location.object_key}'"
            )
        return location.bucket_name


class ArchivePublishing(Construct):
    """Policies of a bucket and its key that let the CDK publish a stack's files there.

    What is granted is what cdk-assets calls for a file (bucket location and encryption, a list of
    the one key, a multipart upload) and what CloudFormation calls for a template.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: s3.IBucket,
        encryption_key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        publisher = iam.ArnPrincipal(self._bootstrap_role_arn("file-publishing-role"))
        deployer = iam.ArnPrincipal(self._bootstrap_role_arn("deploy-role"))
        self._admit_publisher(bucket, publisher)
        self._admit_deployer(bucket, deployer)
        self._admit_to_key(encryption_key, publisher, "kms:Decrypt", "kms:GenerateDataKey")
        self._admit_to_key(encryption_key, deployer, "kms:Decrypt")

    def _bootstrap_role_arn(self, purpose: str) -> str:
        qualifier = self.node.try_get_context(_QUALIFIER_CONTEXT)
        if qualifier is None:
            qualifier = DefaultStackSynthesizer.DEFAULT_QUALIFIER
        stack = Stack.of(self)
        return (
            f"arn:{stack.partition}:iam::{stack.account}:role/"
            f"cdk-{qualifier}-{purpose}-{stack.account}-{stack.region}"
        )

    def _admit_publisher(self, bucket: s3.IBucket, principal: iam.IPrincipal) -> None:
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[principal],
                actions=["s3:GetBucketLocation", "s3:GetEncryptionConfiguration"],
                resources=[bucket.bucket_arn],
            )
        )
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[principal],
                actions=["s3:ListBucket"],
                resources=[bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": f"{MODELS_PREFIX}*"}},
            )
        )
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[principal],
                actions=["s3:AbortMultipartUpload", "s3:PutObject"],
                resources=[bucket.arn_for_objects(f"{MODELS_PREFIX}*")],
            )
        )

    def _admit_deployer(self, bucket: s3.IBucket, principal: iam.IPrincipal) -> None:
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[principal],
                actions=["s3:GetObject"],
                resources=[bucket.arn_for_objects(f"{MODELS_PREFIX}*.json")],
            )
        )

    def _admit_to_key(self, key: kms.IKey, principal: iam.IPrincipal, *actions: str) -> None:
        service = f"s3.{Stack.of(self).region}"
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[principal],
                actions=list(actions),
                resources=["*"],
                # China has another URL suffix, and nothing tells which of the two names KMS sees
                # there: the CDK's bootstrap template writes the first one in every partition.
                conditions={
                    "StringEquals": {
                        "kms:ViaService": [
                            f"{service}.amazonaws.com",
                            f"{service}.{Aws.URL_SUFFIX}",
                        ]
                    }
                },
            )
        )
