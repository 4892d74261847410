"""The container image that serves a model, and the environment that it is started with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from aws_cdk import Aws, Stack

from forecast_config.errors import ForecastError
from forecast_config.images import registry_accounts, serving_images
from forecast_config.settings import AwsImage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from forecast_config.settings import EcrImage


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
        stack = Stack.of(scope)
        if isinstance(settings, AwsImage):
            return cls._from_aws(stack, settings)
        registry, _, path = settings.uri.partition("/")
        account, _, _, region, *_ = registry.split(".")
        repository = re.split("[:@]", path)[0]
        return cls(
            image_uri=settings.uri,
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
            image_environment={
                **_script_environment(stack.region),
                **_pip_environment(allow_downloads=settings.allow_downloads),
            },
        )


def _repository_arn(stack: Stack, region: str, account: str, repository: str) -> str:
    return f"arn:{stack.partition}:ecr:{region}:{account}:repository/{repository}"


def _script_environment(region: str) -> dict[str, str]:
    return {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_REGION": region,
        # Every worker would otherwise start as many threads as there are cores.
        "OMP_NUM_THREADS": "1",
    }


def _pip_environment(*, allow_downloads: bool) -> dict[str, str]:
    # The images run `pip install` on the archive's code at every start. Without build isolation,
    # which pip switches off by the value 0, that works with no package index in reach.
    environment = {"PIP_NO_BUILD_ISOLATION": "0"}
    if not allow_downloads:
        environment["PIP_NO_INDEX"] = "1"
    return environment
