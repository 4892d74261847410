"""CloudWatch metrics of an endpoint, as plain data that alarms and dashboards are made from.

Definitions and units: Amazon SageMaker developer guide, "Amazon SageMaker AI metrics in Amazon
CloudWatch", "Alarms and logs for tracking metrics from serverless endpoints" and "… from
asynchronous endpoints"; the latter two call their lists exhaustive. Latencies are microseconds, and
CPUUtilization is a sum over the cores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from forecast_constructs.monitoring.series import Formula, Metric

__all__ = [
    "ENDPOINT_NAMESPACE",
    "FAILED_REQUESTS",
    "HEARTBEAT",
    "HEARTBEAT_LATENCY",
    "HEARTBEAT_THROTTLED",
    "INSTANCE_NAMESPACE",
    "INVOCATION_NAMESPACE",
    "MICROSECONDS_PER_MILLISECOND",
    "ONE_MINUTE",
    "SERVER_ERRORS",
    "EndpointMetrics",
    "Formula",
    "Metric",
    "Mode",
    "backlog",
    "backlog_without_capacity",
    "heartbeat",
    "heartbeat_latency",
    "of_endpoint",
    "oldest_request_seconds",
]

INVOCATION_NAMESPACE = "AWS/SageMaker"
INSTANCE_NAMESPACE = "/aws/sagemaker/Endpoints"
ENDPOINT_NAMESPACE = "ForecastEndpoint"
"""Namespace of what the project publishes itself: the container's telemetry and the heartbeat."""

HEARTBEAT = "Heartbeat"
"""1 for a right answer or a throttled request, 0 for a wrong answer or none; one value for each
variant asked."""

HEARTBEAT_LATENCY = "HeartbeatLatency"
"""Milliseconds until the answer, seen by the heartbeat's function; none of a throttled request."""

HEARTBEAT_THROTTLED = "HeartbeatThrottled"
"""Number of throttled requests of the heartbeat in a minute; nothing when there were none."""

MICROSECONDS_PER_MILLISECOND = 1000
ONE_MINUTE = 60

FAILED_REQUESTS = "MAX([FILL(server, 0), FILL(unanswered, 0) - FILL(client, 0)])"
"""Requests that the endpoint failed, each counted once.

`server` counts the answers with a 5xx. `unanswered` counts all that is not a 2xx: 4xx and 5xx, and
also timeouts and broken answers, which no other metric shows (InvocationModelErrors; of an
asynchronous endpoint InvocationFailures). What clients got wrong (`client`, 4xx) is taken off, as
it is not the endpoint's failure. The larger of both is right even should a 4xx be counted that
never reached the container.
"""

SERVER_ERRORS = "FILL(server, 0)"
"""Failed requests of a serverless endpoint, which publishes no InvocationModelErrors."""

Mode = Literal["realtime", "serverless", "async"]
"""The `kind` of an endpoint."""


