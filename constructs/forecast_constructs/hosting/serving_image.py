"""The container image that serves a model, and the environment that it is started with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from aws_cdk import Aws, Stack
from aws_cdk import aws_ecr_assets as ecr_assets

from forecast_config.errors import ForecastError
from forecast_config.images import registry_accounts, serving_images
from forecast_config.settings import AsyncEndpoint, AwsImage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from constructs import Construct

    from forecast_config.settings import EcrImage, Endpoint, EnvironmentSettings
    from forecast_config.sizing import ContainerSize

CODE_FOLDER = "/opt/ml/model/code"
"""Where a container finds the archive's code."""

ASYNC_TIMEOUT_SECONDS = 3600
"""Longest that SageMaker waits for an asynchronous answer."""


@dataclass(frozen=True)
class ContainerImage:
    """An image in Amazon ECR.

    Attributes:
        image_uri: What a model's container is started from.
        repository_arn: The repository that the execution role must be allowed to pull from.
        image_environment: Variables that the image needs to find and run the archive's code.
    """

    image_uri: str
    repository_arn: str
    image_environment: Mapping[str, str]

    @classmethod
    def from_settings(cls, scope: Construct, settings: AwsImage | EcrImage) -> Self:
        """The image that the settings name, in the region of the scope's stack.

        Raises:
            ForecastError: AWS publishes no such image in the stack's region.
        """
        if isinstance(settings, AwsImage):
            return cls._from_aws(Stack.of(scope), settings)
        return cls.from_uri(scope, settings.uri)

    @classmethod
    def from_folder(
        cls, scope: Construct, folder: Path | None, *, arm: bool, asset_id: str = "ServingImage"
    ) -> Self:
        """An image that the CDK builds and publishes to the bootstrap's repository.

        Args:
            scope: What the image becomes an asset of.
            folder: The build context.
            arm: Whether it is built for Arm CPUs (Graviton), otherwise for x86.
            asset_id: Id of the asset; a second image in one scope needs another.

        Raises:
            ForecastError: There is no folder.
        """
        if folder is None:
            raise ForecastError(
                "an image of kind own is built from a folder, got none: package the model first"
            )
        platforms = ecr_assets.Platform
        asset = ecr_assets.DockerImageAsset(
            scope,
            asset_id,
            directory=str(folder),
            platform=platforms.LINUX_ARM64 if arm else platforms.LINUX_AMD64,
        )
        # Its server starts from the archive itself and needs none of the variables of AWS's images.
        return cls(
            image_uri=asset.image_uri,
            repository_arn=asset.repository.repository_arn,
            image_environment={},
        )

    @classmethod
    def from_uri(cls, scope: Construct, uri: str) -> Self:
        """An image in Amazon ECR by its URI, which holds account and region."""
        stack = Stack.of(scope)
        registry, _, path = uri.partition("/")
        account, _, _, region, *_ = registry.split(".")
        repository = re.split("[:@]", path)[0]
        return cls(
            image_uri=uri,
            repository_arn=_repository_arn(stack, region, account, repository),
            image_environment=_script_environment(stack.region),
        )

    @classmethod
    def _from_aws(cls, stack: Stack, settings: AwsImage) -> Self:
        image = serving_images()[settings.framework, settings.version]
        account = registry_accounts().get(stack.region)
        if account is None:
            raise ForecastError(
                f"AWS publishes no {settings.framework} image in {stack.region}; "
                f"expected one of: {', '.join(registry_accounts())}"
            )
        registry = f"{account}.dkr.ecr.{stack.region}.{Aws.URL_SUFFIX}"
        return cls(
            image_uri=f"{registry}/{image.repository}:{image.tag}",
            repository_arn=_repository_arn(stack, stack.region, account, image.repository),
            image_environment=_framework_environment(settings, stack.region),
        )


def server_environment(
    settings: EnvironmentSettings, size: ContainerSize, variant_name: str | None = None
) -> dict[str, str]:
    """Variables that the server inside any image is told its size and its names by.

    Args:
        settings: The environment.
        size: What follows from the model and the capacity.
        variant_name: The variant that it serves; default: the champion's.
    """
    return {
        "FORECAST_ENDPOINT_NAME": settings.endpoint.name,
        "FORECAST_REQUEST_LOG": settings.container.request_log,
        "FORECAST_VARIANT_NAME": (
            settings.endpoint.variant_name if variant_name is None else variant_name
        ),
        # Every worker would otherwise start as many threads as there are cores.
        "OMP_NUM_THREADS": str(size.threads_per_worker),
        "SAGEMAKER_MODEL_SERVER_WORKERS": str(size.workers),
        **_time_limit(settings.endpoint),
        **settings.container.environment,
    }


def _time_limit(endpoint: Endpoint) -> dict[str, str]:
    # The framework images give up after 60 seconds (aws/sagemaker-containers), as SageMaker does
    # itself; it waits for an asynchronous answer for up to an hour (SageMaker API reference,
    # InvokeEndpointAsync, InvocationTimeoutSeconds).
    if isinstance(endpoint, AsyncEndpoint):
        return {"SAGEMAKER_MODEL_SERVER_TIMEOUT": str(ASYNC_TIMEOUT_SECONDS)}
    return {}


def _repository_arn(stack: Stack, region: str, account: str, repository: str) -> str:
    return f"arn:{stack.partition}:ecr:{region}:{account}:repository/{repository}"


def _script_environment(region: str) -> dict[str, str]:
    return {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": CODE_FOLDER,
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_REGION": region,
    }


def _framework_environment(settings: AwsImage, region: str) -> dict[str, str]:
    script = _script_environment(region)
    if settings.server == "archive":
        del script["SAGEMAKER_PROGRAM"], script["SAGEMAKER_SUBMIT_DIRECTORY"]
        # Without a program the image neither installs nor imports anything of its own accord.
        return {
            **script,
            "PYTHONPATH": CODE_FOLDER,
            "SAGEMAKER_SERVING_MODULE": "forecast_inference.server.wsgi:application",
        }
    # The images run `pip install` on the archive's code at every start. Without build isolation,
    # which pip switches off by the value 0, that works with no package index in reach.
    script["PIP_NO_BUILD_ISOLATION"] = "0"
    if settings.missing_libraries != "download":
        script["PIP_NO_INDEX"] = "1"
    return script
