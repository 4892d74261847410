"""Captures read from S3, what is damaged in them, and which belong together."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from captured import NOW, answer_json, capture, prediction, request_json, row, side

from forecast_operations.cloud.refusals import CloudError
from forecast_operations.comparing.advice import warnings_of
from forecast_operations.comparing.captures import read_line
from forecast_operations.comparing.exchanges import DamagedError
from forecast_operations.comparing.report import as_json, as_text

if TYPE_CHECKING:
    from collections.abc import Callable

REQUEST = request_json(row("a", "2026-11-20"))
OURS, THEIRS = answer_json(prediction(5.0)), answer_json(prediction(6.0, model_version="17"))
LATER = request_json(row("b", "2026-11-21"))


def pair(world: Any, request: str = REQUEST, ours: str = OURS, theirs: str = THEIRS) -> None:
    world.storage.add("main", capture(request, ours))
    world.storage.add("main-challenger", capture(request, theirs))


def test_the_same_request_pairs_both_answers(world: Callable[..., Any]) -> None:
    account = world("shadow")
    pair(account)
    account.storage.add("main", capture(LATER, OURS))

    found = account.compare()

    assert (found.captured.matched, found.captured.alone) == (1, 0)
    (price, demand) = found.distances
    assert (price.output, price.total.cells, price.total.difference) == ("forecasted_price", 1, 1.0)
    assert price.total.outside_share == 0.0
    assert demand.total.difference == 0.0


def test_the_caller_s_id_decides_between_requests_that_are_the_same(
    world: Callable[..., Any],
) -> None:
    account = world("shadow")
    for price, caller in ((5.0, "one"), (50.0, "two")):
        account.storage.add(
            "main", capture(REQUEST, answer_json(prediction(price)), inference_id=caller)
        )
    for price, caller in ((51.0, "two"), (6.0, "one")):
        answer = answer_json(prediction(price, model_version="17"))
        account.storage.add("main-challenger", capture(REQUEST, answer, inference_id=caller))

    total = account.compare().distances[0].total

    assert (total.difference, total.distance, total.largest) == (1.0, 1.0, 1.0)


def test_requests_that_differ_by_their_type_only_are_no_pair(world: Callable[..., Any]) -> None:
    account = world("shadow")
    account.storage.add("main", capture(REQUEST, OURS))
    other = capture(REQUEST, THEIRS, kinds=("application/jsonlines", "application/json"))
    account.storage.add("main-challenger", other)

    found = account.compare()

    assert (found.captured.matched, found.captured.alone) == (0, 1)
    assert found.distances == ()
    assert any("none of the shadow's answers has a partner" in each for each in warnings_of(found))


def test_a_copy_that_is_answered_after_the_hour_s_turn_finds_its_partner(
    world: Callable[..., Any],
) -> None:
    account = world("shadow")
    turn = NOW.replace(minute=0)
    for ours, theirs in ((-1, 0), (0, -1)):
        request = request_json(row(f"item{ours}", "2026-11-20"))
        moments = [turn + timedelta(seconds=each) for each in (ours, theirs)]
        account.storage.add("main", capture(request, OURS, moment=moments[0]), moment=moments[0])
        account.storage.add(
            "main-challenger", capture(request, THEIRS, moment=moments[1]), moment=moments[1]
        )

    captured = account.compare().captured

    assert (captured.matched, captured.alone) == (2, 0)


def test_an_answer_hours_later_is_no_partner(world: Callable[..., Any]) -> None:
    account = world("shadow")
    early = NOW - timedelta(hours=5)
    account.storage.add("main", capture(REQUEST, OURS, moment=early), moment=early)
    middle = NOW - timedelta(hours=3)
    account.storage.add("main", capture(LATER, OURS, moment=middle), moment=middle)
    account.storage.add("main-challenger", capture(REQUEST, THEIRS))

    captured = account.compare().captured

    assert (captured.matched, captured.alone) == (0, 1)


@pytest.mark.parametrize("caller", ["heartbeat-1", "verification-1"])
def test_the_project_s_own_requests_are_left_out(world: Callable[..., Any], caller: str) -> None:
    account = world("shadow")
    account.storage.add("main", capture(REQUEST, OURS, inference_id=caller))
    account.storage.add("main-challenger", capture(REQUEST, THEIRS))

    found = account.compare()

    assert found.captured.matched == 0
    assert found.captured.champion.reading.own == 1
    split = world("split")
    split.storage.add("main", capture(REQUEST, OURS, inference_id=caller))
    assert split.compare().captured.champion.rows == 0


def test_forecasts_of_another_version_are_left_out_and_said(world: Callable[..., Any]) -> None:
    account = world("shadow")
    pair(account, theirs=answer_json(prediction(6.0, model_version="15")))

    found = account.compare()

    assert found.captured.challenger.other_versions == 1
    assert found.distances == ()
    assert any(
        "1 forecasts in the challenger's captures name another version than 17" in each
        for each in warnings_of(found)
    )


def test_damaged_lines_are_counted_and_the_rest_is_read(world: Callable[..., Any]) -> None:
    account = world("shadow")
    lacking = capture(REQUEST, OURS)
    del lacking["captureData"]["endpointOutput"]
    wrong = capture(REQUEST, OURS)
    wrong["captureData"]["endpointInput"] = {"data": "###", "encoding": "BASE64"}
    answer = capture(REQUEST, '{"predictions": []}')
    account.storage.add("main", "{torn", "", lacking, wrong, answer, capture(REQUEST, OURS))
    for _ in range(2):
        account.storage.add("main-challenger", capture(REQUEST, THEIRS))

    found = account.compare()

    reading = found.captured.champion.reading
    assert reading.damaged == {
        "a line that is no JSON": 1,
        "a capture without endpointOutput": 1,
        "a body that is no Base64": 1,
        "0 answers to 1 rows": 1,
    }
    assert found.captured.matched == 2
    assert found.distances[0].total.cells == 1
    (warning,) = [each for each in warnings_of(found) if "could not be read" in each]
    assert warning.startswith("4 of the champion's captured requests could not be read: 1 x ")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda line: line["eventMetadata"].pop("eventId"), "no capture"),
        (lambda line: line.pop("captureData"), "no capture"),
        (lambda line: line["eventMetadata"].update(inferenceTime="noon"), "without a time"),
        (
            lambda line: line["captureData"]["endpointInput"].update(encoding="ROT13"),
            "unknown encoding",
        ),
        (lambda line: line["captureData"].update(endpointInput=None), "no capture"),
    ],
)
def test_a_line_of_another_form_is_damaged(change: Callable[[Any], Any], why: str) -> None:
    line = capture(REQUEST, OURS)
    change(line)

    with pytest.raises(DamagedError, match=why):
        read_line(json.dumps(line).encode())
    with pytest.raises(DamagedError, match="no capture"):
        read_line(b"[]")


def test_bodies_in_base64_are_decoded() -> None:
    kinds = ("application/jsonlines", "application/json")

    found = read_line(json.dumps(capture("{}", OURS, kinds=kinds)).encode())

    assert side("{}", kinds[0])["encoding"] == "BASE64"
    assert found.request.content == b"{}"
    assert found.request.content_type == "application/jsonlines"


def test_only_the_window_is_read(world: Callable[..., Any]) -> None:
    account = world("split")
    for hours in (1, 30, 200):
        moment = NOW - timedelta(hours=hours)
        account.storage.add("main", capture(REQUEST, OURS, moment=moment), moment=moment)

    assert account.compare(since="24h").captured.champion.rows == 1
    assert account.compare(since="2d").captured.champion.rows == 2


def test_what_was_answered_by_an_older_configuration_is_not_read(
    world: Callable[..., Any],
) -> None:
    account = world("split")
    account.sagemaker.created = NOW - timedelta(hours=2)
    for hours in (1, 3):
        moment = NOW - timedelta(hours=hours)
        account.storage.add("main", capture(REQUEST, OURS, moment=moment), moment=moment)

    found = account.compare()

    assert found.captured.champion.rows == 1
    assert found.window.start == NOW - timedelta(hours=2)


def test_captures_of_the_day_before_are_read_in_any_zone(world: Callable[..., Any]) -> None:
    account = world("split")
    # Where botocore's times are in +08:00 this is tomorrow already, and captures lie by UTC.
    account.sagemaker.created = NOW.replace(day=19, hour=18, minute=10)
    moment = account.sagemaker.created + timedelta(hours=1)
    account.storage.add("main", capture(REQUEST, OURS, moment=moment), moment=moment)

    found = account.compare()

    assert found.captured.champion.rows == 1
    assert json.loads(as_json(found))["start"] == "2026-11-19T18:10:00Z"
    assert "2026-11-19 18:10 to 2026-11-20 12:30 UTC" in str(next(as_text(found)))


def test_the_limit_keeps_the_newest_and_is_said(world: Callable[..., Any]) -> None:
    account = world("split")
    for hours in range(5):
        moment = NOW - timedelta(hours=hours)
        request = request_json(row(f"item{hours}", "2026-11-20"))
        account.storage.add("main", capture(request, OURS, moment=moment), moment=moment)

    found = account.compare(limit=2)

    assert sorted(found.table.items) == ["item0", "item1"]
    assert any(
        "the limit of 2 captured requests of the champion was reached at 2026-11-20 11:00" in each
        for each in warnings_of(found)
    )


def test_a_file_that_expired_meanwhile_is_passed_over(world: Callable[..., Any]) -> None:
    account = world("split")
    account.storage.add("main", capture(REQUEST, OURS))
    (key,) = [each for each in account.storage.objects if each.startswith("data-capture/")]
    listed = {"Contents": [{"Key": key, "Size": 1}]}
    del account.storage.objects[key]
    account.storage.list_objects_v2 = lambda **_: listed

    assert account.compare().captured.champion.rows == 0


def test_a_stream_that_breaks_is_a_sentence(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import ResponseStreamingError  # noqa: PLC0415

    account = world("split")
    account.storage.add("main", capture(REQUEST, OURS))

    def broken(*_: Any) -> Any:
        raise ResponseStreamingError(error="reset")

    monkeypatch.setattr("captured.Body.iter_lines", broken)

    with pytest.raises(CloudError):
        account.compare()


@pytest.mark.parametrize("form", ["archive", "files"])
def test_a_model_whose_download_breaks_is_a_sentence(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    from botocore.exceptions import ReadTimeoutError  # noqa: PLC0415

    account = world("split")
    if form == "files":
        source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/models/16/"}
        model = {"PrimaryContainer": {"ModelDataSource": {"S3DataSource": source}}}
        account.sagemaker.describe_model = lambda **_: model
        account.storage.objects["models/16/artifacts/feature_schema.json"] = b"{}"

    def broken(*_: Any) -> Any:
        raise ReadTimeoutError(endpoint_url="https://s3")

    monkeypatch.setattr("captured.Body.read", broken)

    with pytest.raises(CloudError, match="cannot ask AWS"):
        account.compare()