@dataclass(frozen=True, kw_only=True)
class EndpointMetrics:
    """Metrics of one variant, over all fleets or of one fleet only.

    Attributes:
        endpoint_name: The endpoint, as a literal.
        variant_name: The variant.
        endpoint_config_name: The fleet that runs this configuration; default: all fleets, the old
            and the new one during a rollout.
        mode: What the endpoint is, on which depends what it publishes.
    """

    endpoint_name: str
    variant_name: str
    endpoint_config_name: str | None = None
    mode: Mode = "realtime"

    def requests(self) -> Metric:
        """Number of requests.

        An asynchronous endpoint publishes no Invocations; there it is the number of latencies,
        those that the container has worked off.
        """
        if self.mode == "async":
            return self._invocation("ModelLatency", "SampleCount", "Requests")
        return self._invocation("Invocations", "Sum", "Requests")

    def model_latency(self, statistic: str = "p99") -> Metric:
        """Time that the container took to answer, in microseconds."""
        return self._invocation("ModelLatency", statistic, f"Model latency {statistic} (µs)")

    def overhead_latency(self, statistic: str = "p99") -> Metric:
        """Time that SageMaker added, in microseconds; serverless: with the cold starts.

        An asynchronous endpoint publishes none.
        """
        return self._invocation("OverheadLatency", statistic, f"Overhead {statistic} (µs)")

    def setup_time(self, statistic: str = "p99") -> Metric:
        """Time of a cold start of a serverless endpoint (ModelSetupTime), in microseconds."""
        return self._invocation("ModelSetupTime", statistic, f"Cold start {statistic} (µs)")

    def client_errors(self) -> Metric:
        """Number of answers with a 4xx: what clients got wrong."""
        return self._invocation("Invocation4XXErrors", "Sum", "Refused requests (4xx)")

    def server_errors(self) -> Metric:
        """Number of answers with a 5xx."""
        return self._invocation("Invocation5XXErrors", "Sum", "Failed requests (5xx)")

    def failed_requests(self) -> Formula:
        """Number of requests that the endpoint failed (`FAILED_REQUESTS`)."""
        return Formula(
            expression=self._failed, metrics=self._failure_metrics(), label="Failed requests"
        )

    def error_rate_percent(self) -> Formula:
        """Share of the requests that the endpoint failed, in percent; 0 without requests."""
        share = f"IF(requests > 0, 100 * {self._failed} / requests, 0)"
        if self.mode == "async":
            # A request that runs into its time limit is a failure, but leaves no latency behind.
            answered = "FILL(requests, 0)"
            share = (
                f"IF({answered} > 0, 100 * {self._failed} / MAX([{answered}, {self._failed}]), "
                f"100 * ({self._failed} > 0))"
            )
        return Formula(
            expression=share,
            metrics={**self._failure_metrics(), "requests": self.requests()},
            label="Failed requests (%)",
        )

    def cpu_utilization_percent(self, vcpu_count: int, statistic: str = "Average") -> Formula:
        """Utilization of all cores of an instance (0 to 100); AWS's metric is a sum over cores."""
        return Formula(
            expression=f"cores / {vcpu_count}",
            metrics={
                "cores": self._instance("CPUUtilization", statistic, "CPU, sum over cores (%)")
            },
            label="CPU (%)",
        )

    def memory_utilization_percent(self, statistic: str = "Maximum") -> Metric:
        """Memory that the containers of an instance use (0 to 100)."""
        return self._instance("MemoryUtilization", statistic, "Memory (%)")

    def disk_utilization_percent(self, statistic: str = "Maximum") -> Metric:
        """Disk space that the containers of an instance use (0 to 100)."""
        return self._instance("DiskUtilization", statistic, "Disk (%)")

    def instance_count(self) -> Metric:
        """Number of instances, at a period of one minute.

        Each publishes one CPUUtilization a minute (developer guide, "Asynchronous inference",
        Troubleshooting).
        """
        return self._instance("CPUUtilization", "SampleCount", "Instances")

    def concurrency_percent(self) -> Formula:
        """Largest share of a serverless endpoint's max_concurrency that was in use (0 to 100)."""
        utilization = self._invocation(
            "ServerlessConcurrentExecutionsUtilization", "Maximum", "Concurrency in use (0 to 1)"
        )
        return Formula(
            expression="100 * utilization",
            metrics={"utilization": utilization},
            label="Concurrency in use (%)",
        )

    def provisioned_concurrency_percent(self) -> Formula:
        """Largest share of the provisioned concurrency that was in use (0 to 100)."""
        utilization = self._invocation(
            "ServerlessProvisionedConcurrencyUtilization", "Maximum", "Warm capacity (0 to 1)"
        )
        return Formula(
            expression="100 * utilization",
            metrics={"utilization": utilization},
            label="Warm capacity in use (%)",
        )

    def spillover_requests(self) -> Metric:
        """Number of requests beyond the provisioned concurrency, which may start cold."""
        name = "ServerlessProvisionedConcurrencySpilloverInvocations"
        return self._invocation(name, "Sum", "Requests beyond warm capacity")

    @property
    def _failed(self) -> str:
        return SERVER_ERRORS if self.mode == "serverless" else FAILED_REQUESTS

    def _failure_metrics(self) -> dict[str, Metric]:
        if self.mode == "serverless":
            return {"server": self.server_errors()}
        name = "InvocationFailures" if self.mode == "async" else "InvocationModelErrors"
        return {
            "server": self.server_errors(),
            "unanswered": self._invocation(name, "Sum", "Requests without a 2xx"),
            "client": self.client_errors(),
        }

    def _invocation(self, name: str, statistic: str, label: str) -> Metric:
        return self._metric(INVOCATION_NAMESPACE, name, statistic, label)

    def _instance(self, name: str, statistic: str, label: str) -> Metric:
        return self._metric(INSTANCE_NAMESPACE, name, statistic, label)

    def _metric(self, namespace: str, name: str, statistic: str, label: str) -> Metric:
        dimensions = {"EndpointName": self.endpoint_name, "VariantName": self.variant_name}
        if self.endpoint_config_name is not None:
            dimensions["EndpointConfigName"] = self.endpoint_config_name
        return Metric(
            namespace=namespace,
            name=name,
            dimensions=dimensions,
            statistic=statistic,
            label=label,
        )


def heartbeat(endpoint_name: str, statistic: str = "Minimum") -> Metric:
    """Whether every variant gave the right answer (1 or 0); SampleCount: number of requests."""
    return of_endpoint(
        endpoint_name, ENDPOINT_NAMESPACE, HEARTBEAT, statistic, "Heartbeat (1 or 0)"
    )


def heartbeat_latency(endpoint_name: str, statistic: str = "Maximum") -> Metric:
    """Time until the heartbeat's answer, in milliseconds."""
    return of_endpoint(
        endpoint_name, ENDPOINT_NAMESPACE, HEARTBEAT_LATENCY, statistic, "Heartbeat latency (ms)"
    )


def backlog(endpoint_name: str, statistic: str = "Maximum") -> Metric:
    """Number of requests that wait for an asynchronous endpoint."""
    return of_endpoint(
        endpoint_name, INVOCATION_NAMESPACE, "ApproximateBacklogSize", statistic, "Waiting requests"
    )


def oldest_request_seconds(endpoint_name: str, statistic: str = "Maximum") -> Metric:
    """Age of the request that has waited longest, in seconds."""
    name = "ApproximateAgeOfOldestRequest"
    return of_endpoint(endpoint_name, INVOCATION_NAMESPACE, name, statistic, "Oldest request (s)")


def backlog_without_capacity(endpoint_name: str, statistic: str = "Minimum") -> Metric:
    """1 while requests wait and there is no instance to work them off, 0 otherwise."""
    name = "HasBacklogWithoutCapacity"
    return of_endpoint(endpoint_name, INVOCATION_NAMESPACE, name, statistic, "Waiting, no instance")


def of_endpoint(
    endpoint_name: str, namespace: str, name: str, statistic: str, label: str
) -> Metric:
    """A metric whose only dimension is EndpointName, as all on the queue of an endpoint have it."""
    return Metric(
        namespace=namespace,
        name=name,
        dimensions={"EndpointName": endpoint_name},
        statistic=statistic,
        label=label,
    )
