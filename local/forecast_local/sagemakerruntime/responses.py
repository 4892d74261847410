"""InvokeEndpoint: forwards a request to a model server and answers as the runtime API does.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

import json
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

from moto.core.common_types import TYPE_RESPONSE
from moto.sagemaker.models import sagemaker_backends
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

from forecast_local.sagemaker.endpoint import HostedEndpoint
from forecast_local.sagemaker.generation import Route
from forecast_local.sagemakerruntime import async_inference, capture
from forecast_local.sagemakerruntime.concurrency import ThrottledError, slot
from forecast_local.sagemakerruntime.metrics import Measurement
from forecast_local.sagemakerruntime.serving import (
    CUSTOM_ATTRIBUTES,
    ModelAnswer,
    Place,
    ask,
)

MAX_BODY_BYTES = 6_291_456
_MAX_ASYNC_TIMEOUT_SECONDS = 3600
_TOO_MANY_REQUESTS = 429
_PATH = re.compile(r"/endpoints/([^/]+)/")
# The copies for shadow variants: nobody waits for their answers.
_COPIES = ThreadPoolExecutor(max_workers=8, thread_name_prefix="shadow")


class LocalSageMakerRuntimeResponse(SageMakerRuntimeResponse):
    """InvokeEndpoint and InvokeEndpointAsync, answered by real model servers."""

    use_raw_body = True

    def invoke_endpoint(self) -> TYPE_RESPONSE:
        """InvokeEndpoint."""
        try:
            return self._invoke()
        except LookupError as error:
            return _error("ValidationError", str(error))

    def _invoke(self) -> TYPE_RESPONSE:
        started = time.perf_counter()
        body = self.body if isinstance(self.body, bytes) else str(self.body).encode()
        if len(body) > MAX_BODY_BYTES:
            message = f"HTTP content length exceeded {MAX_BODY_BYTES} bytes."
            return _answer(413, {"Content-Type": "application/json"}, _json(message=message))
        endpoint = self._endpoint()
        if endpoint is None:
            return self._not_found()
        if endpoint.config.get("AsyncInferenceConfig"):
            return _error(
                "ValidationError",
                f"Endpoint {endpoint.endpoint_name} is asynchronous: use InvokeEndpointAsync.",
            )
        route = endpoint.route(self.headers.get("X-Amzn-SageMaker-Target-Variant"))
        request = capture.Payload(body, self.headers.get("Content-Type") or "")
        try:
            with slot(route) as running:
                answer, seconds = ask(route, request, self._forwarded())
        except ThrottledError as error:
            self._measure(route, _TOO_MANY_REQUESTS, None, route.max_concurrency or 1)
            return _error("ThrottlingException", str(error), status=_TOO_MANY_REQUESTS)
        overhead = time.perf_counter() - started - seconds
        self._measure(route, answer.status, seconds, running, overhead)
        if route.shadow is not None:
            _COPIES.submit(self._copy, self._place(), route.shadow, request, self._forwarded())
        return self._finished(endpoint, route, request, answer)

    def _finished(
        self,
        endpoint: HostedEndpoint,
        route: Route,
        request: capture.Payload,
        answer: ModelAnswer,
    ) -> TYPE_RESPONSE:
        if not answer.is_success:
            return self._model_error(endpoint, answer)
        inference_id = self.headers.get("X-Amzn-SageMaker-Inference-Id")
        self._place().capture(route, request, answer, inference_id)
        headers = {
            "Content-Type": answer.content_type,
            "x-Amzn-Invoked-Production-Variant": route.variant,
        }
        if answer.custom_attributes is not None:
            headers[CUSTOM_ATTRIBUTES] = answer.custom_attributes
        return _answer(200, headers, answer.body)

    def invoke_endpoint_async(self) -> TYPE_RESPONSE:
        """InvokeEndpointAsync: queue a request whose body is in S3."""
        endpoint = self._endpoint()
        if endpoint is None:
            return self._not_found()
        settings = endpoint.config.get("AsyncInferenceConfig")
        if not settings:
            return _error(
                "ValidationError", "Endpoint is not configured for asynchronous inference."
            )
        location = str(self.headers.get("X-Amzn-SageMaker-InputLocation") or "")
        if not location.startswith(("s3://", "https://")):
            return _error("ValidationError", f"InputLocation must be an S3 URI, got {location}.")
        timeout = float(
            self.headers.get("X-Amzn-SageMaker-InvocationTimeoutSeconds")
            or async_inference.DEFAULT_TIMEOUT_SECONDS
        )
        if not 1 <= timeout <= _MAX_ASYNC_TIMEOUT_SECONDS:
            return _error(
                "ValidationError",
                f"InvocationTimeoutSeconds must be from 1 to {_MAX_ASYNC_TIMEOUT_SECONDS}.",
            )
        given = self.headers.get("X-Amzn-SageMaker-Inference-Id")
        inference_id = given or async_inference.new_inference_id()
        job = async_inference.Job(
            inference_id,
            location,
            self.headers.get("X-Amzn-SageMaker-Content-Type") or "",
            self._forwarded(prefix="X-Amzn-SageMaker-"),
            timeout,
        )
        async_inference.queue_of(self._place()).add(job)
        output = settings["OutputConfig"]
        headers = {
            "Content-Type": "application/json",
            "X-Amzn-SageMaker-OutputLocation": async_inference.output_location(
                output, inference_id
            ),
        }
        if "S3FailurePath" in output:
            headers["X-Amzn-SageMaker-FailureLocation"] = async_inference.failure_location(
                output, inference_id
            )
        return _answer(202, headers, _json(InferenceId=inference_id))

    def _endpoint_name(self) -> str:
        match = _PATH.search(self.path)
        return "" if match is None else unquote(match.group(1))

    def _place(self) -> Place:
        return Place(self._endpoint_name(), self.current_account, self.region)

    def _endpoint(self) -> HostedEndpoint | None:
        backend = sagemaker_backends[self.current_account][self.region]
        found = backend.endpoints.get(self._endpoint_name())
        return found if isinstance(found, HostedEndpoint) else None

    def _not_found(self) -> TYPE_RESPONSE:
        name = self._endpoint_name()
        return _error(
            "ValidationError", f"Endpoint {name} of account {self.current_account} not found."
        )

    def _forwarded(self, prefix: str = "") -> dict[str, str]:
        found = {
            "Accept": self.headers.get(f"{prefix}Accept"),
            CUSTOM_ATTRIBUTES: self.headers.get(CUSTOM_ATTRIBUTES),
        }
        return {name: value for name, value in found.items() if value is not None}

    def _measure(
        self,
        route: Route,
        status: int | None,
        model_seconds: float | None,
        running: int,
        overhead_seconds: float = 0.0,
    ) -> None:
        place = self._place()
        warm = route.provisioned_concurrency
        place.publish(
            Measurement(
                endpoint=place.endpoint,
                config=route.server.plan.config,
                variant=route.variant,
                instances=route.instances,
                status=status,
                model_seconds=model_seconds,
                overhead_seconds=overhead_seconds,
                concurrency=None if not route.max_concurrency else running / route.max_concurrency,
                provisioned=None if not warm else running / warm,
            )
        )

    @staticmethod
    def _copy(
        place: Place, shadow: Route, request: capture.Payload, headers: dict[str, str]
    ) -> None:
        """Ask a shadow variant; its answer is measured and captured, and nobody gets it."""
        answer, seconds = ask(shadow, request, headers)
        place.publish(
            Measurement(
                endpoint=place.endpoint,
                config=shadow.server.plan.config,
                variant=shadow.variant,
                instances=shadow.instances,
                status=answer.status,
                model_seconds=seconds,
            )
        )
        if answer.is_success:
            place.capture(shadow, request, answer, None)

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
