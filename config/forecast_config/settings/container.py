"""What runs on the instances: the serving image and the container's environment."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from forecast_config.images import serving_images
from forecast_config.settings.base import Settings, broken_rule

RESERVED_VARIABLES = frozenset(
    {"SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY", "PIP_NO_INDEX", "PIP_NO_BUILD_ISOLATION"}
)
"""Variables that the model construct sets itself, so that the image finds the archive's code."""


class AwsImage(Settings):
    """One of AWS's framework images, held in AWS's account of the environment's region."""

    kind: Literal["aws"]
    """An AWS framework image."""

    framework: Literal["scikit-learn", "xgboost"]
    """The framework that the image is made for."""

    version: str
    """The image's version, such as 1.9-0."""

    allow_downloads: bool = False
    """Whether the container may install missing requirements from a package index at start."""

    @model_validator(mode="after")
    def _check_version(self) -> Self:
        images = serving_images()
        if (self.framework, self.version) not in images:
            known = ", ".join(v for f, v in images if f == self.framework)
            raise broken_rule(
                "version", f"expected a {self.framework} image ({known}), got '{self.version}'"
            )
        return self


class EcrImage(Settings):
    """Any image in Amazon ECR that follows SageMaker's container contract."""

    kind: Literal["ecr"]
    """An image by its URI."""

    uri: Annotated[
        str,
        StringConstraints(
            pattern=r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.[a-z0-9.]+/[a-z0-9._/-]+(:[\w.-]+|@sha256:[0-9a-f]{64})$"
        ),
    ]
    """Full URI with a tag or a digest: account.dkr.ecr.region.amazonaws.com/repository:tag."""


Image = Annotated[AwsImage | EcrImage, Field(discriminator="kind")]


def _check_reserved(variables: dict[str, str]) -> dict[str, str]:
    reserved = sorted(RESERVED_VARIABLES & variables.keys())
    if reserved:
        raise broken_rule(reserved[0], "is set by the library itself and cannot be overridden")
    return variables


EnvironmentVariables = Annotated[
    dict[
        Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=1024)],
        Annotated[str, StringConstraints(max_length=1024)],
    ],
    # Five of the hundred that ContainerDefinition.Environment takes are left to the library.
    Field(max_length=95),
    AfterValidator(_check_reserved),
]
"""Container environment; limits of ContainerDefinition.Environment in the SageMaker API."""
