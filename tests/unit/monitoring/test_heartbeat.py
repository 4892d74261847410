"""The heartbeat's function believes an answer only when it is the recorded one."""

from __future__ import annotations

import importlib.util
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from forecast_inference import golden as container

if TYPE_CHECKING:
    from types import ModuleType

SOURCE = (
    Path(__file__).parents[3] / "constructs/forecast_constructs/monitoring/functions/heartbeat.py"
)
RECORDED = {"predictions": [{"price": 4.81371307, "unit": "kg", "model_version": "16"}]}
ANSWER = {
    "predictions": [
        {
            "price": 4.81371307,
            "unit": "kg",
            "model_version": "16",
            "prediction_timestamp": "2027-01-30T06:00:00Z",
        }
    ]
}


@pytest.fixture
def function() -> ModuleType:
    """The file, as AWS Lambda imports it: without the package around it."""
    spec = importlib.util.spec_from_file_location("index", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Runtime:
    """A SageMaker Runtime that gives one answer, or fails in one way, and misses some variants."""

    def __init__(self, answer: Any, *missing: str) -> None:
        self.answer = answer
        self.missing = missing
        self.calls: list[dict[str, Any]] = []

    def invoke_endpoint(self, **call: Any) -> dict[str, Any]:
        self.calls.append(call)
        if call.get("TargetVariant") in self.missing:
            raise _refusal("ValidationError")
        if isinstance(self.answer, Exception):
            raise self.answer
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return {"Body": io.BytesIO(body)}


def _check(*variants: str, **golden: Any) -> dict[str, Any]:
    request = {
        "name": "example",
        "content_type": "application/json",
        "accept": "application/json",
        "body": '{"instances": []}',
        "answer": RECORDED,
        **golden,
    }
    return {
        "endpoint_name": "produce-forecast-prod",
        "namespace": "ForecastEndpoint",
        "heartbeat": "Heartbeat",
        "latency": "HeartbeatLatency",
        "throttled": "HeartbeatThrottled",
        "read_timeout_seconds": 10,
        "variants": dict.fromkeys(variants or ("AllTraffic",), request),
    }


def _changed(**values: Any) -> dict[str, Any]:
    return {"predictions": [{**ANSWER["predictions"][0], **values}]}


def _refusal(code: str, **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}, **more}, "InvokeEndpoint")


@pytest.mark.parametrize("answer", [ANSWER, _changed(price=4.8137131), _changed(price=4.8138)])
def test_the_recorded_answer_at_another_time_is_alive(function: ModuleType, answer: Any) -> None:
    beat = function.ask(Runtime(answer), _check(), "AllTraffic")

    assert (beat.alive, beat.detail) == (1, "")
    assert beat.milliseconds >= 0


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (_changed(price=4.9), "price of entry 0 of predictions of the answer is not as recorded"),
        (_changed(price=None), "price of entry 0 of predictions of the answer is not as recorded"),
        (_changed(unit="lb"), "unit of entry 0 of predictions of the answer is not as recorded"),
        (_changed(extra=1), "entry 0 of predictions of the answer has other keys than recorded"),
        ({"predictions": []}, "predictions of the answer has 0 entries, expected 1"),
        ({"error": {"code": "internal"}}, "the answer has other keys than recorded"),
        ([], "the answer is not as recorded"),
        (b"<html>", "the answer is no application/json"),
        (b"\xff", "the answer is no text"),
        (_refusal("ModelError", OriginalStatusCode=500), "refused with ModelError 500"),
        (_refusal("ServiceUnavailable"), "refused with ServiceUnavailable"),
        (_refusal("ValidationError"), "refused with ValidationError"),
        (ReadTimeoutError(endpoint_url="https://r"), "no answer: ReadTimeoutError"),
        (ConnectTimeoutError(endpoint_url="https://r"), "no answer: ConnectTimeoutError"),
    ],
)
def test_anything_else_is_down(function: ModuleType, answer: Any, detail: str) -> None:
    beat = function.ask(Runtime(answer), _check(), "AllTraffic")

    assert (beat.alive, beat.detail) == (0, detail)


@pytest.mark.parametrize("price", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_down(function: ModuleType, price: float) -> None:
    assert function.ask(Runtime(_changed(price=price)), _check(), "AllTraffic").alive == 0
    other = _changed(price=price, model_version="17")
    assert function.ask(Runtime(other), _check(), "AllTraffic").alive == 0


def test_another_version_is_compared_for_its_shape(function: ModuleType) -> None:
    other = function.ask(Runtime(_changed(price=9.5, model_version="17")), _check(), "AllTraffic")
    misshapen = function.ask(
        Runtime(_changed(price="high", model_version="17")), _check(), "AllTraffic"
    )

    assert (other.alive, other.detail) == (1, "another version answered: 17")
    assert misshapen.alive == 0
    assert misshapen.detail.endswith("is of another type")


@pytest.mark.parametrize(
    ("accept", "recorded", "answer", "wrong"),
    [
        (
            "text/csv",
            "price,model_version\n4.81371307,16\n",
            b"price,model_version,prediction_timestamp\n4.8137131,16,2027-01-30\n",
            b"price,model_version,prediction_timestamp\n4.9,16,2027-01-30\n",
        ),
        (
            "application/jsonlines",
            '{"price": 4.81371307, "model_version": "16"}\n',
            b'{"price": 4.8137131, "model_version": "16", "prediction_timestamp": "t"}\n',
            b'{"price": 4.9, "model_version": "16", "prediction_timestamp": "t"}\n',
        ),
    ],
)
def test_other_formats_are_compared_by_their_values(
    function: ModuleType, accept: str, recorded: str, answer: bytes, wrong: bytes
) -> None:
    check = _check(accept=accept, answer=recorded)

    assert function.ask(Runtime(answer), check, "AllTraffic").alive == 1
    assert function.ask(Runtime(wrong), check, "AllTraffic").alive == 0


@pytest.mark.parametrize("code", ["ThrottlingException", "TooManyRequestsException"])
def test_a_throttled_endpoint_is_busy_and_not_down(function: ModuleType, code: str) -> None:
    beat = function.ask(Runtime(_refusal(code)), _check(), "AllTraffic")
    line = function.report(_check(), [beat], 1)

    assert (beat.alive, beat.throttled, beat.detail) == (1, True, f"refused with {code}")
    assert (line["Heartbeat"], line["HeartbeatThrottled"]) == ([1], 1)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Metrics"] == [
        {"Name": "Heartbeat", "Unit": "None"},
        {"Name": "HeartbeatThrottled", "Unit": "Count"},
    ]
    assert "HeartbeatLatency" not in line


