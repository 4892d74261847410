"""One request to a model server, measured and captured, whoever asked for it."""

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass

from moto.cloudwatch.models import cloudwatch_backends

from forecast_local import context
from forecast_local.sagemaker.generation import Route
from forecast_local.sagemakerruntime import capture
from forecast_local.sagemakerruntime.metrics import Measurement, metric_data

MODEL_TIMEOUT_SECONDS = 60.0
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the "
    "latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)


@dataclass(frozen=True)
class ModelAnswer:
    """What a model server answered.

    Attributes:
        status: HTTP status, or None when there was no answer.
        body: The body, or the reason why there was none.
        content_type: Its content type.
        custom_attributes: The header for custom attributes, if it set one.
    """

    status: int | None
    body: bytes
    content_type: str = "text/plain"
    custom_attributes: str | None = None

    @property
    def is_success(self) -> bool:
        """Whether the status is one of the 2xx."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - HTTP classes


@dataclass(frozen=True)
class Place:
    """Where an endpoint lives.

    Attributes:
        endpoint: Its name.
        account: Its account.
        region: Its region.
    """

    endpoint: str
    account: str
    region: str

    def publish(self, measurement: Measurement) -> None:
        """Record an invocation in CloudWatch.

        The backend is used directly because PutMetricData refuses namespaces that begin with
        ``AWS/``.
        """
        backend = cloudwatch_backends[self.account][self.region]
        for namespace, data in metric_data(measurement):
            backend.put_metric_data(namespace, data)

    def capture(
        self,
        route: Route,
        request: capture.Payload,
        answer: ModelAnswer,
        inference_id: str | None,
    ) -> None:
        """Keep a request and its answer, if the configuration says so."""
        settings = route.config.get("DataCaptureConfig")
        if settings is None or not capture.is_sampled(settings):
            return
        content = capture.record(
            settings,
            request,
            capture.Payload(answer.body, answer.content_type),
            inference_id=inference_id,
        )
        s3 = context.current().clients.client("s3", account=self.account, region=self.region)
        capture.write(s3, settings, self.endpoint, route.variant, content)


def ask(
    route: Route,
    request: capture.Payload,
    headers: Mapping[str, str],
    timeout_seconds: float = MODEL_TIMEOUT_SECONDS,
) -> tuple[ModelAnswer, float]:
    """Ask the model server of a route; one that has ended is started again.

    Args:
        route: Who answers.
        request: What is asked.
        headers: Further headers of the request.
        timeout_seconds: How long the answer may take.

    Returns:
        The answer, and the seconds that it took.
    """
    typed = {"Content-Type": request.content_type} if request.content_type else {}
    started = time.perf_counter()
    answer = ask_model(route.server.port, request.body, {**typed, **headers}, timeout_seconds)
    elapsed = time.perf_counter() - started
    if answer.status is None:
        route.server.restart_if_ended()
    return answer, elapsed


def ask_model(
    port: int,
    body: bytes,
    headers: Mapping[str, str],
    timeout_seconds: float = MODEL_TIMEOUT_SECONDS,
) -> ModelAnswer:
    """Send a request to a model server on this machine.

    Args:
        port: Its port.
        body: The request's body.
        headers: The request's headers.
        timeout_seconds: How long the answer may take.

    Returns:
        The answer; its status is None when the server did not answer in time or at all.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_seconds)
    try:
        connection.request("POST", "/invocations", body=body, headers=dict(headers))
        answer = connection.getresponse()
        return ModelAnswer(
            status=answer.status,
            body=answer.read(),
            content_type=answer.headers.get("Content-Type", "application/octet-stream"),
            custom_attributes=answer.headers.get(CUSTOM_ATTRIBUTES),
        )
    except TimeoutError:
        return ModelAnswer(None, _TIMED_OUT.encode())
    except (OSError, http.client.HTTPException) as error:
        text = f"the model server closed the connection: {type(error).__name__}"
        return ModelAnswer(None, text.encode())
    finally:
        connection.close()
