"""Asking a variant of an endpoint, in the way that the endpoint is asked."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError
from forecast_operations.cloud.invocation import OK, invoke
from forecast_operations.cloud.objects import read, split
from forecast_operations.cloud.refusals import CloudError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from forecast_operations.cloud.cloud import Cloud

_NOT_READY = ("ModelNotReadyException", "ServiceUnavailable")
"""Answers of a serverless endpoint whose container is still starting (Amazon SageMaker API
reference, InvokeEndpoint)."""

_REQUESTS_PREFIX = "async/requests/"
"""Where asynchronous requests lie; the bucket's lifecycle deletes them."""

_COLD_SECONDS = 180.0
_COLD_PAUSE_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 5.0
_STATUS = re.compile(r"\((\d{3})\)")


@dataclass(frozen=True)
class Reply:
    """What came back, with any status.

    Attributes:
        status: Status of the container's answer; None for an answer without one.
        body: The answer.
        seconds: Time from the request to the whole answer.
    """

    status: int | None
    body: bytes
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where an endpoint is asked.

    Attributes:
        cloud: Where it is.
        endpoint_name: Its name.
        bucket: Bucket for the requests of an asynchronous endpoint; None: it answers at once.
        wait_seconds: How long to wait for an asynchronous answer, whose instances may have to
            start.
        sleep: Waits.
    """

    cloud: Cloud
    endpoint_name: str
    bucket: str | None
    wait_seconds: float
    sleep: Callable[[float], None] = time.sleep

    def ask(self, variant: str | None, request: Mapping[str, Any]) -> Reply:
        """What a variant answers to a golden request.

        Args:
            variant: Its name where there are several; None: there is but one.
            request: The request: `body`, `content_type` and `accept`.

        Raises:
            ForecastError: It does not answer, or the credentials do not allow to ask it.
        """
        if self.bucket is not None:
            return self._ask_later(self.bucket, request)
        started = time.monotonic()
        while True:
            try:
                return self._ask_now(variant, request)
            except CloudError as error:
                starting = error.code in _NOT_READY
                if not starting or time.monotonic() - started > _COLD_SECONDS:
                    raise
                self.sleep(_COLD_PAUSE_SECONDS)

    def _ask_now(self, variant: str | None, request: Mapping[str, Any]) -> Reply:
        target = {} if variant is None else {"TargetVariant": variant}
        started = time.perf_counter()
        status, body, _ = invoke(
            self.cloud,
            self.endpoint_name,
            request["body"].encode(),
            content_type=request["content_type"],
            accept=request["accept"],
            InferenceId=_mark(),
            **target,
        )
        return Reply(status, body, time.perf_counter() - started)

    def _ask_later(self, bucket: str, request: Mapping[str, Any]) -> Reply:
        mark = _mark()
        key = f"{_REQUESTS_PREFIX}{mark}"
        self.cloud.ask("s3", "put_object", Bucket=bucket, Key=key, Body=request["body"].encode())
        started = time.perf_counter()
        taken = self.cloud.ask(
            "sagemaker-runtime",
            "invoke_endpoint_async",
            EndpointName=self.endpoint_name,
            InputLocation=f"s3://{bucket}/{key}",
            InferenceId=mark,
            ContentType=request["content_type"],
            Accept=request["accept"],
        )
        pause = _FIRST_PAUSE_SECONDS
        while time.perf_counter() - started < self.wait_seconds:
            answer = read(self.cloud, *split(taken["OutputLocation"]))
            if answer is not None:
                return Reply(OK, answer, time.perf_counter() - started)
            failure = self._failure(taken.get("FailureLocation"))
            if failure is not None:
                return _failed(failure, time.perf_counter() - started)
            self.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        raise ForecastError(
            f"{self.endpoint_name} has not answered s3://{bucket}/{key} within "
            f"{self.wait_seconds:.0f} seconds; instances that scaled to zero take minutes to "
            "start: verify again, or with a longer --wait"
        )

    def _failure(self, address: str | None) -> bytes | None:
        return None if address is None else read(self.cloud, *split(address))


def _mark() -> str:
    """An id by which captured requests of a verification are told from those of clients."""
    return f"verification-{uuid.uuid4().hex}"


def _failed(failure: bytes, seconds: float) -> Reply:
    """A failure as it lies in the bucket: the container's answer, or SageMaker's words for it."""
    text = failure.decode(errors="replace")
    named = _STATUS.search(text)
    return Reply(None if named is None else int(named[1]), failure, seconds)