@pytest.mark.parametrize(
    ("answer", "alive", "detail"),
    [
        (ANSWER, 1, "another version answered: 16"),
        (_changed(price=9.5, model_version="15"), 1, "another version answered: 15"),
        (_changed(price="high"), 0, "price of entry 0 of predictions of the answer is of another"),
        (_refusal("ModelError", OriginalStatusCode=500), 0, "refused with ModelError 500"),
        (_refusal("ValidationError"), 0, "refused with ValidationError"),
    ],
)
def test_for_a_variant_that_is_not_there_another_one_answers(
    function: ModuleType, answer: Any, alive: int, detail: str
) -> None:
    runtime = Runtime(answer, "Champion-challenger")
    check = _check("Champion", "Champion-challenger")

    beat = function.ask(runtime, check, "Champion-challenger")

    assert beat.alive == alive
    assert beat.detail.startswith(detail)
    assert [call.get("TargetVariant") for call in runtime.calls] == ["Champion-challenger", None]


def test_other_failures_of_a_variant_are_its_own(function: ModuleType) -> None:
    runtime = Runtime(_refusal("ModelError", OriginalStatusCode=500))

    beat = function.ask(runtime, _check("Champion", "Champion-challenger"), "Champion")

    assert (beat.alive, len(runtime.calls)) == (0, 1)


def test_a_request_can_be_told_apart_in_captures(function: ModuleType) -> None:
    runtime = Runtime(ANSWER)
    for _ in range(2):
        function.ask(runtime, _check(), "AllTraffic")

    first, second = (call["InferenceId"] for call in runtime.calls)
    assert first.startswith("heartbeat-")
    assert first != second
    assert runtime.calls[0] == {
        "EndpointName": "produce-forecast-prod",
        "ContentType": "application/json",
        "Accept": "application/json",
        "Body": b'{"instances": []}',
        "InferenceId": first,
    }


def test_of_several_variants_each_is_asked(
    function: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime = Runtime(ANSWER)
    made: list[Any] = []

    def client(name: str, config: Any) -> Runtime:
        made.append((name, config))
        return runtime

    monkeypatch.setattr(function.boto3, "client", client)
    function.CHECK.update(_check("Champion", "Champion-challenger"))
    line = function.handler({}, None)
    function.handler({}, None)

    assert [call["TargetVariant"] for call in runtime.calls[:2]] == [
        "Champion",
        "Champion-challenger",
    ]
    assert line["Heartbeat"] == [1, 1]
    assert json.loads(capsys.readouterr().out.splitlines()[0]) == line
    ((name, config),) = made
    assert name == "sagemaker-runtime"
    assert (config.connect_timeout, config.read_timeout) == (2, 10)
    assert config.retries == {"total_max_attempts": 1}


def test_the_line_holds_metrics_and_what_was_wrong(function: ModuleType) -> None:
    beats = [
        function.Beat("Champion", 1, 12.5, ""),
        function.Beat("Challenger", 0, 10000.0, "no answer: ReadTimeoutError"),
        function.Beat("Third", 1, 3.0, "refused with ThrottlingException", throttled=True),
    ]

    assert function.report(_check(), beats, 1_800_000_000_000) == {
        "_aws": {
            "Timestamp": 1_800_000_000_000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "ForecastEndpoint",
                    "Dimensions": [["EndpointName"]],
                    "Metrics": [
                        {"Name": "Heartbeat", "Unit": "None"},
                        {"Name": "HeartbeatLatency", "Unit": "Milliseconds"},
                        {"Name": "HeartbeatThrottled", "Unit": "Count"},
                    ],
                }
            ],
        },
        "EndpointName": "produce-forecast-prod",
        "details": {
            "Challenger": "no answer: ReadTimeoutError",
            "Third": "refused with ThrottlingException",
        },
        "Heartbeat": [1, 0, 1],
        "HeartbeatLatency": [12.5, 10000.0],
        "HeartbeatThrottled": 1,
    }


def test_it_tolerates_what_a_starting_container_tolerates(function: ModuleType) -> None:
    assert function.TOLERANCE == container.TOLERANCE
