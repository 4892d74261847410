"""Asynchronous inference: requests and answers by way of S3, a queue in between.

https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html
"""

import json
import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.utils import utcnow
from moto.sagemaker.models import sagemaker_backends

from forecast_local import context
from forecast_local.sagemaker.endpoint import HostedEndpoint
from forecast_local.sagemaker.model_data import split_s3_uri
from forecast_local.sagemakerruntime import capture
from forecast_local.sagemakerruntime.metrics import NAMESPACE, Measurement
from forecast_local.sagemakerruntime.serving import ModelAnswer, Place, ask

DEFAULT_TIMEOUT_SECONDS = 900.0
DEFAULT_CONCURRENCY = 4
_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Job:
    """A request that waits.

    Attributes:
        inference_id: Its id.
        input_location: S3 URI of its body.
        content_type: Content type of the body.
        headers: Further headers for the model.
        timeout_seconds: How long the model may take.
        received: When it came, by time.monotonic.
    """

    inference_id: str
    input_location: str
    content_type: str
    headers: Mapping[str, str]
    timeout_seconds: float
    received: float = field(default_factory=time.monotonic)


class AsyncQueue:
    """The queue of one endpoint and those who work it off.

    Args:
        place: Where the endpoint lives.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._jobs: deque[Job] = deque()
        self._running = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._dispatch, name="async-inference", daemon=True).start()

    def add(self, job: Job) -> None:
        """Queue a request."""
        with self._lock:
            self._jobs.append(job)

    def publish_backlog(self) -> None:
        """Record the backlog in CloudWatch; its metrics know the endpoint only."""
        endpoint = self._endpoint()
        if endpoint is None:
            return
        with self._lock:
            waiting, oldest = len(self._jobs) + self._running, self._jobs[0] if self._jobs else None
        instances = _instances(endpoint)
        age = 0.0 if oldest is None else time.monotonic() - oldest.received
        values = {
            "ApproximateBacklogSize": float(waiting),
            "ApproximateBacklogSizePerInstance": waiting / instances if instances else None,
            "ApproximateAgeOfOldestRequest": age,
            "HasBacklogWithoutCapacity": float(bool(waiting) and not instances),
        }
        dimensions = [{"Name": "EndpointName", "Value": self._place.endpoint}]
        data = [
            {
                "MetricName": name,
                "Value": value,
                "Timestamp": utcnow(),
                "Unit": "None",
                "Dimensions": dimensions,
            }
            for name, value in values.items()
            if value is not None
        ]
        cloudwatch_backends[self._place.account][self._place.region].put_metric_data(
            NAMESPACE, data
        )

    def _endpoint(self) -> HostedEndpoint | None:
        backend = sagemaker_backends[self._place.account][self._place.region]
        found = backend.endpoints.get(self._place.endpoint)
        return found if isinstance(found, HostedEndpoint) else None

    def _dispatch(self) -> None:
        while True:
            endpoint = self._endpoint()
            job = None if endpoint is None else self._take(endpoint)
            if endpoint is None or job is None:
                time.sleep(_POLL_SECONDS)
                continue
            threading.Thread(target=self._work, args=(endpoint, job), daemon=True).start()

    def _take(self, endpoint: HostedEndpoint) -> Job | None:
        client = endpoint.config.get("AsyncInferenceConfig", {}).get("ClientConfig", {})
        each = int(client.get("MaxConcurrentInvocationsPerInstance", DEFAULT_CONCURRENCY))
        with self._lock:
            if not self._jobs or self._running >= each * _instances(endpoint):
                return None
            self._running += 1
            return self._jobs.popleft()

    def _work(self, endpoint: HostedEndpoint, job: Job) -> None:
        try:
            self._answer(endpoint, job)
        except Exception:  # noqa: BLE001 - the next requests must be answered
            _LOG.exception("asynchronous request %s failed", job.inference_id)
        finally:
            with self._lock:
                self._running -= 1

    def _answer(self, endpoint: HostedEndpoint, job: Job) -> None:
        route = endpoint.route()
        bucket, key = split_s3_uri(job.input_location)
        body = self._client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        request = capture.Payload(body, job.content_type)
        answer, seconds = ask(route, request, job.headers, job.timeout_seconds)
        self._place.publish(
            Measurement(
                endpoint=self._place.endpoint,
                config=route.server.plan.config,
                variant=route.variant,
                instances=route.instances,
                status=answer.status,
                model_seconds=seconds,
                is_async=True,
            )
        )
        output = route.config["AsyncInferenceConfig"]["OutputConfig"]
        location = self._store(output, job, answer)
        if answer.is_success:
            self._place.capture(route, request, answer, job.inference_id)
        self._notify(output, job, answer, location)

    def _store(self, output: Mapping[str, Any], job: Job, answer: ModelAnswer) -> str | None:
        location = output_location(output, job.inference_id)
        if not answer.is_success:
            if "S3FailurePath" not in output:
                return None
            location = failure_location(output, job.inference_id)
        bucket, key = split_s3_uri(location)
        options: dict[str, Any] = {"Bucket": bucket, "Key": key, "Body": answer.body}
        if output.get("KmsKeyId"):
            options.update(ServerSideEncryption="aws:kms", SSEKMSKeyId=output["KmsKeyId"])
        self._client("s3").put_object(**options, ContentType=answer.content_type)
        return location

    def _notify(
        self, output: Mapping[str, Any], job: Job, answer: ModelAnswer, location: str | None
    ) -> None:
        topics = output.get("NotificationConfig", {})
        topic = topics.get("SuccessTopic" if answer.is_success else "ErrorTopic")
        if topic is None:
            return
        message = {
            "awsRegion": self._place.region,
            "eventTime": f"{utcnow():%Y-%m-%dT%H:%M:%SZ}",
            "invocationStatus": "Completed" if answer.is_success else "Failed",
            "requestParameters": {
                "endpointName": self._place.endpoint,
                "inputLocation": job.input_location,
            },
            "responseParameters": {
                "contentType": answer.content_type,
                "outputLocation": location,
            },
            "inferenceId": job.inference_id,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }
        if not answer.is_success:
            message["failureReason"] = answer.body.decode("utf-8", errors="replace")
        self._client("sns").publish(TopicArn=topic, Message=json.dumps(message))

    def _client(self, service: str) -> Any:
        clients = context.current().clients
        return clients.client(service, account=self._place.account, region=self._place.region)


def output_location(output: Mapping[str, Any], inference_id: str) -> str:
    """Return where the answer of a request will be."""
    return f"{str(output['S3OutputPath']).rstrip('/')}/{inference_id}.out"


def failure_location(output: Mapping[str, Any], inference_id: str) -> str:
    """Return where the failure of a request will be."""
    return f"{str(output['S3FailurePath']).rstrip('/')}/{inference_id}-error.out"


def new_inference_id() -> str:
    """Return an id for a request that has none."""
    return str(uuid.uuid4())


_queues: dict[Place, AsyncQueue] = {}
_queues_lock = threading.Lock()


def queue_of(place: Place) -> AsyncQueue:
    """Return the queue of an endpoint."""
    with _queues_lock:
        if place not in _queues:
            _queues[place] = AsyncQueue(place)
        return _queues[place]


def publish_backlogs() -> None:
    """Record the backlog of every asynchronous endpoint that was ever asked."""
    for queue in list(_queues.values()):
        queue.publish_backlog()


def _instances(endpoint: HostedEndpoint) -> int:
    return sum(int(item.get("CurrentInstanceCount", 0)) for item in endpoint.variants.values())
