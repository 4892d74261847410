"""The role that SageMaker takes on to serve a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from forecast_constructs.acknowledgements import acknowledge, acknowledge_wildcard
from forecast_constructs.storage.artifact_storage import (
    ASYNC_ANSWERS_PREFIX,
    ASYNC_FAILURES_PREFIX,
    ASYNC_PREFIX,
    ASYNC_REQUESTS_PREFIX,
    DATA_CAPTURE_PREFIX,
    MODELS_PREFIX,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3

    from forecast_constructs.hosting.network import Placement
    from forecast_constructs.hosting.serving_image import ContainerImage

_INTERFACE_ACTIONS = [
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
]
_DESCRIBE_ACTIONS = [
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
]

INSTANCE_METRICS_NAMESPACE = "/aws/sagemaker/Endpoints"
"""Namespace of the CPU, memory and disk metrics that an endpoint's instances publish."""


class ExecutionRole(Construct):
    """A role that can serve one endpoint's models and do nothing else.

    The permissions are those of the Amazon SageMaker developer guide, "How to use SageMaker AI
    execution roles", CreateModel API, narrowed to the resources of the endpoint. The trust is that
    of "Cross-service confused deputy prevention", SageMaker AI Inference: account and region. The
    guide forbids to put the ARN of an endpoint or a model there, so it is the permissions that bind
    the role to one endpoint.

    Attributes:
        role: The role.
        policy: Its policy, a customer managed one. What is created with the role must depend on it,
            as SageMaker tries the permissions at once; in a VPC it depends on a second one.
    """

    def __init__(self, scope: Construct, construct_id: str, *, endpoint_name: str) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=self._render_principal(),
            description=f"Serves the models of the endpoint {endpoint_name}",
        )
        # Not "Policy", which was an inline one: CloudFormation refuses to make another type of a
        # resource under its logical id.
        self.policy = iam.ManagedPolicy(
            self,
            "Permissions",
            description=f"Serves the models of the endpoint {endpoint_name}",
            roles=[self.role],
        )
        self._images: set[str] = set()
        self._allow_instance_metrics()
        acknowledge(
            self.policy,
            "IAM5[Resource::*]",
            "cloudwatch:PutMetricData and ecr:GetAuthorizationToken know no resources; the metrics "
            "are bound to one namespace by a condition",
        )

    def grant_read_model(self, bucket: s3.IBucket, encryption_key: kms.IKey) -> None:
        """Let the endpoint fetch archives, and nothing else, from the bucket."""
        archives = bucket.arn_for_objects(f"{MODELS_PREFIX}*")
        self._allow(["s3:GetObject"], [archives])
        self._allow(
            ["s3:ListBucket"],
            [bucket.bucket_arn],
            {"StringLike": {"s3:prefix": f"{MODELS_PREFIX}*"}},
        )
        self._allow(["kms:Decrypt"], [encryption_key.key_arn])
        acknowledge_wildcard(
            self.policy, archives, "every archive has a key of its own, made from its content"
        )

    def grant_write_captures(self, bucket: s3.IBucket, encryption_key: kms.IKey) -> None:
        """Let the endpoint put captured requests, and nothing else, into the bucket."""
        captures = bucket.arn_for_objects(f"{DATA_CAPTURE_PREFIX}*")
        self._allow(["s3:PutObject"], [captures])
        self._allow(["kms:GenerateDataKey"], [encryption_key.key_arn])
        acknowledge_wildcard(self.policy, captures, "SageMaker names a capture by its hour")

    def grant_write_async(
        self, bucket: s3.IBucket, encryption_key: kms.IKey, topic_arns: Sequence[str]
    ) -> None:
        """Let an asynchronous endpoint read requests, put answers, and tell its topics of them.

        The permissions are those of the developer guide, "Asynchronous Inference: Complete the
        prerequisites".
        """
        requests = bucket.arn_for_objects(f"{ASYNC_REQUESTS_PREFIX}*")
        written = [
            bucket.arn_for_objects(f"{prefix}*")
            for prefix in (ASYNC_ANSWERS_PREFIX, ASYNC_FAILURES_PREFIX)
        ]
        self._allow(["s3:GetObject"], [requests])
        self._allow(["s3:AbortMultipartUpload", "s3:PutObject"], written)
        self._allow(
            ["s3:ListBucket"],
            [bucket.bucket_arn],
            {"StringLike": {"s3:prefix": f"{ASYNC_PREFIX}*"}},
        )
        self._allow(["kms:Decrypt", "kms:GenerateDataKey"], [encryption_key.key_arn])
        self._allow(["sns:Publish"], list(topic_arns))
        for objects in (requests, *written):
            acknowledge_wildcard(
                self.policy, objects, "clients name a request, and SageMaker names its answer"
            )

    def grant_encrypt_volumes(self, encryption_key: kms.IKey) -> None:
        """Let SageMaker attach instance volumes that the key encrypts."""
        self._allow(
            ["kms:CreateGrant"],
            [encryption_key.key_arn],
            {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        )

    def grant_write_logs(self, log_group_name: str) -> None:
        """Let the containers write to a log group that exists."""
        stack = Stack.of(self)
        streams = (
            f"arn:{stack.partition}:logs:{stack.region}:{stack.account}"
            f":log-group:{log_group_name}:*"
        )
        self._allow(
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], [streams]
        )
        acknowledge_wildcard(self.policy, streams, "SageMaker names a log stream for each instance")

    def grant_pull(self, image: ContainerImage) -> None:
        """Let SageMaker pull an image; the challenger's may be the same."""
        if image.repository_arn in self._images:
            return
        if not self._images:
            self._allow(["ecr:GetAuthorizationToken"], ["*"])
        self._images.add(image.repository_arn)
        self._allow(
            [
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ],
            [image.repository_arn],
        )

    def grant_describe_alarms(self, alarm_names: Iterable[str]) -> None:
        """Let a rollout watch its rollback alarms.

        "Auto-Rollback Configuration and Monitoring" in the developer guide asks it of this role.
        """
        stack = Stack.of(self)
        prefix = f"arn:{stack.partition}:cloudwatch:{stack.region}:{stack.account}:alarm"
        self._allow(["cloudwatch:DescribeAlarms"], [f"{prefix}:{name}" for name in alarm_names])

    def grant_join(self, placement: Placement) -> None:
        """Let SageMaker put network interfaces of the containers into a VPC."""
        stack = Stack.of(self)
        prefix = f"arn:{stack.partition}:ec2:{stack.region}:{stack.account}"
        interfaces = f"{prefix}:network-interface/*"
        policy = iam.ManagedPolicy(
            self,
            # A policy of its own: with 16 subnets and 10 alarms one would be too long for IAM.
            "NetworkPermissions",
            description="Puts the containers of the endpoint into its VPC",
            roles=[self.role],
            statements=[
                iam.PolicyStatement(actions=actions, resources=resources)
                for actions, resources in (
                    (
                        ["ec2:CreateNetworkInterface"],
                        [
                            interfaces,
                            *(f"{prefix}:subnet/{subnet}" for subnet in placement.subnet_ids),
                            *(
                                f"{prefix}:security-group/{group}"
                                for group in placement.security_group_ids
                            ),
                        ],
                    ),
                    (_INTERFACE_ACTIONS, [interfaces]),
                    (_DESCRIBE_ACTIONS, ["*"]),
                )
            ],
        )
        # Whoever waits for the one waits for both.
        self.policy.node.add_dependency(policy)
        acknowledge_wildcard(
            policy,
            interfaces,
            "an interface gets its id when SageMaker creates it, in the subnets named here",
        )
        acknowledge(policy, "IAM5[Resource::*]", "the ec2:Describe actions know no resources")

    def _render_principal(self) -> iam.IPrincipal:
        stack = Stack.of(self)
        return iam.ServicePrincipal(
            "sagemaker.amazonaws.com",
            conditions={
                "StringEquals": {"aws:SourceAccount": stack.account},
                "ArnLike": {
                    "aws:SourceArn": (
                        f"arn:{stack.partition}:sagemaker:{stack.region}:{stack.account}:*"
                    )
                },
            },
        )

    def _allow_instance_metrics(self) -> None:
        self._allow(
            ["cloudwatch:PutMetricData"],
            ["*"],
            {"StringEquals": {"cloudwatch:namespace": INSTANCE_METRICS_NAMESPACE}},
        )

    def _allow(
        self,
        actions: list[str],
        resources: list[str],
        conditions: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.policy.add_statements(
            iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions)
        )
