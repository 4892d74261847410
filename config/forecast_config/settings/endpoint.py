"""What serves: the endpoint, by the mode that it serves in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from forecast_config.instances import known_instance_types
from forecast_config.settings.base import Settings
from forecast_config.settings.fields import InstanceCount, Matching, RetentionDays
from forecast_config.settings.ruling import refused, rule
from forecast_config.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config.settings.ruling import Broken

Name = Annotated[
    str,
    Field(max_length=63),
    Matching(
        r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$",
        "letters, digits and hyphens, with a letter or digit at both ends",
    ),
]
"""Name of an endpoint or a variant (SageMaker API reference, CreateEndpointConfig)."""


def _check_instance_type(instance_type: str) -> str:
    if instance_type not in known_instance_types():
        raise refused(
            "expected a SageMaker hosting instance type such as ml.m5.large, "
            f"got {shown(instance_type)}"
        )
    return instance_type


InstanceType = Annotated[str, AfterValidator(_check_instance_type)]
"""A type that SageMaker hosts on, such as ml.m5.large."""


class _Endpoint(Settings):
    """What every endpoint has."""

    name: Name
    """The fixed name clients call; at most 63 characters, never carrying a model version."""

    variant_name: Name = "AllTraffic"
    """Name of the production variant; it must stay the same from deployment to deployment."""


class _InstanceEndpoint(_Endpoint):
    """What every endpoint on instances of its own has."""

    instance_type: InstanceType
    """Instance type, such as ml.m5.large."""

    initial_instance_count: InstanceCount = 1
    """Instances at the first deployment; later deployments keep the scaled-out count."""

    startup_timeout_seconds: Annotated[int, Field(ge=60, le=3600)] | None = None
    """Time the container has to answer its first ping (60 to 3600); null: by the model's size."""

    download_timeout_seconds: Annotated[int, Field(ge=60, le=3600)] | None = None
    """Time an instance has to fetch and unpack the model (60 to 3600); null: by its size."""

    volume_size_gb: Annotated[int, Field(ge=1, le=512)] | None = None
    """Storage of an instance without NVMe disks (1 to 512); null: by the model's size."""


class RealtimeEndpoint(_InstanceEndpoint):
    """Instances that answer within 60 seconds."""

    kind: Literal["realtime"]
    """Instances that are always there."""


class AsyncEndpoint(_InstanceEndpoint):
    """Instances that work off a queue, put answers into the bucket, and may scale to zero."""

    kind: Literal["async"]
    """Requests and answers by way of Amazon S3, up to an hour each."""

    max_concurrent_invocations_per_instance: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Requests that an instance works on at once (1 to 1000); null: SageMaker chooses."""

    answer_retention_days: RetentionDays = 7
    """Days after which requests and answers are deleted from the bucket."""


@rule("initial", "minimum", "maximum")
def _warm_requests_are_in_order(initial: int, minimum: int, maximum: int) -> Iterator[Broken]:
    if minimum > maximum:
        yield ("maximum",), f"expected at least minimum ({minimum}), got {maximum}"
    elif not minimum <= initial <= maximum:
        yield (
            ("initial",),
            f"expected from minimum ({minimum}) to maximum ({maximum}), got {initial}",
        )


class ProvisionedConcurrency(Settings):
    """Requests that a serverless endpoint is kept warm for."""

    initial: Annotated[int, Field(ge=1, le=200)] = 1
    """Warm requests at the first deployment."""

    minimum: Annotated[int, Field(ge=1, le=200)] = 1
    """Fewest warm requests."""

    maximum: Annotated[int, Field(ge=1, le=200)]
    """Most warm requests; equal to the minimum, they do not scale."""

    utilization_percent: Annotated[float, Field(ge=10, le=90)] = 70
    """Share of the warm requests in use that scaling keeps (10 to 90)."""

    rules = (_warm_requests_are_in_order,)


@rule("max_concurrency", "provisioned_concurrency.maximum")
def _warm_requests_are_admitted(max_concurrency: int, maximum: int) -> Iterator[Broken]:
    # SageMaker API reference, ProductionVariantServerlessConfig.
    if maximum > max_concurrency:
        yield (
            ("provisioned_concurrency", "maximum"),
            f"expected at most max_concurrency ({max_concurrency}), got {maximum}",
        )


class ServerlessEndpoint(_Endpoint):
    """Capacity that comes with the requests: no instances, no VPC, no data capture."""

    kind: Literal["serverless"]
    """No instances to choose or to scale."""

    memory_mib: Literal[1024, 2048, 3072, 4096, 5120, 6144]
    """Memory of a container; its CPU grows with it."""

    max_concurrency: Annotated[int, Field(ge=1, le=200)] = 20
    """Requests answered at once (1 to 200); the rest is throttled."""

    provisioned_concurrency: ProvisionedConcurrency | None = None
    """Capacity kept warm; null: every quiet spell ends with a cold start."""

    rules = (_warm_requests_are_admitted,)


InstanceEndpoint = RealtimeEndpoint | AsyncEndpoint

Endpoint = Annotated[
    RealtimeEndpoint | ServerlessEndpoint | AsyncEndpoint, Field(discriminator="kind")
]
