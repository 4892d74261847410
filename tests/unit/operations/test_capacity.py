"""`forecast capacity`: where the history comes from, what is refused, and what is printed."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import yaml
from botocore.exceptions import NoCredentialsError
from moto import mock_aws

from forecast_config import ConfigError, ForecastError
from forecast_operations.capacity.cloudwatch_history import period_seconds
from forecast_operations.capacity.csv_history import read_csv
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.commands.capacity import capacity_command

if TYPE_CHECKING:
    from collections.abc import Callable

SCALING = {
    "min_instance_count": 2,
    "max_instance_count": 8,
    "targets": {"requests": {"kind": "invocations_per_instance", "per_minute": 300}},
}
REALTIME = {"kind": "realtime", "instance_type": "ml.m5.large", "initial_instance_count": 2}
HEAD = "timestamp,invocations\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    cpu = {**SCALING, "targets": {"cpu": {"kind": "cpu_utilization", "percent": 60}}}
    shanghai = {
        **SCALING,
        "scheduled": {
            "night": {
                "schedule": "cron(0 20 * * ? *)",
                "timezone": "Asia/Shanghai",
                "min_instance_count": 2,
            }
        },
    }
    document = {
        "model": {
            "name": "forecaster",
            "candidate": {"approval": {"name": "status", "value": "approved"}},
        },
        "allowed_regions": ["eu-central-1"],
        "defaults": {
            "region": "eu-central-1",
            "image": {"kind": "aws", "framework": "scikit-learn", "version": "1.9-0"},
            "tags": {"team": "forecasting", "cost_centre": "CC-1"},
        },
        "environments": {
            "live": {"endpoint": {"name": "forecast-live", **REALTIME}, "autoscaling": SCALING},
            "cores": {"endpoint": {"name": "forecast-cores", **REALTIME}, "autoscaling": cpu},
            "china": {"endpoint": {"name": "forecast-china", **REALTIME}, "autoscaling": shanghai},
            "fixed": {"endpoint": {"name": "forecast-fixed", **REALTIME}},
            "idle": {"endpoint": {"kind": "serverless", "name": "idle", "memory_mib": 2048}},
            "queue": {"endpoint": {**REALTIME, "kind": "async", "name": "queue"}},
        },
    }
    path = tmp_path / "forecast.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def _rows(days: int = 28, zone: str = "+00:00") -> str:
    """Hourly: 300 requests a minute, and 1,500 from 8 to 10 o'clock."""
    begin = datetime(2026, 1, 5, tzinfo=UTC)
    return HEAD + "".join(
        f"{(begin + timedelta(hours=hour)).strftime('%Y-%m-%dT%H:%M:%S')}{zone},"
        f"{(1500 if hour % 24 in {8, 9} else 300) * 60}\n"
        for hour in range(days * 24)
    )


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "requests.csv"
        path.write_text(text)
        return path

    return write


