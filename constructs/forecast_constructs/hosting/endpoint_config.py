"""What an endpoint runs: models on capacity, and what becomes of requests and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnDeletionPolicy
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from forecast_config.errors import ForecastError
from forecast_config.instances import has_local_storage, is_listed_by_api
from forecast_config.settings import AsyncEndpoint, RealtimeEndpoint
from forecast_constructs.acknowledgements import acknowledge, acknowledge_template_rule
from forecast_constructs.hosting.lineage import tag_challenger, tag_lineage
from forecast_constructs.hosting.variants import check_variants, production_variants
from forecast_constructs.storage.artifact_storage import (
    ASYNC_ANSWERS_PREFIX,
    ASYNC_FAILURES_PREFIX,
    DATA_CAPTURE_PREFIX,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3

    from forecast_config.settings import DataCaptureSettings, Endpoint
    from forecast_constructs.hosting.async_topics import AsyncTopics
    from forecast_constructs.hosting.variants import Variant

_KEY_RULE = "SageMakerEndpointConfigurationKMSKeyConfigured"


class EndpointConfiguration(Construct):
    """An endpoint configuration without a name of its own.

    It is replaced by every change and the old one is kept, for the reasons given at
    `ForecastModel`.

    Attributes:
        endpoint_config_name: Name that AWS gave to it.
        endpoint_config_arn: Its ARN.
        encrypts_volumes: Whether the instances' volumes are encrypted with the key. NVMe storage
            is encrypted by the hardware, and the key does not apply to it; a serverless endpoint
            has no volume that a key could be given for.
        bucket: Where requests and answers are kept.
        encryption_key: What they are encrypted with.
        start_seconds: The longest that an instance may take to fetch the model and to answer its
            first ping; 0 for a serverless endpoint.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: Endpoint,
        variants: Sequence[Variant],
        encryption_key: kms.IKey,
        bucket: s3.IBucket,
        data_capture: DataCaptureSettings | None = None,
        async_topics: AsyncTopics | None = None,
    ) -> None:
        """Define the configuration.

        Args:
            scope: The parent.
            construct_id: Id of the construct.
            endpoint: The mode that the endpoint serves in.
            variants: What it serves, the champion first.
            encryption_key: Encrypts volumes, captures and asynchronous answers.
            bucket: Takes captures and asynchronous answers, below prefixes of their own.
            data_capture: Which requests are kept, with the answers of every variant, that of a
                shadow too; default: none.
            async_topics: Where an asynchronous endpoint says that it is done; needed there only.

        Raises:
            ForecastError: Champion and challenger differ in how their storage is encrypted.
            ValueError: SageMaker hosts no such variants, or the mode has no data capture or no
                topics.
        """
        super().__init__(scope, construct_id)
        check_variants(variants, endpoint)
        _check_mode(endpoint, data_capture, async_topics)
        self.encrypts_volumes = _encrypts_volumes(variants)
        self.bucket = bucket
        self.encryption_key = encryption_key
        self.start_seconds = max(
            (variant.size.start_seconds for variant in variants if variant.size is not None),
            default=0,
        )
        shadows = [variant.render(endpoint) for variant in variants if variant.shadow]
        resource = sagemaker.CfnEndpointConfig(
            self,
            "Resource",
            production_variants=[
                variant.render(endpoint) for variant in production_variants(variants)
            ],
            shadow_production_variants=shadows or None,
            kms_key_id=encryption_key.key_arn if self.encrypts_volumes else None,
            data_capture_config=self._render_data_capture(data_capture),
            async_inference_config=self._render_async(endpoint, async_topics),
        )
        resource.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN
        resource.cfn_options.deletion_policy = CfnDeletionPolicy.DELETE
        self._acknowledge(resource, variants, queued=async_topics is not None)
        champion, *challengers = variants
        tag_lineage(resource, champion.packaged_model)
        for challenger in challengers:
            tag_challenger(resource, challenger.packaged_model)
        self.endpoint_config_name = resource.attr_endpoint_config_name
        self.endpoint_config_arn = resource.ref

    def _acknowledge(
        self,
        resource: sagemaker.CfnEndpointConfig,
        variants: Sequence[Variant],
        *,
        queued: bool,
    ) -> None:
        types = [each.instance_type for each in variants if each.instance_type is not None]
        if not all(is_listed_by_api(instance_type) for instance_type in types):
            acknowledge_template_rule(
                resource, "W3030", "AWS's price list names the type for hosting, its API does not"
            )
        counts = [each.initial_instance_count for each in production_variants(variants)]
        if 1 in counts and not queued:
            acknowledge_template_rule(
                resource,
                "FC-ENDPOINT-012",
                "the settings ask for one instance; environments other than dev are warned by name",
            )
        if not self.encrypts_volumes:
            acknowledge(
                resource,
                _KEY_RULE,
                "the instances' disks are encrypted by their hardware, to which no key applies"
                if types
                else "a serverless endpoint has no volume that a key could be given for",
            )

    def _render_data_capture(
        self, settings: DataCaptureSettings | None
    ) -> sagemaker.CfnEndpointConfig.DataCaptureConfigProperty | None:
        if settings is None:
            return None
        config = sagemaker.CfnEndpointConfig
        return config.DataCaptureConfigProperty(
            enable_capture=True,
            initial_sampling_percentage=settings.sampling_percent,
            # SageMaker goes on with endpoint, variant and hour (developer guide, "Data capture").
            destination_s3_uri=self._location(DATA_CAPTURE_PREFIX),
            kms_key_id=self.encryption_key.key_arn,
            capture_options=[
                config.CaptureOptionProperty(capture_mode=mode) for mode in ("Input", "Output")
            ],
            # Other content types are captured in Base64, which nobody can read in a log.
            capture_content_type_header=config.CaptureContentTypeHeaderProperty(
                json_content_types=["application/json"], csv_content_types=["text/csv"]
            ),
        )

    def _render_async(
        self, endpoint: Endpoint, topics: AsyncTopics | None
    ) -> sagemaker.CfnEndpointConfig.AsyncInferenceConfigProperty | None:
        if not isinstance(endpoint, AsyncEndpoint) or topics is None:
            return None
        config = sagemaker.CfnEndpointConfig
        concurrent = endpoint.max_concurrent_invocations_per_instance
        return config.AsyncInferenceConfigProperty(
            client_config=(
                None
                if concurrent is None
                else config.AsyncInferenceClientConfigProperty(
                    max_concurrent_invocations_per_instance=concurrent
                )
            ),
            output_config=config.AsyncInferenceOutputConfigProperty(
                s3_output_path=self._location(ASYNC_ANSWERS_PREFIX),
                s3_failure_path=self._location(ASYNC_FAILURES_PREFIX),
                kms_key_id=self.encryption_key.key_arn,
                notification_config=config.AsyncInferenceNotificationConfigProperty(
                    success_topic=topics.success_topic_arn, error_topic=topics.error_topic_arn
                ),
            ),
        )

    def _location(self, prefix: str) -> str:
        return self.bucket.s3_url_for_object(prefix.rstrip("/"))


def _check_mode(
    endpoint: Endpoint, data_capture: DataCaptureSettings | None, topics: AsyncTopics | None
) -> None:
    # Developer guide, "Data capture" (real-time endpoints and batch jobs).
    if data_capture is not None and not isinstance(endpoint, RealtimeEndpoint):
        raise ValueError(f"expected data capture on a realtime endpoint only, got {endpoint.kind}")
    if isinstance(endpoint, AsyncEndpoint) is (topics is None):
        got = "none" if topics is None else "topics"
        raise ValueError(
            f"expected topics for an asynchronous endpoint and no other, got {got} for "
            f"{endpoint.kind}"
        )


def _encrypts_volumes(variants: Sequence[Variant]) -> bool:
    types = [each.instance_type for each in variants if each.instance_type is not None]
    hardware = {has_local_storage(instance_type) for instance_type in types}
    # One KmsKeyId holds for all variants, and SageMaker refuses it, or did, for NVMe storage.
    if len(hardware) > 1:
        raise ForecastError(
            "expected instance types that all have disks of their own or all have volumes, as one "
            f"key holds for both, got {' and '.join(types)}; give the challenger another type"
        )
    return hardware == {False}
