"""An endpoint is asked in its own way: at once, after a cold start, or by way of the bucket."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.refusals import CloudError, NotAllowedError
from forecast_operations.verifying.answers import interview
from forecast_operations.verifying.asking import Desk, Reply
from forecast_operations.verifying.fleet import Variant, look_at_fleet

REQUEST = {"content_type": "text/csv", "accept": "application/json", "body": "a,b\n1,2\n"}


def _refusal(code: str, message: str = "no", **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}, **more}, "InvokeEndpoint")


class _Runtime:
    """Gives its answers one after the other; an exception is raised."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def invoke_endpoint(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"Body": io.BytesIO(answer)}

    def invoke_endpoint_async(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return {
            "OutputLocation": "s3://store/async/answers/1.out",
            "FailureLocation": "s3://store/async/failures/1-error.out",
        }


class _Bucket:
    """Holds what comes after a number of looks."""

    def __init__(self, after: int, **objects: bytes) -> None:
        self._after, self._objects = after, objects
        self.put: dict[str, bytes] = {}

    def put_object(self, **given: Any) -> None:
        self.put[f"s3://{given['Bucket']}/{given['Key']}"] = given["Body"]

    def get_object(self, **asked: Any) -> dict[str, Any]:
        self._after -= 1
        name = asked["Key"].split("/")[1]
        if self._after > 0 or name not in self._objects:
            raise _refusal("NoSuchKey", "The specified key does not exist.")
        return {"Body": io.BytesIO(self._objects[name])}


def _desk(runtime: _Runtime, bucket: _Bucket | None = None, pauses: Any = None) -> Desk:
    return Desk(
        cloud=Cloud("r", clients={"sagemaker-runtime": runtime, "s3": bucket}),
        endpoint_name="produce",
        bucket=None if bucket is None else "store",
        wait_seconds=0.2 if pauses is None else 60,
        sleep=(lambda _: None) if pauses is None else pauses.append,
    )


def test_a_variant_is_asked_by_its_name() -> None:
    runtime = _Runtime(b"{}")

    reply = _desk(runtime).ask("challenger", REQUEST)

    assert (reply.status, reply.body) == (200, b"{}")
    (asked,) = runtime.asked
    assert asked.pop("InferenceId").startswith("verification-")
    assert asked == {
        "EndpointName": "produce",
        "TargetVariant": "challenger",
        "ContentType": "text/csv",
        "Accept": "application/json",
        "Body": b"a,b\n1,2\n",
    }


def test_the_only_variant_is_asked_without_a_name() -> None:
    runtime = _Runtime(b"{}")

    _desk(runtime).ask(None, REQUEST)

    assert "TargetVariant" not in runtime.asked[0]


def test_what_the_container_refuses_is_an_answer_with_its_own_status() -> None:
    wrapped = _refusal("ModelError", OriginalStatusCode=400, OriginalMessage='{"error": 1}')

    reply = _desk(_Runtime(wrapped)).ask("v", REQUEST)

    assert (reply.status, reply.body) == (400, b'{"error": 1}')


def test_a_cold_start_is_waited_for() -> None:
    pauses: list[float] = []
    runtime = _Runtime(_refusal("ModelNotReadyException"), _refusal("ServiceUnavailable"), b"{}")

    assert _desk(runtime, pauses=pauses).ask("v", REQUEST).status == 200
    assert len(pauses) == 2


def test_any_other_refusal_is_one() -> None:
    with pytest.raises(CloudError, match="Variant v not found"):
        _desk(_Runtime(_refusal("ValidationError", "Variant v not found"))).ask("v", REQUEST)
    with pytest.raises(NotAllowedError, match="sagemaker:InvokeEndpoint"):
        _desk(_Runtime(_refusal("AccessDeniedException"))).ask("v", REQUEST)


def test_an_asynchronous_endpoint_is_asked_by_way_of_the_bucket() -> None:
    pauses: list[float] = []
    runtime, bucket = _Runtime(), _Bucket(4, answers=b"{}")

    reply = _desk(runtime, bucket, pauses).ask("v", REQUEST)

    assert (reply.status, reply.body) == (200, b"{}")
    assert len(pauses) == 2
    ((address, body),) = bucket.put.items()
    assert address.startswith("s3://store/async/requests/verification-")
    assert body == b"a,b\n1,2\n"
    assert runtime.asked[0]["InputLocation"] == address
    assert "TargetVariant" not in runtime.asked[0]


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (b'Received client error (400) from model with message "no"', 400),
        (b"Received server error (500) from model", 500),
        (b'{"error": {"code": "missing_feature"}}', None),
    ],
)
def test_an_asynchronous_refusal_is_read_where_it_lies(failure: bytes, status: int | None) -> None:
    reply = _desk(_Runtime(), _Bucket(0, failures=failure)).ask("v", REQUEST)

    assert (reply.status, reply.body) == (status, failure)


