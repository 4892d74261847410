"""What an endpoint runs: a model on instances, and which of its traffic is captured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnDeletionPolicy
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from forecast_config.instances import has_local_storage, is_listed_by_api
from forecast_constructs.acknowledgements import acknowledge_template_rule
from forecast_constructs.hosting.lineage import tag_lineage
from forecast_constructs.storage.artifact_storage import DATA_CAPTURE_PREFIX

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3

    from forecast_config.packaged import PackagedModel
    from forecast_config.settings import DataCaptureSettings, RealtimeEndpoint
    from forecast_config.sizing import ContainerSize
    from forecast_constructs.hosting.model import ForecastModel


class EndpointConfiguration(Construct):
    """An endpoint configuration without a name of its own, with one production variant.

    It is replaced by every change and the old one is kept, for the reasons given at
    `ForecastModel`.

    Attributes:
        endpoint_config_name: Name that AWS gave to it.
        encrypts_volumes: Whether the instances' volumes are encrypted with the key; NVMe storage
            is encrypted by the hardware, and the key does not apply to it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        model: ForecastModel,
        packaged_model: PackagedModel,
        endpoint: RealtimeEndpoint,
        size: ContainerSize,
        encryption_key: kms.IKey,
        bucket: s3.IBucket,
        data_capture: DataCaptureSettings | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.encrypts_volumes = not has_local_storage(endpoint.instance_type)
        resource = sagemaker.CfnEndpointConfig(
            self,
            "Resource",
            production_variants=[_render_variant(model, endpoint, size)],
            kms_key_id=encryption_key.key_arn if self.encrypts_volumes else None,
            data_capture_config=(
                None
                if data_capture is None
                else _render_data_capture(data_capture, bucket, encryption_key)
            ),
        )
        resource.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN
        resource.cfn_options.deletion_policy = CfnDeletionPolicy.DELETE
        if not is_listed_by_api(endpoint.instance_type):
            acknowledge_template_rule(
                resource, "W3030", "AWS's price list names the type for hosting, its API does not"
            )
        tag_lineage(resource, packaged_model)
        self.endpoint_config_name = resource.attr_endpoint_config_name


def _render_variant(
    model: ForecastModel, endpoint: RealtimeEndpoint, size: ContainerSize
) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
    return sagemaker.CfnEndpointConfig.ProductionVariantProperty(
        variant_name=endpoint.variant_name,
        model_name=model.model_name,
        instance_type=endpoint.instance_type,
        initial_instance_count=endpoint.initial_instance_count,
        initial_variant_weight=1,
        container_startup_health_check_timeout_in_seconds=size.startup_timeout_seconds,
        model_data_download_timeout_in_seconds=size.download_timeout_seconds,
        volume_size_in_gb=size.volume_size_gb,
    )


def _render_data_capture(
    settings: DataCaptureSettings, bucket: s3.IBucket, encryption_key: kms.IKey
) -> sagemaker.CfnEndpointConfig.DataCaptureConfigProperty:
    return sagemaker.CfnEndpointConfig.DataCaptureConfigProperty(
        enable_capture=True,
        initial_sampling_percentage=settings.sampling_percent,
        destination_s3_uri=bucket.s3_url_for_object(DATA_CAPTURE_PREFIX.rstrip("/")),
        kms_key_id=encryption_key.key_arn,
        capture_options=[
            sagemaker.CfnEndpointConfig.CaptureOptionProperty(capture_mode=mode)
            for mode in ("Input", "Output")
        ],
        # Other content types are captured in Base64, which nobody can read in a log.
        capture_content_type_header=sagemaker.CfnEndpointConfig.CaptureContentTypeHeaderProperty(
            json_content_types=["application/json"], csv_content_types=["text/csv"]
        ),
    )
