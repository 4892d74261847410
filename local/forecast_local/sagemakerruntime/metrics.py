"""The metrics that SageMaker publishes about invocations.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.core.utils import utcnow

NAMESPACE = "AWS/SageMaker"


@dataclass(frozen=True)
class Measurement:
    """One invocation.

    Attributes:
        endpoint: Endpoint name.
        config: Endpoint configuration that answered.
        variant: Variant that answered.
        instances: Instances of the variant.
        status: The model's HTTP status; None when it gave no answer.
        model_seconds: Time until the model had answered; None when it was not asked.
        overhead_seconds: Time spent in front of and behind the model.
        is_async: Whether the request came by way of S3.
        concurrency: Share of a serverless variant's concurrency in use (0 to 1), if it is one.
        provisioned: Share of its provisioned concurrency in use; over 1 is spillover.
    """

    endpoint: str
    config: str
    variant: str
    instances: int
    status: int | None
    model_seconds: float | None
    overhead_seconds: float = 0.0
    is_async: bool = False
    concurrency: float | None = None
    provisioned: float | None = None


def metric_data(measurement: Measurement) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Return an invocation as metrics, once by variant and once by configuration too.

    Latencies are in microseconds.

    Yields:
        A namespace and its data, as PutMetricData takes them.
    """
    variant = [
        {"Name": "EndpointName", "Value": measurement.endpoint},
        {"Name": "VariantName", "Value": measurement.variant},
    ]
    config = {"Name": "EndpointConfigName", "Value": measurement.config}
    now = utcnow()
    yield (
        NAMESPACE,
        [
            {
                "MetricName": name,
                "Value": value,
                "Unit": unit,
                "Timestamp": now,
                "Dimensions": sorted(dimensions, key=lambda item: item["Name"]),
            }
            for name, (value, unit) in _values(measurement).items()
            for dimensions in (variant, [*variant, config])
        ],
    )


def _values(measurement: Measurement) -> dict[str, tuple[float, str]]:
    status = measurement.status
    client_error = status is not None and 400 <= status < 500  # noqa: PLR2004 - HTTP classes
    server_error = status is None or status >= 500  # noqa: PLR2004 - HTTP classes
    failed = float(client_error or server_error)
    found = {
        "Invocation4XXErrors": (float(client_error), "None"),
        "Invocation5XXErrors": (float(server_error), "None"),
    }
    if measurement.model_seconds is not None:
        found["ModelLatency"] = (measurement.model_seconds * 1e6, "Microseconds")
    if measurement.is_async:
        # An asynchronous endpoint publishes no Invocations.
        return {**found, "InvocationFailures": (failed, "None")}
    found["Invocations"] = (1.0, "None")
    found["InvocationsPerInstance"] = (1.0 / measurement.instances, "None")
    if measurement.model_seconds is not None:
        found["OverheadLatency"] = (measurement.overhead_seconds * 1e6, "Microseconds")
    if measurement.concurrency is None:
        return {**found, "InvocationModelErrors": (failed, "None")}
    found["ServerlessConcurrentExecutionsUtilization"] = (measurement.concurrency, "None")
    if measurement.provisioned is not None:
        share = measurement.provisioned
        found["ServerlessProvisionedConcurrencyUtilization"] = (min(share, 1.0), "None")
        spilled = float(share > 1)
        found["ServerlessProvisionedConcurrencySpilloverInvocations"] = (spilled, "None")
    return found