def test_an_asynchronous_endpoint_that_does_not_answer_is_given_up() -> None:
    with pytest.raises(ForecastError, match=r"scaled to zero take minutes to start.*--wait"):
        _desk(_Runtime(), _Bucket(0)).ask("v", REQUEST)


def _fleet(world: Any, subject: Any) -> list[Variant]:
    endpoint = world.aws.endpoint("produce")
    config = subject.live.endpoint_config(endpoint["EndpointConfigName"])
    return look_at_fleet(subject.live, config, endpoint)


class _Tells:
    """A desk whose refusals come without a status, as those of an asynchronous endpoint."""

    def __init__(self, refusal: bytes) -> None:
        self._refusal = refusal

    def ask(self, _: str | None, request: dict[str, Any]) -> Reply:
        answer = request["answer"]
        text = answer if isinstance(answer, str) else json.dumps(answer)
        if request["status"] == 200:
            return Reply(200, text.encode(), 0.5)
        return Reply(None, self._refusal, 0.5)


@pytest.mark.parametrize(
    ("refusal", "found"),
    [
        (
            b'{"error": {"code": "missing_feature", "message": "no", "row": 0, "feature": "day"}}',
            "refused, the same",
        ),
        (b"no container answered", "refused, in other words"),
    ],
)
def test_an_expected_refusal_passes_without_its_status(
    deployed: Any, refusal: bytes, found: str
) -> None:
    subject = deployed.subject()
    fleet = _fleet(deployed, subject)

    desk: Any = _Tells(refusal)
    came = interview(subject, desk, fleet, None)

    assert {each.name: (each.passed, each.found) for each in came.checks}[
        "golden AllTraffic missing_feature"
    ] == (True, found)
    assert [each.status for each in came.exchanges] == [200, 200, 0]


def test_a_failure_without_a_status_is_no_answer(deployed: Any) -> None:
    class Fails:
        def ask(self, *_: Any) -> Reply:
            return Reply(None, b"out of memory", 0.5)

    subject = deployed.subject()
    fleet = _fleet(deployed, subject)

    desk: Any = Fails()
    checks = {each.name: each for each in interview(subject, desk, fleet, 100.0).checks}

    assert not checks["golden AllTraffic example"].passed
    assert "out of memory" in checks["golden AllTraffic example"].found
    assert checks["latency AllTraffic"].found == "no answer with status 200"


@pytest.mark.parametrize(
    ("milliseconds", "passes"), [((90, 5000), True), ((150, 160), False), ((90, 120), False)]
)
def test_half_of_the_answers_count_and_the_slowest_is_said(
    deployed: Any, milliseconds: tuple[int, int], *, passes: bool
) -> None:
    class Timed:
        def __init__(self) -> None:
            # The first one warms up, and the refusal at the end does not count.
            self.left = [9000, *milliseconds, 8000]

        def ask(self, _: str | None, request: dict[str, Any]) -> Reply:
            answer = request["answer"]
            text = answer if isinstance(answer, str) else json.dumps(answer)
            return Reply(request["status"], text.encode(), self.left.pop(0) / 1000)

    subject = deployed.subject()
    fleet = _fleet(deployed, subject)

    desk: Any = Timed()
    *_, latency = interview(subject, desk, fleet, 104.0 if not passes else 2600.0).checks

    assert latency.passed is passes
    assert f"slowest {max(milliseconds)} ms (csv)" in latency.found
    assert latency.found.endswith("a first one of 9000 ms")
