"""The recorder: what operators learn of requests, at what cost, and never a payload."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from forecast_inference.telemetry import emf, prometheus, recorder
from forecast_inference.telemetry.observation import Observation
from forecast_inference.telemetry.recorder import RequestRecorder, request_log
from forecast_inference.telemetry.totals import BOUNDS_NS, STAGES, add, minus, new_totals, plus

OK = Observation(
    200, "ok", rows=4, stages_ns=(10_000, 20_000, 30_000, 1_000_000, 40_000),
    out_of_range={"cost": 1}, clipped={"cost": 1}, imputed={"stock": 2},
    interval_width={"price": 2.5}, request_id="a-1",
)  # fmt: skip
REFUSED = Observation(400, "missing_feature", stages_ns=(5_000, 0, 0, 0, 0), request_id="a-2")
FAILED = Observation(500, "prediction_failed", rows=1, refused_rows=1)


def told(*observations: Observation, **options: Any) -> list[dict[str, Any]]:
    stream = io.StringIO()
    taker = RequestRecorder(stream=stream, **options)
    taker.set_model("16")
    for observation in observations:
        taker.record(observation)
    taker.stop()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_request_is_one_line_with_its_stages_and_nothing_of_its_payload() -> None:
    (line,) = told(OK)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "message": "request", "request_id": "a-1", "status": 200, "code": "ok", "rows": 4,
        "model_version": "16", "duration_us": 1100, "decode_us": 10, "validate_us": 20,
        "features_us": 30, "predict_us": 1000, "encode_us": 40, "out_of_range": {"cost": 1},
        "clipped": {"cost": 1}, "imputed": {"stock": 2},
    }  # fmt: skip


def test_stages_that_were_not_reached_are_not_in_the_line() -> None:
    (line,) = told(REFUSED)
    assert (line["status"], line["code"], line["decode_us"]) == (400, "missing_feature", 5)
    assert not {"validate_us", "predict_us", "encode_us"} & set(line)


def test_a_line_is_json_whatever_the_ids_hold() -> None:
    (line,) = told(OK._replace(request_id='"\n\\\u2028', code='"'))
    assert (line["request_id"], line["code"]) == ('"\n\\\u2028', '"')
    assert told(OK._replace(request_id=None))[0]["request_id"] is None


@pytest.mark.parametrize(
    ("log", "statuses"), [("all", [200, 400]), ("errors", [400]), ("none", [])]
)
def test_the_variable_says_which_requests_are_logged(log: str, statuses: list[int]) -> None:
    assert request_log({"FORECAST_REQUEST_LOG": log}) == log
    assert [line["status"] for line in told(OK, REFUSED, log=log)] == statuses


def test_an_unknown_choice_logs_everything() -> None:
    assert request_log({"FORECAST_REQUEST_LOG": "some"}) == "all"
    assert request_log({}) == "all"


def test_the_minute_is_one_emf_document_within_its_limits() -> None:
    observations = [OK] * 3 + [REFUSED, FAILED]
    (document,) = told(*observations, log="none", endpoint="produce", variant="champion")
    aws = document["_aws"]
    assert aws["Timestamp"] > 1_700_000_000_000
    (directive,) = aws["CloudWatchMetrics"]
    assert directive["Namespace"] == "ForecastEndpoint"
    assert directive["Dimensions"] == [["Endpoint", "Variant", "ModelVersion"]]
    assert (document["Endpoint"], document["Variant"], document["ModelVersion"]) == (
        "produce", "champion", "16",
    )  # fmt: skip
    names = [metric["Name"] for metric in directive["Metrics"]]
    assert set(names) <= set(document)
    assert len(names) == len(set(names)) <= emf.MAX_METRICS
    assert (document["Requests"], document["RefusedRequests"], document["FailedRequests"]) == (
        5,
        1,
        1,
    )
    assert (document["Rows"], document["RefusedRows"]) == (13, 1)
    assert document["OutOfRangeShare"] == pytest.approx(3 / 13, abs=1e-6)
    assert (document["ClippedValues"], document["ImputedValues"]) == (3, 6)
    assert document["out_of_range_share"] == {"cost": pytest.approx(3 / 13, abs=1e-6)}
    assert document["IntervalWidth_price"] == pytest.approx(2.5)
    latency = document["PredictLatency"]
    assert (latency["Counts"], latency["Count"], latency["Sum"]) == ([3], 3, 3000)
    assert latency["Values"][0] == pytest.approx(1000, rel=0.13)


def test_no_metrics_are_written_without_an_endpoint_nor_without_requests() -> None:
    assert told(OK, log="none") == []
    assert told(log="none", endpoint="produce") == []


def test_a_minute_holds_only_what_came_in_it() -> None:
    stream = io.StringIO()
    taker = RequestRecorder(log="none", endpoint="produce", stream=stream)
    for count in (3, 0, 2):
        for _ in range(count):
            taker.record(OK)
        taker._write_minute()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["Requests"] for line in lines] == [3, 2]
    assert [line["IntervalWidth_price"] for line in lines] == [2.5, 2.5]


def test_an_emf_document_of_many_outputs_and_features_stays_within_the_limits() -> None:
    totals = new_totals()
    names = [f"feature_{number}" for number in range(500)]
    add(
        totals,
        OK._replace(out_of_range=dict.fromkeys(names, 1), interval_width=dict.fromkeys(names, 1.0)),
    )
    document = emf.document(totals, {"Endpoint": "e" * 2000, "Variant": ""}, 1)
    assert document is not None
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert len(directive["Metrics"]) == emf.MAX_METRICS
    assert directive["Dimensions"] == [["Endpoint"]]
    assert len(document["Endpoint"]) == emf.MAX_DIMENSION_LENGTH
    assert len(json.dumps(document)) < 256 * 1024


def test_latencies_of_any_size_are_counted_with_their_quantiles() -> None:
    totals = new_totals()
    for taken in (1, 999, 5_000_000, 70_000_000_000, 10**15):
        add(totals, Observation(200, "ok", 1, stages_ns=(0, 0, 0, taken, 0)))
    histogram = totals["latencies"]["predict"]
    assert sum(histogram["buckets"]) == 5
    assert histogram["buckets"][0] == histogram["buckets"][-1] == 2
    value = (emf.document(totals, {"Endpoint": "e"}, 1) or {})["PredictLatency"]
    assert sum(value["Counts"]) == value["Count"] == 5
    assert len(BOUNDS_NS) < 100  # so that no value has more, which EMF would not take


def test_totals_add_up_and_a_minute_is_their_difference() -> None:
    one, other = new_totals(), new_totals()
    add(one, OK)
    add(other, REFUSED)
    add(other, OK)
    both = plus(one, other)
    assert both["requests"] == {"200 ok": 2, "400 missing_feature": 1}
    assert both["rows"] == 8
    assert plus({}, both) == both
    difference = minus(both, one)
    assert difference["rows"] == other["rows"]
    assert difference["latencies"] == other["latencies"]
    assert json.loads(json.dumps(both)) == both  # workers leave them in files
    add(both, OK)
    assert (one["interval_width"], other["interval_width"]) == (
        {"price": {"rows": 4, "sum": 10.0}}, {"price": {"rows": 4, "sum": 10.0}},
    )  # fmt: skip


def test_prometheus_reads_every_line() -> None:
    totals = new_totals()
    for observation in (OK, REFUSED, FAILED):
        add(totals, observation)
    text = prometheus.exposition(totals, 'pro"duce\n', "16").decode()
    assert 'forecast_model{name="pro\\"duce\\n",version="16"} 1' in text
    assert 'forecast_requests_total{status="400",code="missing_feature"} 1' in text
    assert 'forecast_clipped_values_total{feature="cost"} 1' in text
    assert 'forecast_interval_width_sum{output="price"} 10.0' in text
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            assert name.startswith("forecast_")
            float(value)
    buckets = [
        (line.split('le="')[1].split('"')[0], int(line.rpartition(" ")[2]))
        for line in text.splitlines()
        if line.startswith('forecast_duration_seconds_bucket{stage="predict"')
    ]
    counts = [count for _, count in buckets]
    assert counts == sorted(counts)
    assert buckets[-1] == ("+Inf", 1)
    assert dict(buckets)["0.001024"] == 1
    assert dict(buckets)["0.000512"] == 0


def test_a_recorder_never_raises_and_goes_on_after_what_it_cannot_read() -> None:
    broken: Any = (200, "ok")
    lines = told(broken, OK)
    assert [line["request_id"] for line in lines] == ["a-1"]


def test_memory_is_bounded_and_what_is_lost_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "MAX_WAITING", 10)
    taker = RequestRecorder(log="none")
    for _ in range(25):
        taker.record(OK)
    totals = taker.totals()
    assert totals["requests"] == {"200 ok": 10}
    assert totals["dropped"] == 15


def test_a_reader_of_the_log_that_is_gone_harms_nobody() -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    taker = RequestRecorder(stream=Gone())
    taker.start()
    taker.record(OK)
    taker.stop()
    assert taker.totals()["rows"] == 4


def test_a_worker_goes_on_from_its_predecessor_s_totals() -> None:
    first = RequestRecorder(log="none")
    first.record(OK)
    second = RequestRecorder(log="none", before=json.loads(json.dumps(first.totals())))
    second.record(OK)
    assert second.totals()["requests"] == {"200 ok": 2}
    assert set(second.totals()["latencies"]) == {"handler", *STAGES}
