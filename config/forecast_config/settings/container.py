"""What runs on the instances: the serving image and the container's environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from forecast_config.images import serving_images
from forecast_config.settings.base import Settings
from forecast_config.settings.fields import Matching
from forecast_config.settings.ruling import refused, rule
from forecast_config.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config.settings.ruling import Broken

RESERVED_VARIABLES = frozenset(
    {"SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY", "PIP_NO_INDEX", "PIP_NO_BUILD_ISOLATION"}
)
"""Variables that the model construct sets itself, so that the image finds the archive's code."""


@rule("framework", "version")
def _version_is_published(framework: str, version: str) -> Iterator[Broken]:
    images = serving_images()
    if (framework, version) not in images:
        known = ", ".join(number for name, number in images if name == framework)
        yield ("version",), f"expected a {framework} image ({known}), got {shown(version)}"


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

    rules = (_version_is_published,)


class EcrImage(Settings):
    """Any image in Amazon ECR that follows SageMaker's container contract."""

    kind: Literal["ecr"]
    """An image by its URI."""

    uri: Annotated[
        str,
        Matching(
            r"^[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.[a-z0-9.-]+/[a-z0-9._/-]+"
            r"(:[A-Za-z0-9_.-]+|@sha256:[0-9a-f]{64})$",
            "an image in Amazon ECR with a tag or a digest, "
            "such as 111111111111.dkr.ecr.eu-central-1.amazonaws.com/forecaster:1",
        ),
    ]
    """Full URI with a tag or a digest: account.dkr.ecr.region.amazonaws.com/repository:tag."""


Image = Annotated[AwsImage | EcrImage, Field(discriminator="kind")]


def _check_not_reserved(variable: str) -> str:
    if variable in RESERVED_VARIABLES:
        raise refused("is set by the library itself and cannot be overridden")
    return variable


VariableName = Annotated[
    str,
    StringConstraints(max_length=1024),
    Matching(
        r"^[a-zA-Z_][a-zA-Z0-9_]*$",
        "a variable of letters, digits and underscores that does not start with a digit",
    ),
    AfterValidator(_check_not_reserved),
]

EnvironmentVariables = Annotated[
    dict[VariableName, Annotated[str, StringConstraints(max_length=1024)]],
    # Five of the hundred that ContainerDefinition.Environment takes are left to the library.
    Field(max_length=95),
]
"""Container environment; limits of ContainerDefinition.Environment in the SageMaker API."""
