"""InvokeEndpoint: forwards a request to a model server and answers as the runtime API does.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

import http.client
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from moto.core.common_types import TYPE_RESPONSE
from moto.sagemaker.models import sagemaker_backends
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

from forecast_local import context
from forecast_local.sagemaker.endpoint import HostedEndpoint
from forecast_local.sagemaker.fleet import ModelServer
from forecast_local.sagemakerruntime import capture
from forecast_local.sagemakerruntime.metrics import Measurement, publish

MAX_BODY_BYTES = 6_291_456
MODEL_TIMEOUT_SECONDS = 60.0
_PATH = re.compile(r"/endpoints/([^/]+)/")
_CUSTOM = "X-Amzn-SageMaker-Custom-Attributes"
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


class LocalSageMakerRuntimeResponse(SageMakerRuntimeResponse):
    """InvokeEndpoint, answered by real model servers."""

    use_raw_body = True

    def invoke_endpoint(self) -> TYPE_RESPONSE:
        """InvokeEndpoint."""
        started = time.perf_counter()
        body = self.body if isinstance(self.body, bytes) else str(self.body).encode()
        if len(body) > MAX_BODY_BYTES:
            message = f"HTTP content length exceeded {MAX_BODY_BYTES} bytes."
            return _answer(413, {"Content-Type": "application/json"}, _json(message=message))
        endpoint = self._endpoint()
        if endpoint is None:
            name = self._endpoint_name()
            return _error(
                "ValidationError", f"Endpoint {name} of account {self.current_account} not found."
            )
        try:
            wanted = self.headers.get("X-Amzn-SageMaker-Target-Variant")
            variant, server, instances = endpoint.choose_server(wanted)
        except LookupError as error:
            return _error("ValidationError", str(error))
        config = server.plan.config
        request = capture.Payload(body, self.headers.get("Content-Type") or "")
        answer, model_seconds = self._ask(server, request)
        measurement = Measurement(
            endpoint=endpoint.endpoint_name,
            config=config,
            variant=variant,
            instances=instances,
            status=answer.status,
            model_seconds=model_seconds,
            overhead_seconds=time.perf_counter() - started - model_seconds,
        )
        publish(measurement, account=self.current_account, region=self.region)
        if not answer.is_success:
            return self._model_error(endpoint, answer)
        self._capture(endpoint, variant, request, answer)
        headers = {
            "Content-Type": answer.content_type,
            "x-Amzn-Invoked-Production-Variant": variant,
        }
        if answer.custom_attributes is not None:
            headers[_CUSTOM] = answer.custom_attributes
        return _answer(200, headers, answer.body)

    def invoke_endpoint_async(self) -> TYPE_RESPONSE:
        """InvokeEndpointAsync: refused, as no endpoint here is asynchronous."""
        return _error("ValidationError", "Endpoint is not configured for asynchronous inference.")

    def _endpoint_name(self) -> str:
        match = _PATH.search(self.path)
        return "" if match is None else unquote(match.group(1))

    def _endpoint(self) -> HostedEndpoint | None:
        backend = sagemaker_backends[self.current_account][self.region]
        found = backend.endpoints.get(self._endpoint_name())
        return found if isinstance(found, HostedEndpoint) else None

    def _ask(self, server: ModelServer, request: capture.Payload) -> tuple[ModelAnswer, float]:
        headers = {"Content-Type": request.content_type} if request.content_type else {}
        for name in ("Accept", _CUSTOM):
            value = self.headers.get(name)
            if value is not None:
                headers[name] = value
        started = time.perf_counter()
        answer = ask_model(server.port, request.body, headers)
        elapsed = time.perf_counter() - started
        if answer.status is None:
            server.restart_if_ended()
        return answer, elapsed

    def _capture(
        self,
        endpoint: HostedEndpoint,
        variant: str,
        request: capture.Payload,
        answer: ModelAnswer,
    ) -> None:
        settings = endpoint.capture
        if settings is None or not capture.is_sampled(settings):
            return
        content = capture.record(
            settings,
            request,
            capture.Payload(answer.body, answer.content_type),
            inference_id=self.headers.get("X-Amzn-SageMaker-Inference-Id"),
        )
        clients = context.current().clients
        s3 = clients.client("s3", account=self.current_account, region=self.region)
        capture.write(s3, settings, endpoint.endpoint_name, variant, content)

    def _model_error(self, endpoint: HostedEndpoint, answer: ModelAnswer) -> TYPE_RESPONSE:
        status = 0 if answer.status is None else answer.status
        side = "client" if 400 <= status < 500 else "server"  # noqa: PLR2004 - HTTP classes
        text = answer.body.decode("utf-8", errors="replace")
        group = f"/aws/sagemaker/Endpoints/{endpoint.endpoint_name}"
        region, account = self.region, self.current_account
        message = (
            f'Received {side} error ({status}) from primary with message "{text}". See '
            f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
            f"#logEventViewer:group={group} in account {account} for more information."
        )
        return _error(
            "ModelError",
            message,
            status=424,
            details={
                "OriginalStatusCode": status,
                "OriginalMessage": text,
                "LogStreamArn": f"arn:{self.partition}:logs:{region}:{account}:log-group:{group}",
            },
        )


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
            custom_attributes=answer.headers.get(_CUSTOM),
        )
    except TimeoutError:
        return ModelAnswer(None, _TIMED_OUT.encode())
    except (OSError, http.client.HTTPException) as error:
        text = f"the model server closed the connection: {type(error).__name__}"
        return ModelAnswer(None, text.encode())
    finally:
        connection.close()


def _error(
    code: str, message: str, *, status: int = 400, details: Mapping[str, Any] | None = None
) -> TYPE_RESPONSE:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    return _answer(status, headers, _json(Message=message, message=message, **(details or {})))


def _answer(status: int, headers: dict[str, Any], body: str | bytes) -> TYPE_RESPONSE:
    """Moto takes the status from this header, whatever the tuple says."""
    return status, {**headers, "status": status}, body


def _json(**members: Any) -> str:
    return json.dumps(members)