def test_standard_output_is_the_block_to_add(
    config: Path, file: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    capacity_command("live", csv=file(_rows()), headroom=0.0, config=config)

    printed = capsys.readouterr()
    assert yaml.safe_load(printed.out) == {
        "scheduled": {
            "daily-0750": {
                "schedule": "cron(50 7 * * ? *)",
                "timezone": "Etc/UTC",
                "min_instance_count": 5,
            },
            "daily-1000": {
                "schedule": "cron(0 10 * * ? *)",
                "timezone": "Etc/UTC",
                "min_instance_count": 2,
            },
        }
    }
    assert "history: 28 days in steps of 60 min from 2026-01-05T00:00:00Z" in printed.err
    assert "each row is taken for 60 minutes; peaks within them are not seen" in printed.err
    assert "Mon " in printed.err


def test_the_document_for_programs(
    config: Path, file: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    capacity_command("china", csv=file(_rows(zone="")), config=config, as_json=True)

    document = json.loads(capsys.readouterr().out)
    # The time zone is that of the environment's own actions: 8 hours ahead of the file's UTC.
    assert {name: each["timezone"] for name, each in document["scheduled"].items()} == {
        "daily-1550": "Asia/Shanghai",
        "daily-1800": "Asia/Shanghai",
    }
    assert document["history"]["requests"] == 28 * 60 * (22 * 300 + 2 * 1500)
    assert document["needed_instance_count"] == 6
    assert document["replay"]["short_share"] == 0
    assert document["notes"][0] == "672 timestamps without a zone were taken for UTC"


@pytest.mark.parametrize(
    ("environment", "options", "message"),
    [
        ("cores", {}, "cores has no scaling target of kind invocations_per_instance; say how"),
        ("fixed", {}, "fixed has no scaling target of kind invocations_per_instance"),
        ("idle", {}, "expected an environment on instances, got idle, which is serverless"),
        ("live", {"per_instance": 0.0}, "--per-instance: expected more than 0 requests, got 0"),
        ("live", {"timezone": "Mars/Olympus"}, "expected an IANA time zone .* got 'Mars/Olympus'"),
        ("live", {"timezone": "../etc/passwd"}, "expected an IANA time zone"),
        ("queue", {"per_instance": 9.0}, "an asynchronous endpoint publishes no Invocations"),
    ],
)
def test_what_cannot_be_planned_is_refused(
    environment: str, options: dict[str, Any], message: str, config: Path
) -> None:
    with pytest.raises(ForecastError, match=message):
        capacity_command(environment, config=config, **options)


def test_an_unknown_environment_is_refused(config: Path) -> None:
    with pytest.raises(ConfigError, match="got 'moon'"):
        capacity_command("moon", config=config)


def test_an_environment_that_does_not_scale_is_told_what_it_needs(
    config: Path, file: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    capacity_command("fixed", csv=file(_rows()), per_instance=100.0, headroom=0.0, config=config)

    assert "give it autoscaling with a max_instance_count of at least 15" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected the columns timestamp and invocations, got nothing"),
        ("time,invocations\n", ":1: expected .* got no timestamp in time, invocations"),
        (f"{HEAD}yesterday,5\n", ":2: timestamp: expected one such as .* got 'yesterday'"),
        (f"{HEAD}2026-01-05T00:00:00Z,many\n", ":2: invocations: expected a number .* got 'many'"),
        (f"{HEAD}2026-01-05T00:00:00Z,-1\n", ":2: invocations: expected .*, got '-1'"),
        (f"{HEAD}2026-01-05T00:00:00Z,nan\n", ":2: invocations: expected .*, got 'nan'"),
        (f"{HEAD}\n2026-01-05T00:00:00Z\n", ":3: row: expected 2 or more columns, got 1"),
        (HEAD, "has no requests"),
        (f"{HEAD}2026-01-05T00:00:00Z,1\n", "expected 7 to 1100 days of history, got 0.0"),
        (
            f"{HEAD}2026-01-05T00:00:00Z,1\n2026-01-05T02:00:00Z,1\n",
            "rows that are 1, 2, .* 60 minutes apart, got 120 minutes",
        ),
        (
            f"{HEAD}2026-01-05T00:00:00Z,1\n2026-01-05T00:07:00Z,1\n",
            "rows that are 1, 2, .* 60 minutes apart, got 7 minutes",
        ),
    ],
)
def test_a_file_of_another_form_is_refused_by_line_and_column(
    text: str, message: str, file: Callable[[str], Path]
) -> None:
    with pytest.raises(ForecastError, match=message):
        read_csv(file(text))


def test_many_mistakes_are_shown_in_part(file: Callable[[str], Path]) -> None:
    with pytest.raises(ForecastError) as refused:
        read_csv(file(HEAD + "never,none\n" * 10))

    lines = str(refused.value).splitlines()
    assert len(lines) == 6
    assert lines[-1] == "and 15 more"


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ForecastError, match="No such file"):
        read_csv(tmp_path / "requests.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ForecastError, match="expected UTF-8"):
        read_csv(tmp_path / "binary.csv")


def test_columns_stand_in_any_order_and_beside_others(file: Callable[[str], Path]) -> None:
    text = "\ufeffendpoint,Invocations,Timestamp\n" + "".join(
        f"a,60,2026-01-{day:02}T{hour:02}:00:00+08:00\n"
        for day in range(5, 13)
        for hour in range(24)
    )
    history = read_csv(file(text))

    assert set(history.per_minute) == {1.0}
    assert history.notes == ("each row is taken for 60 minutes; peaks within them are not seen",)


def test_single_requests_are_counted_by_the_minute(file: Callable[[str], Path]) -> None:
    begin = datetime(2026, 1, 5, tzinfo=UTC)
    moments = [begin + timedelta(days=day, seconds=second) for day in range(8) for second in (1, 9)]
    history = read_csv(file(HEAD + "".join(f"{each.isoformat()},1\n" for each in moments)))

    assert history.step_seconds == 60
    assert history.requests.max() == 2
    assert history.requests.sum() == 16
    assert history.days == pytest.approx(7, abs=0.01)


@pytest.mark.parametrize(("days", "seconds"), [(15, 60), (16, 300), (63, 300), (64, 3600)])
def test_cloudwatch_is_asked_for_the_finest_that_it_keeps(days: int, seconds: int) -> None:
    assert period_seconds(days) == seconds


@pytest.fixture
def requests_in_cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        dimensions = {"EndpointName": "forecast-live", "VariantName": "AllTraffic"}
        data = [
            {
                "MetricName": "Invocations",
                "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
                "Timestamp": end - timedelta(hours=hour, minutes=30),
                "Value": 120.0,
            }
            for hour in range(8 * 24)
        ]
        client = boto3.client("cloudwatch", region_name="eu-central-1")
        client.put_metric_data(Namespace="AWS/SageMaker", MetricData=data)
        yield


@pytest.mark.usefixtures("requests_in_cloudwatch")
def test_the_history_is_read_from_cloudwatch(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capacity_command("live", days=10, config=config, as_json=True)

    history = json.loads(capsys.readouterr().out)["history"]
    assert history["source"] == "CloudWatch, forecast-live"
    assert history["step_seconds"] == 60
    assert history["requests"] == pytest.approx(8 * 24 * 120, abs=240)


@pytest.mark.usefixtures("requests_in_cloudwatch")
def test_an_endpoint_without_requests_is_named(config: Path) -> None:
    with pytest.raises(ForecastError, match="knows of no requests to forecast-china in 10 days"):
        capacity_command("china", days=10, config=config)


def test_cloudwatch_that_does_not_answer_is_one_sentence(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Client:
        def get_paginator(self, _: str) -> Any:
            return self

        def paginate(self, **_: Any) -> Any:
            raise NoCredentialsError
            yield

    monkeypatch.setattr(Cloud, "client", lambda *_: Client())

    with pytest.raises(ForecastError, match=r"cannot read the requests of forecast-live .* --csv"):
        capacity_command("live", config=config)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_plot_is_a_picture_and_the_same_each_time(
    suffix: str, config: Path, file: Callable[[str], Path], tmp_path: Path
) -> None:
    pictures = []
    for number in range(2):
        picture = tmp_path / f"plan{number}{suffix}"
        capacity_command("live", csv=file(_rows()), plot=picture, config=config)
        pictures.append(picture.read_bytes())

    assert pictures[0] == pictures[1]
    if suffix == ".png":
        assert pictures[0].startswith(b"\x89PNG")
        assert struct.unpack(">II", pictures[0][16:24]) == (1200, 700)
    else:
        assert b"<svg" in pictures[0]


def test_a_plot_of_another_kind_is_refused_before_anything_is_read(
    config: Path, tmp_path: Path
) -> None:
    with pytest.raises(ForecastError, match=r"ending in \.svg or \.png, got .*plan\.gif"):
        capacity_command("live", plot=tmp_path / "plan.gif", config=config)


def test_the_command_is_there_and_its_mistakes_have_no_traceback(config: Path) -> None:
    command = [str(Path(sys.executable).with_name("forecast")), "capacity", "cores"]
    result = subprocess.run(
        [*command, "--config", str(config)], capture_output=True, text=True, check=False
    )

    assert result.returncode == 1
    assert result.stderr.startswith("error: cores has no scaling target of kind")
    assert "Traceback" not in result.stderr
