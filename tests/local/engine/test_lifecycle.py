"""Starting and stopping the local AWS."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from forecast_local import lifecycle
from forecast_local.processes import ProcessRecord, start_time


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    lifecycle.down(tmp_path)


@pytest.fixture
def running(account: Any) -> lifecycle.LocalAws:
    """The local AWS of the other tests, for those that neither stop nor start one."""
    return account.aws


def client(aws: lifecycle.LocalAws, service: str, **environment: Any) -> Any:
    variables = aws.environment(**environment)
    return boto3.client(
        service,
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        region_name=variables["AWS_REGION"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=variables["AWS_SESSION_TOKEN"],
    )


def test_up_twice_is_one_server_and_down_ends_it(root: Path) -> None:
    first = lifecycle.up(root)
    assert lifecycle.up(root) == first
    assert lifecycle.status(root) == first
    assert first.endpoint_url == f"http://localhost:{first.port}"
    assert client(first, "sts").get_caller_identity()["Account"] == "123456789012"
    assert lifecycle.down(root)
    assert start_time(first.pid) is None
    assert lifecycle.status(root) is None
    assert not lifecycle.down(root)


def test_port_is_remembered_and_state_is_not(root: Path) -> None:
    first = lifecycle.up(root)
    client(first, "sns").create_topic(Name="a")
    lifecycle.down(root)
    second = lifecycle.up(root)
    assert second.port == first.port
    assert client(second, "sns").list_topics()["Topics"] == []


def test_other_port_than_the_running_one_is_refused(running: lifecycle.LocalAws) -> None:
    with pytest.raises(lifecycle.LocalAwsError, match=f"runs on port {running.port}"):
        lifecycle.up(running.root, port=running.port + 1)


def test_taken_port_is_reported_with_the_log(root: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(lifecycle.LocalAwsError, match=r"server\.log"):
            lifecycle.up(root, port=port)
    assert lifecycle.status(root) is None


def test_crash_is_noticed_and_up_starts_anew(root: Path) -> None:
    first = lifecycle.up(root)
    os.kill(first.pid, signal.SIGKILL)
    while start_time(first.pid) is not None:
        time.sleep(0.05)
    assert lifecycle.status(root) is None
    second = lifecycle.up(root)
    assert second.pid != first.pid


def test_process_that_merely_has_the_recorded_id_is_left_alone(root: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        folder = root / ".forecast" / "local"
        (folder / "processes").mkdir(parents=True)
        record = {"pid": stranger.pid, "started": "another time", "role": "server"}
        (folder / "server.json").write_text(json.dumps(record), encoding="utf-8")
        (folder / "state.json").write_text('{"port": 1}', encoding="utf-8")
        (folder / "processes" / "1.json").write_text(json.dumps(record), encoding="utf-8")
        assert lifecycle.status(root) is None
        assert not lifecycle.down(root)
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}'])
def test_broken_record_is_like_none(root: Path, content: str) -> None:
    folder = root / ".forecast" / "local"
    folder.mkdir(parents=True)
    (folder / "server.json").write_text(content, encoding="utf-8")
    (folder / "state.json").write_text(content, encoding="utf-8")
    assert lifecycle.status(root) is None
    assert not lifecycle.down(root)


def test_model_servers_of_a_killed_server_are_ended(root: Path) -> None:
    aws = lifecycle.up(root)
    orphan = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    started = start_time(orphan.pid)
    assert started is not None
    ProcessRecord(orphan.pid, started, "model server").save(
        root / ".forecast" / "local" / "processes"
    )
    os.kill(aws.pid, signal.SIGKILL)
    lifecycle.up(root)
    assert orphan.wait(10) == -signal.SIGTERM


def test_server_listens_on_the_loopback_only(running: lifecycle.LocalAws) -> None:
    listening = []
    for line in Path("/proc/net/tcp").read_text(encoding="utf-8").splitlines()[1:]:
        address, state = line.split()[1], line.split()[3]
        host, _, port = address.partition(":")
        if int(port, 16) == running.port and state == "0A":
            listening.append(host)
    assert listening == ["0100007F"]


@pytest.mark.parametrize(("host", "status"), [("localhost", 200), ("evil.example", 403)])
def test_only_requests_to_localhost_are_answered(
    running: lifecycle.LocalAws, host: str, status: int
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    connection.request("GET", "/_forecast/health", headers={"Host": f"{host}:{running.port}"})
    assert connection.getresponse().status == status
    connection.close()


def test_credentials_choose_the_account(running: lifecycle.LocalAws) -> None:
    sts = client(running, "sts", account="111122223333", region="eu-west-1")
    assert sts.get_caller_identity()["Account"] == "111122223333"


def test_action_that_moto_lacks_is_refused_at_once(running: lifecycle.LocalAws) -> None:
    with pytest.raises(Exception, match="the local AWS cannot do this") as error:
        client(running, "cloudtrail").lookup_events()
    assert error.value.response["ResponseMetadata"]["RetryAttempts"] == 0  # type: ignore[attr-defined] # a ClientError


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_speed_must_be_a_positive_number(root: Path, speed: float) -> None:
    with pytest.raises(lifecycle.LocalAwsError, match="expected a positive number as the speed"):
        lifecycle.up(root, speed=speed)


def test_speed_of_the_environment_is_checked_too(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECAST_LOCAL_SPEED", "fast")
    with pytest.raises(lifecycle.LocalAwsError, match="got fast"):
        lifecycle.up(root)
