"""The metrics that SageMaker publishes about invocations.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from dataclasses import dataclass

from moto.cloudwatch.models import cloudwatch_backends
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
        model_seconds: Time until the model had answered.
        overhead_seconds: Time spent in front of and behind the model.
    """

    endpoint: str
    config: str
    variant: str
    instances: int
    status: int | None
    model_seconds: float
    overhead_seconds: float


def publish(measurement: Measurement, *, account: str, region: str) -> None:
    """Record an invocation in CloudWatch, once by variant and once by configuration too.

    Latencies are in microseconds. The backend is used directly because PutMetricData refuses
    namespaces that begin with ``AWS/``.
    """
    status = measurement.status
    client_error = status is not None and 400 <= status < 500  # noqa: PLR2004 - HTTP classes
    server_error = status is None or status >= 500  # noqa: PLR2004 - HTTP classes
    values = {
        "Invocations": (1.0, "None"),
        "InvocationsPerInstance": (1.0 / measurement.instances, "None"),
        "ModelLatency": (measurement.model_seconds * 1e6, "Microseconds"),
        "OverheadLatency": (measurement.overhead_seconds * 1e6, "Microseconds"),
        "Invocation4XXErrors": (float(client_error), "None"),
        "Invocation5XXErrors": (float(server_error), "None"),
        "InvocationModelErrors": (float(client_error or server_error), "None"),
    }
    variant = [
        {"Name": "EndpointName", "Value": measurement.endpoint},
        {"Name": "VariantName", "Value": measurement.variant},
    ]
    config = {"Name": "EndpointConfigName", "Value": measurement.config}
    now = utcnow()
    data = [
        {
            "MetricName": name,
            "Value": value,
            "Unit": unit,
            "Timestamp": now,
            "Dimensions": sorted(dimensions, key=lambda item: item["Name"]),
        }
        for name, (value, unit) in values.items()
        for dimensions in (variant, [*variant, config])
    ]
    cloudwatch_backends[account][region].put_metric_data(NAMESPACE, data)
