"""What model servers print reaches CloudWatch Logs, under the names that SageMaker gives."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hosted import invoke

from forecast_local.sagemaker import container_logs
from forecast_local.simulation import Simulation

GROUP = "/aws/sagemaker/Endpoints/shop"


@pytest.fixture
def aws() -> Iterator[Simulation]:
    with Simulation() as simulation:
        yield simulation


@pytest.fixture
def log(tmp_path: Path, aws: Simulation) -> Iterator[Path]:
    """A log file with a line of an earlier run, followed from now on."""
    path = tmp_path / "shop-config-main.log"
    path.write_text("of an earlier run\n")
    where = {"account": aws.account, "region": aws.region}
    container_logs.follow(path, endpoint="shop", variant="main", **where)
    yield path
    container_logs.finish(path)


def _messages(aws: Simulation) -> list[str]:
    found = aws.client("logs").filter_log_events(logGroupName=GROUP)["events"]
    assert {event["logStreamName"].partition("/i-")[0] for event in found} <= {"main"}
    return [event["message"] for event in found]


def _append(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def test_whole_lines_are_told_once_and_from_now_on(aws: Simulation, log: Path) -> None:
    _append(log, "one\n\ntwo, which is being wri")
    container_logs.tell()
    container_logs.tell()
    assert _messages(aws) == ["one"]

    _append(log, "tten\n")
    container_logs.tell()
    assert _messages(aws) == ["one", "two, which is being written"]


def test_the_end_of_a_server_is_told_and_nothing_after_it(aws: Simulation, log: Path) -> None:
    _append(log, "the last words\n")
    container_logs.finish(log)
    aws.client("logs").delete_log_group(logGroupName=GROUP)
    _append(log, "from beyond\n")

    container_logs.tell()
    container_logs.finish(log)

    assert aws.client("logs").describe_log_groups()["logGroups"] == []


def test_a_log_that_is_gone_is_no_error(aws: Simulation, log: Path) -> None:
    log.unlink()

    container_logs.tell()

    assert aws.client("logs").describe_log_groups()["logGroups"] == []


def test_a_request_is_seen_in_the_log_of_its_endpoint(
    account: Any, stack: str, endpoint_name: str, hosting: Callable[..., dict[str, Any]]
) -> None:
    assert account.deploy(stack, hosting(endpoint_name, account.upload("1"))) == "CREATE_COMPLETE"
    invoke(account, endpoint_name)

    group = f"/aws/sagemaker/Endpoints/{endpoint_name}"
    deadline = time.monotonic() + 15
    found: list[Any] = []
    while not found and time.monotonic() < deadline:
        time.sleep(0.3)
        if account.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            events = account.client("logs").filter_log_events(logGroupName=group)["events"]
            found = [event for event in events if "POST /invocations" in event["message"]]

    assert found[0]["logStreamName"].startswith("main/i-")
