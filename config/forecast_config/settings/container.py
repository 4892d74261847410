"""What runs on the instances: the serving image, its server and the container's environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from forecast_config.images import serving_images
from forecast_config.settings.base import Settings
from forecast_config.settings.fields import Matching
from forecast_config.settings.ruling import all_refused, refused, rule
from forecast_config.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config.settings.ruling import Broken

MAX_VARIABLES = 100
"""Most variables of a container (SageMaker API, ContainerDefinition.Environment)."""

MAX_VARIABLE_BYTES = 1024
"""Most bytes of a variable's name and of its value (same place)."""

MAX_ENVIRONMENT_BYTES = 32 * 1024
"""Most bytes of all names and values together (same place)."""

LIBRARY_BYTES = 2 * 1024
"""Bytes of the environment kept for the variables that the library sets itself."""

_OWN = "is set by the library itself and cannot be overridden"
_CREDENTIAL = (
    "is a credential, which a template shows to everybody; give the execution role access instead"
)

RESERVED_VARIABLES = {
    "AWS_ACCESS_KEY_ID": _CREDENTIAL,
    "AWS_SECRET_ACCESS_KEY": _CREDENTIAL,
    "AWS_SESSION_TOKEN": _CREDENTIAL,
    "FORECAST_CODEC": f"{_OWN}; set serving.codec",
    "FORECAST_ENDPOINT_NAME": _OWN,
    "FORECAST_REQUEST_LOG": f"{_OWN}; set container.request_log",
    "FORECAST_VARIANT_NAME": _OWN,
    "OMP_NUM_THREADS": f"{_OWN}; set container.threads_per_worker",
    "PIP_NO_BUILD_ISOLATION": _OWN,
    "PIP_NO_INDEX": _OWN,
    "PYTHONPATH": f"{_OWN}, as the archive's code must be found first",
    "SAGEMAKER_BASE_DIR": _OWN,
    "SAGEMAKER_BIND_TO_PORT": _OWN,
    "SAGEMAKER_CONTAINER_LOG_LEVEL": _OWN,
    "SAGEMAKER_MODEL_SERVER_WORKERS": f"{_OWN}; set container.workers",
    "SAGEMAKER_PROGRAM": _OWN,
    "SAGEMAKER_REGION": _OWN,
    "SAGEMAKER_SERVING_MODULE": _OWN,
    "SAGEMAKER_SUBMIT_DIRECTORY": _OWN,
}
"""Variables that no configuration may set, and why or what to set instead."""

Architecture = Literal["x86_64", "arm64"]

PythonMinor = Annotated[
    str, Matching(r"^3\.1[1-4]$", "a Python from 3.11 to 3.14, quoted, such as '3.12'")
]


@rule("framework", "version")
def _version_is_published(framework: str, version: str) -> Iterator[Broken]:
    images = serving_images()
    if (framework, version) not in images:
        known = ", ".join(number for name, number in images if name == framework)
        yield ("version",), f"expected a {framework} image ({known}), got {shown(version)}"


@rule("framework", "server")
def _server_is_known(framework: str, server: str) -> Iterator[Broken]:
    # Which of its two serving paths the XGBoost image takes is not known.
    if server == "archive" and framework != "scikit-learn":
        yield ("server",), f"expected framework, as the {framework} image is not known to take more"


@rule("missing_libraries", "server")
def _nothing_is_installed(missing: str, server: str) -> Iterator[Broken]:
    if missing == "download" and server == "archive":
        yield ("server",), "expected framework, as nothing else installs what is missing"


class AwsImage(Settings):
    """One of AWS's framework images, held in AWS's account of the environment's region."""

    kind: Literal["aws"]
    """An AWS framework image."""

    framework: Literal["scikit-learn", "xgboost"]
    """The framework that the image is made for."""

    version: str
    """The image's version, such as 1.9-0."""

    missing_libraries: Literal["refuse", "vendor", "download"] = "refuse"
    """What becomes of a library that the image lacks: no deployment, its wheel travels in the
    archive, or the container installs it from a package index at every start."""

    server: Literal["framework", "archive"] = "framework"
    """What answers behind the image's nginx: its own Flask, or the archive's WSGI application,
    which starts in half the time and installs nothing."""

    allow_unpatched: bool = False
    """Whether the image may be deployed after AWS has stopped patching it."""

    rules = (_version_is_published, _server_is_known, _nothing_is_installed)


class OwnImage(Settings):
    """An image of the project's own, built by the CDK from the model's pinned libraries.

    It is built for the CPU of the instance type, and needs Docker where `cdk deploy` runs.
    """

    kind: Literal["own"]
    """An image built from the Dockerfile of this project."""

    python: PythonMinor
    """Python inside: that of the training keeps pickled code alive."""

    base_digest: (
        Annotated[str, Matching(r"^sha256:[0-9a-f]{64}$", "sha256: and 64 hexadecimal digits")]
        | None
    ) = None
    """Digest that pins the base image python:<version>-slim; null takes its tag."""


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

    architecture: Architecture | None = None
    """CPU that the image is made for, checked against the instance type; null checks nothing."""

    python: PythonMinor | None = None
    """Python inside, checked against code that was pickled; null checks nothing."""


Image = Annotated[AwsImage | OwnImage | EcrImage, Field(discriminator="kind")]


def _check_bytes(text: str) -> str:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_VARIABLE_BYTES:
        raise refused(f"expected at most {MAX_VARIABLE_BYTES} bytes, got {size}")
    return text


def _check_not_reserved(variable: str) -> str:
    if variable in RESERVED_VARIABLES:
        raise refused(RESERVED_VARIABLES[variable])
    return variable


def _check_total(variables: dict[str, str]) -> dict[str, str]:
    size = environment_bytes(variables)
    limit = MAX_ENVIRONMENT_BYTES - LIBRARY_BYTES
    if size > limit:
        message = f"expected at most {limit} bytes of names and values together, got {size}"
        raise all_refused([((), message)], variables)
    return variables


def environment_bytes(variables: dict[str, str]) -> int:
    """Bytes of all names and values, as SageMaker counts them."""
    return sum(
        len(text.encode("utf-8", "surrogatepass")) for pair in variables.items() for text in pair
    )


VariableName = Annotated[
    str,
    AfterValidator(_check_bytes),
    Matching(
        r"^[a-zA-Z_][a-zA-Z0-9_]*$",
        "a variable of letters, digits and underscores that does not start with a digit",
    ),
    AfterValidator(_check_not_reserved),
]

EnvironmentVariables = Annotated[
    dict[VariableName, Annotated[str, AfterValidator(_check_bytes)]],
    Field(max_length=MAX_VARIABLES - len(RESERVED_VARIABLES)),
    AfterValidator(_check_total),
]
"""Container environment; limits of ContainerDefinition.Environment in the SageMaker API."""


class ContainerSettings(Settings):
    """The model server inside the container."""

    workers: Annotated[int, Field(ge=1, le=256)] | None = None
    """Server processes, each with its own copy of the model; null: one for each vCPU (shared by
    threads_per_worker), as far as the memory goes."""

    threads_per_worker: Annotated[int, Field(ge=1, le=1024)] = 1
    """Threads that one prediction may use (OMP_NUM_THREADS); 1 is fastest for small requests."""

    request_log: Literal["all", "errors", "none"] = "all"
    """Which requests are logged; never their content."""

    environment: EnvironmentVariables = Field(default_factory=dict)
    """Further environment variables; no secrets, as the template shows them."""
