"""Logs: which lines, how they read, and what is said when there are none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from operated import NAME

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.refusals import CloudError, CredentialsError, NotAllowedError
from forecast_operations.commands import logs as command
from forecast_operations.commands.logs import logs_command
from forecast_operations.moments import ago, parse_since
from forecast_operations.watching.logs import LogEvent, Wanted, follow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from forecast_local.simulation import Simulation
    from forecast_operations.deployed.place import Place

GROUP = f"/aws/sagemaker/Endpoints/{NAME}"
STREAM = "AllTraffic/i-0123"
REQUEST = {
    "time": "2026-11-21T11:41:19.774+00:00",
    "message": "request",
    "request_id": "388a-1",
    "status": 200,
    "code": "ok",
    "rows": 3,
    "refused_rows": 1,
    "model_version": "2",
    "duration_us": 1949,
    "decode_us": 79,
    "out_of_range": {"price": 2},
}
PROBLEM = {"level": "error", "message": "a worker ended", "traceback": "Traceback\n  ValueError: x"}
TEXT = "Killed process 7 (python), out of memory"


@pytest.fixture
def write(aws: Simulation) -> Callable[..., None]:
    """Lines of a stream, as documents or text."""

    def put(*lines: Any, stream: str = STREAM, group: str = GROUP) -> None:
        client = aws.client("logs")
        if not client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            client.create_log_group(logGroupName=group)
        known = client.describe_log_streams(logGroupName=group)["logStreams"]
        if stream not in [each["logStreamName"] for each in known]:
            client.create_log_stream(logGroupName=group, logStreamName=stream)
        now = int(datetime.now(UTC).timestamp() * 1000)
        events = [
            {"timestamp": now, "message": line if isinstance(line, str) else json.dumps(line)}
            for line in lines
        ]
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    return put


def test_what_matters_of_a_request_comes_first(
    write: Callable[..., None], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(REQUEST, PROBLEM, TEXT, {"_aws": {"Timestamp": 1}, "Requests": 4})

    logs_command("live", config=config)

    request, problem, traceback, cause, text, metrics = capsys.readouterr().out.splitlines()
    assert request[10] == " "
    # The zone is said, as those who read it are in another one.
    assert request[19:21] == "Z "
    assert request.endswith(
        f'{STREAM} 200 ok · 3 rows, 1 refused · 1.9 ms · version 2 · 388a-1 {{"out_of_range": '
        '{"price": 2}}'
    )
    assert "error a worker ended" in problem
    assert [traceback.strip(), cause.strip()] == ["Traceback", "ValueError: x"]
    assert text.endswith(TEXT)
    assert metrics.endswith('metrics {"Requests": 4}')


def test_lines_are_chosen_by_variant_problem_and_pattern(
    write: Callable[..., None], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(REQUEST, {**REQUEST, "status": 503, "code": "busy"}, PROBLEM, TEXT)
    write({"level": "info", "message": "started"}, "a line", stream="AllTraffic-challenger/i-1")

    def shown(**options: Any) -> list[dict[str, Any]]:
        logs_command("live", config=config, as_json=True, **options)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert len(shown()) == 6
    assert [each["stream"] for each in shown(variant="AllTraffic")] == [STREAM] * 4
    assert [
        each["message"] if isinstance(each["message"], str) else each["message"]["message"]
        for each in shown(errors=True)
    ] == ["request", "a worker ended", TEXT]
    assert [each["message"] for each in shown(pattern="memory")] == [TEXT]


def test_raw_lines_are_as_they_were_written(
    write: Callable[..., None], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(REQUEST, "[bold]text[/bold]")

    logs_command("live", config=config, raw=True)

    assert capsys.readouterr().out.splitlines() == [json.dumps(REQUEST), "[bold]text[/bold]"]


def test_the_heartbeat_has_a_log_of_its_own(
    write: Callable[..., None], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beat = {"EndpointName": NAME, "details": {}, "Heartbeat": [1]}
    wrong = {**beat, "details": {"AllTraffic": "the answer is not as recorded"}}
    write(beat, wrong, stream="2027/01/04/x", group=f"/aws/lambda/{NAME}-heartbeat")

    logs_command("live", config=config, heartbeat=True, errors=True)

    (line,) = capsys.readouterr().out.splitlines()
    assert "not as recorded" in line


@pytest.mark.usefixtures("aws")
def test_a_group_that_is_not_there_is_a_sentence(config: Path) -> None:
    with pytest.raises(ForecastError, match=rf"no log group {GROUP} in eu-central-1: live was"):
        logs_command("live", config=config)
    with pytest.raises(ForecastError, match="the environment has no heartbeat"):
        logs_command("live", config=config, heartbeat=True)


def test_no_events_say_where_was_looked(
    write: Callable[..., None], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("a line")

    logs_command("live", config=config, errors=True)

    told = capsys.readouterr()
    assert told.out == ""
    assert f"no such events in {GROUP} since " in told.err


def test_a_missing_permission_is_not_taken_for_an_empty_log(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Iterator[Any]:
        raise NotAllowedError("the permission is missing", "AccessDenied", "logs:FilterLogEvents")
        yield

    monkeypatch.setattr(Cloud, "pages", refuse)

    with pytest.raises(NotAllowedError, match="the permission is missing"):
        logs_command("live", config=config)


def test_following_tells_each_line_once_and_those_that_come_late(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = datetime.now(UTC)
    looks: list[list[int]] = [[0], [0, 5], [0, 5, 3], [40, 3]]
    asked: list[int] = []

    def pages(*_: Any, startTime: int, **__: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        asked.append(startTime)
        for second in looks[len(asked) - 1]:
            at = int((begin + timedelta(seconds=second)).timestamp() * 1000)
            if at >= startTime:
                event = {"eventId": str(second), "timestamp": at, "message": str(second)}
                yield {**event, "logStreamName": STREAM}

    monkeypatch.setattr(Cloud, "pages", pages)
    pauses: list[None] = []

    found = islice(follow(place, Wanted(), begin, lambda: pauses.append(None), print), 4)

    assert [event.message for event in found] == ["0", "5", "3", "40"]
    assert len(pauses) == 3
    assert min(asked) == asked[0]


@pytest.mark.parametrize(
    ("wanted", "behind"),
    [(Wanted(errors=True), timedelta(seconds=31)), (Wanted(pattern="x"), timedelta(minutes=3))],
)
def test_following_does_not_read_again_what_nobody_wanted(
    place: Place, monkeypatch: pytest.MonkeyPatch, wanted: Wanted, behind: timedelta
) -> None:
    begin = datetime.now(UTC) - timedelta(minutes=30)
    last = datetime.now(UTC)
    asked: list[datetime] = []

    def pages(*_: Any, startTime: int, **arguments: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        asked.append(datetime.fromtimestamp(startTime / 1000, UTC))
        # CloudWatch itself leaves out what no filter pattern finds.
        for minute in range(0 if "filterPattern" in arguments else 31):
            at = begin + timedelta(minutes=minute)
            if at >= asked[-1]:
                event = {"eventId": str(minute), "timestamp": int(at.timestamp() * 1000)}
                yield {**event, "message": '{"status": 200}', "logStreamName": STREAM}

    def pause() -> None:
        if len(asked) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Cloud, "pages", pages)

    with pytest.raises(KeyboardInterrupt):
        next(follow(place, wanted, begin, pause, print))

    assert asked[0] <= begin
    assert asked[1] > last - behind
    assert asked[2] >= asked[1]


def test_an_instance_whose_clock_is_fast_hides_nothing_of_the_others(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = datetime.now(UTC)
    looks = iter([[("fast", 3600)], [("late", 1)]])

    def pages(*_: Any, startTime: int, **__: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        for name, second in next(looks):
            at = int((begin + timedelta(seconds=second)).timestamp() * 1000)
            if at >= startTime:
                event = {"eventId": name, "timestamp": at, "message": name}
                yield {**event, "logStreamName": STREAM}

    monkeypatch.setattr(Cloud, "pages", pages)

    found = islice(follow(place, Wanted(), begin, lambda: None, print), 2)

    assert [event.message for event in found] == ["fast", "late"]


def test_a_look_that_is_refused_is_repeated(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = datetime.now(UTC)
    at = int(begin.timestamp() * 1000) + 1
    errors: list[CloudError] = [
        CloudError("for now", "ThrottlingException"),
        CredentialsError("they have expired", "ExpiredToken"),
    ]
    looks = iter([["1"], ["2", errors[0]], ["2", "3"], [errors[1]]])

    def pages(*_: Any, **__: Any) -> Iterator[dict[str, Any]]:
        for each in next(looks):
            if isinstance(each, CloudError):
                raise each
            yield {"eventId": each, "timestamp": at, "message": each, "logStreamName": STREAM}

    monkeypatch.setattr(Cloud, "pages", pages)
    refused: list[CloudError] = []
    found = []

    def look() -> None:
        for event in follow(place, Wanted(), begin, lambda: None, refused.append):
            found.append(event.message)  # noqa: PERF401 - what came before the end counts

    with pytest.raises(CredentialsError, match="have expired"):
        look()

    assert found == ["1", "2", "3"]
    assert refused == [errors[0]]


def test_following_says_why_it_reads_nothing(
    write: Callable[..., None],
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write("a line")
    pages, looks = Cloud.pages, [0]

    def refusing(*given: Any, **arguments: Any) -> Any:
        looks[0] += 1
        if looks[0] == 1:
            raise CloudError("AWS refuses for now", "ThrottlingException")
        if looks[0] == 3:
            raise KeyboardInterrupt
        return pages(*given, **arguments)

    monkeypatch.setattr(Cloud, "pages", refusing)
    monkeypatch.setattr(command.time, "sleep", lambda _: None)

    logs_command("live", config=config, follow_on=True)

    told = capsys.readouterr()
    assert "a line" in told.out
    assert "UTC, trying again: AWS refuses for now" in told.err


def test_following_ends_quietly(
    write: Callable[..., None],
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write("a line")

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command.time, "sleep", interrupt)

    logs_command("live", config=config, follow_on=True)

    assert "a line" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ('{"status": 200}', False),
        ('{"status": 404}', True),
        ('{"level": "warning"}', True),
        ('{"level": "info", "message": "error"}', False),
        ("{not json, an Exception", True),
        ("[1]", False),
        ("started", False),
    ],
)
def test_problems_are_told_from_the_rest(message: str, *, problem: bool) -> None:
    event = LogEvent("1", datetime.now(UTC), STREAM, message)

    assert event.is_problem is problem


def test_a_time_is_a_length_or_a_moment() -> None:
    now = datetime(2027, 1, 4, 8, tzinfo=UTC)

    assert parse_since("90m", now) == datetime(2027, 1, 4, 6, 30, tzinfo=UTC)
    assert parse_since("2027-01-04T07:00", now) == datetime(2027, 1, 4, 7, tzinfo=UTC)
    assert ago(parse_since("26h", now), now) == "1 d"
    assert parse_since("2027-01-04T15:00+08:00", now) == datetime(2027, 1, 4, 7, tzinfo=UTC)
    assert parse_since("2027-01-04T15:00+08:00", now).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["half an hour", "-5m", "5y", "", "999999d", "1960-01-01", "0001-01-01", "2027-01-04T08:01"],
)
def test_a_time_that_nothing_can_be_since_is_refused(text: str) -> None:
    now = datetime(2027, 1, 4, 8, tzinfo=UTC)

    with pytest.raises(ForecastError, match=r"--since: expected a length such as 30m"):
        parse_since(text, now)
