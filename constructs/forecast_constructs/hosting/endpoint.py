"""The endpoint that clients call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from forecast_config.settings import AsyncEndpoint, ServerlessEndpoint, SplitRollout
from forecast_constructs.hosting.lineage import tag_challenger, tag_lineage
from forecast_constructs.monitoring.metrics import EndpointMetrics
from forecast_constructs.rollouts.deployment_config import render_deployment_config
from forecast_constructs.storage.artifact_storage import (
    ASYNC_ANSWERS_PREFIX,
    ASYNC_FAILURES_PREFIX,
    ASYNC_REQUESTS_PREFIX,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config.packaged import PackagedModel
    from forecast_config.settings import Endpoint, Rollout
    from forecast_constructs.hosting.endpoint_config import EndpointConfiguration
    from forecast_constructs.rollouts.rollback_alarms import RollbackAlarms


class ForecastEndpoint(Construct):
    """An endpoint with a fixed name, on which new versions are rolled out under guard.

    An update keeps what has changed since the last one: a scaled-out instance count, and the
    weights of champion and challenger that a person has shifted. What nothing but the file decides
    follows the file: a fixed instance count, the share that a shadow gets, and the weight of a
    variant that is alone, so that a challenger that joins it later starts with its own share.

    Attributes:
        endpoint_name: The name clients call, as a literal.
        endpoint_arn: ARN of the endpoint, made from the name.
        variant_name: Name of the champion's variant.
        is_async: Whether requests and answers travel by way of the bucket.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Endpoint,
        endpoint_config: EndpointConfiguration,
        rollout: Rollout,
        rollback_alarms: RollbackAlarms | None,
        packaged_model: PackagedModel,
        scales: bool,
        challenger: PackagedModel | None = None,
        reset_weights: bool = False,
    ) -> None:
        """Define the endpoint.

        Args:
            scope: The parent.
            construct_id: Id of the construct.
            settings: Its name and the mode that it serves in.
            endpoint_config: What it runs.
            rollout: How a new configuration takes over; a serverless endpoint has no choice.
            rollback_alarms: Alarms on the new fleet; each exists before the endpoint changes.
                None: serverless, which SageMaker updates without guardrails.
            packaged_model: Lineage for the tags.
            scales: Whether the capacity belongs to Application Auto Scaling.
            challenger: Lineage of the model that is compared, for the tags; default: none is.
            reset_weights: Whether this update puts champion and challenger back to the share in
                the file; default: a shifted share survives.

        Raises:
            ValueError: There are no rollback alarms, or some for a serverless endpoint.
        """
        super().__init__(scope, construct_id)
        serverless = isinstance(settings, ServerlessEndpoint)
        if serverless is (rollback_alarms is not None):
            got = "none" if rollback_alarms is None else "some"
            raise ValueError(
                "expected rollback alarms for instances and none for a serverless endpoint, "
                f"got {got} for {settings.kind}"
            )
        self._config = endpoint_config
        self._resource = sagemaker.CfnEndpoint(
            self,
            "Resource",
            endpoint_name=settings.name,
            endpoint_config_name=endpoint_config.endpoint_config_name,
            deployment_config=(
                None
                if rollback_alarms is None
                else render_deployment_config(
                    rollout,
                    rollback_alarms.alarm_names,
                    start_seconds=endpoint_config.start_seconds,
                )
            ),
            # The capacity of a serverless endpoint follows the file, unless scaling changes it.
            retain_all_variant_properties=scales if serverless else True,
            exclude_retained_variant_properties=(
                None
                if serverless
                else _render_exclusions(rollout, scales=scales, reset_weights=reset_weights)
            ),
        )
        if rollback_alarms is not None:
            # An alarm is named in the rollout by a literal, which orders nothing.
            self._resource.node.add_dependency(rollback_alarms)
        tag_lineage(self._resource, packaged_model)
        if challenger is not None:
            tag_challenger(self._resource, challenger)
        self.endpoint_name = settings.name
        self.variant_name = settings.variant_name
        self._mode = settings.kind
        self.is_async = isinstance(settings, AsyncEndpoint)
        stack = Stack.of(self)
        self.endpoint_arn = (
            f"arn:{stack.partition}:sagemaker:{stack.region}:{stack.account}"
            f":endpoint/{settings.name}"
        )

    @property
    def metrics(self) -> EndpointMetrics:
        """Metrics of the champion's variant over all its fleets."""
        return EndpointMetrics(
            endpoint_name=self.endpoint_name, variant_name=self.variant_name, mode=self._mode
        )

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let someone ask the endpoint for forecasts; for the rights see `invoke_statements`."""
        first, *further = [
            iam.Grant.add_to_principal(
                grantee=grantee,
                actions=statement.actions,
                resource_arns=statement.resources,
                conditions=statement.conditions,
            )
            for statement in self.invoke_statements()
        ]
        for grant in further:
            first = first.combine(grant)
        return first

    def invoke_statements(self) -> list[iam.PolicyStatement]:
        """What a client must be allowed to do.

        Who asks an asynchronous endpoint puts a request into the bucket and fetches the answer, or
        the reason why there is none, from it. The right to list is what makes S3 say "not there
        yet" instead of "access denied" (Amazon S3 API reference, GetObject).
        """
        if not self.is_async:
            return [_allow(["sagemaker:InvokeEndpoint"], [self.endpoint_arn])]
        return [
            _allow(["sagemaker:InvokeEndpointAsync"], [self.endpoint_arn]),
            *self._bucket_statements(),
        ]

    def _bucket_statements(self) -> Iterator[iam.PolicyStatement]:
        bucket, key = self._config.bucket, self._config.encryption_key
        fetched = [f"{ASYNC_ANSWERS_PREFIX}*", f"{ASYNC_FAILURES_PREFIX}*"]
        yield _allow(["s3:PutObject"], [bucket.arn_for_objects(f"{ASYNC_REQUESTS_PREFIX}*")])
        yield _allow(["s3:GetObject"], [bucket.arn_for_objects(prefix) for prefix in fetched])
        yield iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": fetched}},
        )
        yield _allow(["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn])


def _allow(actions: list[str], resources: list[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=resources)


def _render_exclusions(
    rollout: Rollout, *, scales: bool, reset_weights: bool
) -> list[sagemaker.CfnEndpoint.VariantPropertyProperty] | None:
    # A variant property that is not excluded keeps its value from before the update, whatever the
    # new configuration says (SageMaker API reference, UpdateEndpoint). It is kept for all variants
    # or for none: beside a scaled champion, the count of a challenger is kept too. The third type,
    # DataCaptureConfig, is "not currently supported" (same reference, VariantProperty).
    excluded = []
    if not scales:
        excluded.append("DesiredInstanceCount")
    if reset_weights or not isinstance(rollout, SplitRollout):
        excluded.append("DesiredWeight")
    return [
        sagemaker.CfnEndpoint.VariantPropertyProperty(variant_property_type=kind)
        for kind in excluded
    ] or None
