"""A packed model's archive, or its files, where SageMaker fetches them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import AssetStaging, Stack
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sagemaker as sagemaker

from forecast_config.errors import ForecastError
from forecast_constructs.hosting.publishing import ModelSynthesizer
from forecast_constructs.storage.artifact_storage import MODELS_PREFIX

if TYPE_CHECKING:
    from pathlib import Path

    from constructs import Construct

    from forecast_config.packaged import PackagedModel


@dataclass(frozen=True)
class ModelData:
    """What a container is made from.

    Attributes:
        uri: `s3://` address of the archive, or the prefix of its files, which changes with the
            content only.
        by_url: Whether it is named by `ModelDataUrl`, which a serverless endpoint needs.
    """

    uri: str
    by_url: bool = False

    def render(self) -> dict[str, Any]:
        """The keyword of a container definition that names it."""
        if self.by_url:
            return {"model_data_url": self.uri}
        by_files = self.uri.endswith("/")
        source = sagemaker.CfnModel.S3DataSourceProperty(
            s3_uri=self.uri,
            s3_data_type="S3Prefix" if by_files else "S3Object",
            compression_type="None" if by_files else "Gzip",
        )
        return {
            "model_data_source": sagemaker.CfnModel.ModelDataSourceProperty(s3_data_source=source)
        }


def publish_model_data(
    scope: Construct, packaged_model: PackagedModel, *, serverless: bool
) -> ModelData:
    """Publish a packed model below `models/` of the stack's bucket.

    A serverless endpoint knows no `ModelDataSource` (SageMaker API reference,
    ContainerDefinition), and the address in `ModelDataUrl` ends with `.tar.gz`, which that of a
    CDK asset does not (aws/aws-cdk#30257).

    Args:
        scope: The parent of what is staged.
        packaged_model: The archive, or its files.
        serverless: Whether a serverless endpoint serves it.

    Raises:
        ForecastError: The stack publishes its files elsewhere.
    """
    if serverless:
        return ModelData(_publish_by_name(scope, packaged_model), by_url=True)
    if packaged_model.files is None:
        return ModelData(_publish_archive(scope, packaged_model))
    return ModelData(_publish_files(scope, packaged_model, packaged_model.files))


def _publish_archive(scope: Construct, packaged_model: PackagedModel) -> str:
    asset = assets.Asset(
        scope,
        "Archive",
        path=str(packaged_model.archive),
        display_name=_shown(packaged_model),
        # The file's own hash would change with the zlib that compressed it.
        asset_hash=_digest(packaged_model),
    )
    if not asset.s3_object_key.startswith(MODELS_PREFIX):
        raise ForecastError(
            f"expected a stack whose synthesizer has the bucket prefix '{MODELS_PREFIX}', "
            f"got one that publishes to '{asset.s3_object_key}'"
        )
    return asset.s3_object_url


def _publish_by_name(scope: Construct, packaged_model: PackagedModel) -> str:
    digest = _digest(packaged_model)
    staging = AssetStaging(
        scope, "Archive", source_path=str(packaged_model.archive), asset_hash=digest
    )
    name = f"{digest}/model.tar.gz"
    bucket = _synthesizer(scope).add_named_file(
        name,
        staged=staging.relative_staged_path(Stack.of(scope)),
        shown=_shown(packaged_model),
    )
    return f"s3://{bucket}/{MODELS_PREFIX}{name}"


def _publish_files(scope: Construct, packaged_model: PackagedModel, folder: Path) -> str:
    """Publish the files under a prefix named after the archive's content, which nobody shares.

    SageMaker fetches every object under the prefix (S3ModelDataSource of the API reference).
    """
    synthesizer, digest = _synthesizer(scope), _digest(packaged_model)
    staging = AssetStaging(scope, "Files", source_path=str(folder), asset_hash=digest)
    staged = staging.relative_staged_path(Stack.of(scope))
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


def _synthesizer(scope: Construct) -> ModelSynthesizer:
    synthesizer = Stack.of(scope).synthesizer
    if not isinstance(synthesizer, ModelSynthesizer):
        raise ForecastError(
            "expected a stack with a ModelSynthesizer, which publishes files by name, got one "
            f"with a {type(synthesizer).__name__}"
        )
    return synthesizer


def _digest(packaged_model: PackagedModel) -> str:
    return packaged_model.archive_digest.removeprefix("sha256:")


def _shown(packaged_model: PackagedModel) -> str:
    return f"model {packaged_model.model.name} {packaged_model.model.version}"
