"""CloudWatch metrics of an endpoint's production variant.

Definitions and units: Amazon SageMaker developer guide, "Amazon SageMaker AI metrics in Amazon
CloudWatch". Latencies are microseconds, and CPUUtilization is a sum over the cores.
"""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

INVOCATION_NAMESPACE = "AWS/SageMaker"
MICROSECONDS_PER_MILLISECOND = 1000

_ONE_MINUTE = Duration.minutes(1)

FAILED_REQUESTS = "MAX([FILL(server, 0), FILL(unanswered, 0) - FILL(client, 0)])"
"""Requests that the endpoint failed, each counted once.

`server` counts the answers with a 5xx. `unanswered` (InvocationModelErrors) counts all that is not
a 2xx: 4xx and 5xx, and also timeouts and broken answers, which no other metric shows. What clients
got wrong (`client`, 4xx) is taken off, as it is not the endpoint's failure. The larger of both is
right even should a 4xx be counted that never reached the container.
"""


@dataclass(frozen=True, kw_only=True)
class EndpointMetrics:
    """Metrics of one variant, over all fleets or of one fleet only.

    Attributes:
        endpoint_name: The endpoint, as a literal.
        variant_name: The production variant.
        endpoint_config_name: The fleet that runs this configuration; default: all fleets, the old
            and the new one during a rollout.
    """

    endpoint_name: str
    variant_name: str
    endpoint_config_name: str | None = None

    def invocations(self, period: Duration = _ONE_MINUTE) -> cloudwatch.Metric:
        """Number of requests."""
        return self._metric("Invocations", "Sum", period)

    def model_latency(
        self, statistic: str = "p99", period: Duration = _ONE_MINUTE
    ) -> cloudwatch.Metric:
        """Time that the container took to answer, in microseconds."""
        return self._metric("ModelLatency", statistic, period)

    def failed_requests(self, period: Duration = _ONE_MINUTE) -> cloudwatch.MathExpression:
        """Number of requests that the endpoint failed (`FAILED_REQUESTS`)."""
        return cloudwatch.MathExpression(
            expression=FAILED_REQUESTS,
            label="Failed requests",
            period=period,
            using_metrics=self._failure_metrics(period),
        )

    def error_rate_percent(self, period: Duration = _ONE_MINUTE) -> cloudwatch.MathExpression:
        """Share of the requests that the endpoint failed, in percent; 0 without requests."""
        return cloudwatch.MathExpression(
            expression=f"IF(requests > 0, 100 * {FAILED_REQUESTS} / requests, 0)",
            label="Failed requests (%)",
            period=period,
            using_metrics={
                **self._failure_metrics(period),
                "requests": self.invocations(period),
            },
        )

    def _failure_metrics(self, period: Duration) -> dict[str, cloudwatch.IMetric]:
        return {
            "server": self._metric("Invocation5XXErrors", "Sum", period),
            "unanswered": self._metric("InvocationModelErrors", "Sum", period),
            "client": self._metric("Invocation4XXErrors", "Sum", period),
        }

    def _metric(self, name: str, statistic: str, period: Duration) -> cloudwatch.Metric:
        dimensions = {"EndpointName": self.endpoint_name, "VariantName": self.variant_name}
        if self.endpoint_config_name is not None:
            dimensions["EndpointConfigName"] = self.endpoint_config_name
        return cloudwatch.Metric(
            namespace=INVOCATION_NAMESPACE,
            metric_name=name,
            dimensions_map=dimensions,
            statistic=statistic,
            period=period,
        )
