"""Traffic, latency and shares of two variants, and which variants are compared."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from captured import HERE, NOW

from forecast_config import ForecastError
from forecast_operations.comparing.advice import warnings_of
from forecast_operations.comparing.finishing import next_steps
from forecast_operations.comparing.window import window_of

if TYPE_CHECKING:
    from collections.abc import Callable

BUSY = {"Invocations": 9000.0, "p50": 5000.0, "p90": 9000.0, "p99": 20_000.0}


@pytest.fixture
def split(world: Callable[..., Any]) -> Any:
    account = world("split", weight=1 / 9)
    account.watch.variants = {
        "main": dict(BUSY),
        "main-challenger": {**BUSY, "Invocations": 1000.0},
    }
    account.without_captures()
    return account


def test_traffic_is_that_of_the_configuration_in_milliseconds(split: Any) -> None:
    champion, challenger = split.compare().traffic

    assert (champion.invocations, challenger.invocations) == (9000, 1000)
    assert (champion.p50_ms, champion.p90_ms, champion.p99_ms) == (5.0, 9.0, 20.0)
    assert champion.error_rate == 0
    assert champion.hours[0].p99_ms == 20.0
    asked = split.watch.asked[0]["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"]
    assert {"Name": "EndpointConfigName", "Value": "config-2"} in asked


def test_metrics_of_the_variant_stand_in_where_there_are_none_of_the_configuration(
    split: Any,
) -> None:
    split.watch.by_configuration = False

    assert split.compare().traffic[0].invocations == 9000


def test_shares_that_fit_the_weights_are_no_mismatch(split: Any) -> None:
    found = split.compare()

    assert found.sharing.configured == pytest.approx(0.1)
    assert found.sharing.received == pytest.approx(0.1)
    assert found.sharing.p_value == pytest.approx(1.0, abs=0.05)
    assert not any("mismatch" in each for each in warnings_of(found))


def test_shares_that_chance_does_not_explain_are_a_warning(split: Any) -> None:
    split.watch.variants["main-challenger"]["Invocations"] = 1200.0

    found = split.compare()

    assert found.sharing.is_mismatch
    (warning,) = [each for each in warnings_of(found) if "mismatch" in each]
    assert "got 11.76% of the requests and its weight is 10.00%" in warning


def test_heartbeats_do_not_count_for_the_shares(split: Any) -> None:
    # The heartbeat asks both variants, each as often, whatever their weights.
    split.watch.heartbeats = 2 * 500.0
    for variant in split.watch.variants.values():
        variant["Invocations"] += 500.0

    found = split.compare()

    assert found.sharing.own_requests == (500, 500)
    assert found.sharing.received == pytest.approx(0.1)
    assert not found.sharing.is_mismatch


def test_a_shadow_s_share_is_that_of_the_champion_and_is_not_tested(
    world: Callable[..., Any],
) -> None:
    account = world("shadow", weight=0.5)
    account.watch.variants = {"main": dict(BUSY), "main-challenger": {"Invocations": 4400.0}}
    account.without_captures()

    sharing = account.compare().sharing

    assert (sharing.configured, sharing.p_value, sharing.is_mismatch) == (0.5, None, False)
    assert sharing.received == pytest.approx(4400 / 9000)


def test_more_failures_of_the_challenger_are_a_warning(split: Any) -> None:
    split.watch.variants["main-challenger"]["Invocation5XXErrors"] = 20.0

    warnings = warnings_of(split.compare())

    assert any("20 of 1000, and 0 of 9000 of the champion's" in each for each in warnings)
    split.watch.variants["main-challenger"]["Invocation5XXErrors"] = 1.0
    split.watch.variants["main"]["Invocation5XXErrors"] = 9.0
    assert not any("fail" in each for each in warnings_of(split.compare()))


def test_no_requests_are_said(split: Any) -> None:
    split.watch.variants = {"main": dict(BUSY)}

    assert "main-challenger got no requests of clients in the window" in warnings_of(
        split.compare()
    )
    split.watch.variants = {}
    found = split.compare()
    assert found.sharing.received is None
    assert found.traffic[0].error_rate is None
    assert found.traffic[0].p50_ms is None


def test_without_captures_the_way_to_them_is_shown(split: Any) -> None:
    found = split.compare()

    assert found.answer == "not enough data"
    assert any("requests are not captured" in each for each in warnings_of(found))
    assert next_steps(found)[-1].command == "forecast deploy prod"


@pytest.mark.parametrize("kind", ["shadow", "split"])
def test_both_variants_and_their_versions_are_found(world: Callable[..., Any], kind: str) -> None:
    account = world(kind)
    account.without_captures()

    contest = account.compare().contest

    assert contest.kind == kind
    assert (contest.champion.name, contest.champion.version) == ("main", "16")
    assert (contest.challenger.name, contest.challenger.version) == ("main-challenger", "17")


def test_after_a_rollback_the_versions_are_not_claimed(world: Callable[..., Any]) -> None:
    account = world("shadow")
    account.without_captures()
    account.stacks.outputs["EndpointConfigName"] = "config-3"

    found = account.compare()

    assert found.contest.challenger.version is None
    assert any("the last rollout was undone" in each for each in warnings_of(found))


def test_an_endpoint_without_a_challenger_is_refused(world: Callable[..., Any]) -> None:
    with pytest.raises(
        ForecastError, match=r"forecast serves main, expected main and a challenger"
    ):
        world(None).compare()


def test_an_endpoint_that_is_not_there_is_refused(world: Callable[..., Any]) -> None:
    from botocore.exceptions import ClientError  # noqa: PLC0415

    account = world()

    def missing(**_: Any) -> Any:
        error = {"Error": {"Code": "ValidationException", "Message": "Could not find endpoint"}}
        raise ClientError(error, "DescribeEndpoint")

    account.sagemaker.describe_endpoint = missing

    with pytest.raises(ForecastError, match=r"there is no endpoint forecast.*forecast deploy prod"):
        account.compare()


@pytest.mark.parametrize(
    ("archive", "why"),
    [
        (None, "expected the model's files at s3://bucket/models/16.gz"),
        (b"no archive", "expected a model archive"),
    ],
)
def test_an_archive_that_cannot_be_read_is_refused(
    world: Callable[..., Any], archive: bytes | None, why: str
) -> None:
    account = world()
    if archive is None:
        del account.storage.objects["models/16.gz"]
    else:
        account.storage.objects["models/16.gz"] = archive

    with pytest.raises(ForecastError, match=why):
        account.compare()


def test_the_schema_of_a_model_in_files_is_read(world: Callable[..., Any]) -> None:
    account = world()
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/models/16/"}
    model = {"PrimaryContainer": {"ModelDataSource": {"S3DataSource": source}}}
    account.sagemaker.describe_model = lambda **_: model
    account.storage.objects["models/16/artifacts/feature_schema.json"] = b'{"inputs": []}'

    with pytest.raises(ForecastError, match="expected inputs and outputs"):
        account.compare()


@pytest.mark.parametrize("since", ["90m", "24h", "7d", "4w"])
def test_a_window_ends_now(since: str) -> None:
    window = window_of(since, NOW)

    hours = {"90m": 1.5, "24h": 24, "7d": 168, "4w": 672}[since]
    assert (window.end, window.length) == (NOW, timedelta(hours=hours))


@pytest.mark.parametrize(
    ("since", "why"),
    [
        ("7", "expected a length such as"),
        ("1.5d", "expected a length such as"),
        ("0h", "back to 455d"),
        ("456d", "back to 455d"),
    ],
)
def test_a_window_of_another_form_is_refused(since: str, why: str) -> None:
    with pytest.raises(ForecastError, match=f"--since: .*{why}.*, got {since!r}"):
        window_of(since, NOW)


def test_a_window_may_begin_at_a_time() -> None:
    assert window_of("2026-11-20T08:00+08:00", NOW).start == NOW.replace(hour=0, minute=0)


def test_a_window_cut_by_a_moment_keeps_that_whole_second() -> None:
    asked = window_of("24h", NOW)
    second = NOW.replace(microsecond=0) - timedelta(hours=2)

    cut = asked.not_before(second + timedelta(milliseconds=700))

    assert (cut.start, cut.end) == (second, NOW)
    assert asked.not_before(second.astimezone(HERE)).start.tzinfo is UTC
    assert asked.not_before(NOW - timedelta(days=2)) == asked
