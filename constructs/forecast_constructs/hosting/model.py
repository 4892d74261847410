"""A packed model as SageMaker knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import AssetStaging, CfnDeletionPolicy, Stack
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from forecast_config.errors import ForecastError
from forecast_constructs.acknowledgements import acknowledge_checkov
from forecast_constructs.hosting.lineage import tag_lineage
from forecast_constructs.hosting.publishing import ModelSynthesizer
from forecast_constructs.storage.artifact_storage import MODELS_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forecast_config.packaged import PackagedModel
    from forecast_constructs.hosting.execution_role import ExecutionRole
    from forecast_constructs.hosting.network import Placement
    from forecast_constructs.hosting.serving_image import ContainerImage


class ForecastModel(Construct):
    """A model without a name of its own, made from an archive and an image.

    Every change makes a new model before the old one would go, which a fixed name would make
    impossible. The old one is kept (`UpdateReplacePolicy: Retain`): a rollout that SageMaker undoes
    by its alarms can leave the endpoint on it after CloudFormation has counted the update as done,
    and SageMaker neither patches nor scales an endpoint whose model is gone. Kept models and
    endpoint configurations cost nothing.

    Attributes:
        model_name: Name that AWS gave to the model.
        model_data_uri: `s3://` address of the archive, or the prefix of its files, which changes
            with the content only.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        packaged_model: PackagedModel,
        image: ContainerImage,
        environment: Mapping[str, str],
        execution_role: ExecutionRole,
        network_isolation: bool,
        placement: Placement | None = None,
        outlives_stack: bool = False,
    ) -> None:
        """Define the model.

        Args:
            scope: Its stack's synthesizer must publish files under `models/`.
            construct_id: Id of the construct.
            packaged_model: The archive and its lineage.
            image: The serving image.
            environment: Variables of the container, laid over those of the image.
            execution_role: The role; it must be allowed to read the archive.
            network_isolation: Whether the container is cut off from every network.
            placement: Where in a VPC the container runs; default: in no VPC.
            outlives_stack: Whether it is kept when it leaves the stack. A challenger leaves with
                the update that ends the comparison, which can still be undone after that.

        Raises:
            ForecastError: The stack publishes its files elsewhere.
        """
        super().__init__(scope, construct_id)
        self.model_data_uri = self._publish(packaged_model)
        resource = sagemaker.CfnModel(
            self,
            "Resource",
            execution_role_arn=execution_role.role.role_arn,
            enable_network_isolation=network_isolation,
            primary_container=self._render_container(image, environment),
            vpc_config=None if placement is None else placement.render_vpc_config(),
        )
        resource.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN
        resource.cfn_options.deletion_policy = (
            # Not on a creation that fails, of which nothing can be undone any more.
            CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE
            if outlives_stack
            else CfnDeletionPolicy.DELETE
        )
        resource.node.add_dependency(execution_role.policy)
        if not network_isolation:
            acknowledge_checkov(
                resource,
                (
                    "CKV_AWS_370",
                    "the settings leave the container a network; a serverless one has no other",
                ),
            )
        tag_lineage(resource, packaged_model)
        self.model_name = resource.attr_model_name

    def _publish(self, packaged_model: PackagedModel) -> str:
        if packaged_model.files is None:
            return self._publish_archive(packaged_model)
        return self._publish_files(packaged_model, packaged_model.files)

    def _publish_archive(self, packaged_model: PackagedModel) -> str:
        asset = assets.Asset(
            self,
            "Archive",
            path=str(packaged_model.archive),
            display_name=_shown(packaged_model),
            # The file's own hash would change with the zlib that compressed it.
            asset_hash=packaged_model.archive_digest.removeprefix("sha256:"),
        )
        if not asset.s3_object_key.startswith(MODELS_PREFIX):
            raise ForecastError(
                f"expected a stack whose synthesizer has the bucket prefix '{MODELS_PREFIX}', "
                f"got one that publishes to '{asset.s3_object_key}'"
            )
        return asset.s3_object_url

    def _publish_files(self, packaged_model: PackagedModel, folder: Path) -> str:
        """Publish the files under a prefix named after the archive's content, which nobody shares.

        SageMaker fetches every object under the prefix (S3ModelDataSource of the API reference).
        """
        synthesizer = Stack.of(self).synthesizer
        if not isinstance(synthesizer, ModelSynthesizer):
            raise ForecastError(
                "expected a stack with a ModelSynthesizer, which publishes files by name, got one "
                f"with a {type(synthesizer).__name__}"
            )
        digest = packaged_model.archive_digest.removeprefix("sha256:")
        staging = AssetStaging(self, "Files", source_path=str(folder), asset_hash=digest)
        staged = staging.relative_staged_path(Stack.of(self))
        names = sorted(
            file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()
        )
        for name in names:
            bucket = synthesizer.add_named_file(
                f"{digest}/{name}",
                staged=f"{staged}/{name}",
                shown=f"{_shown(packaged_model)}: {name}",
            )
        return f"s3://{bucket}/{MODELS_PREFIX}{digest}/"

    def _render_container(
        self, image: ContainerImage, environment: Mapping[str, str]
    ) -> sagemaker.CfnModel.ContainerDefinitionProperty:
        return sagemaker.CfnModel.ContainerDefinitionProperty(
            image=image.image_uri,
            environment={**image.image_environment, **environment},
            model_data_source=sagemaker.CfnModel.ModelDataSourceProperty(
                s3_data_source=self._render_model_data()
            ),
        )

    def _render_model_data(self) -> sagemaker.CfnModel.S3DataSourceProperty:
        by_files = self.model_data_uri.endswith("/")
        return sagemaker.CfnModel.S3DataSourceProperty(
            s3_uri=self.model_data_uri,
            s3_data_type="S3Prefix" if by_files else "S3Object",
            compression_type="None" if by_files else "Gzip",
        )


def _shown(packaged_model: PackagedModel) -> str:
    return f"model {packaged_model.model.name} {packaged_model.model.version}"
