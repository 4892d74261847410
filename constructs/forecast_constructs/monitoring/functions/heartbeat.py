"""Asks the endpoint a golden request, and compares the answer with the recorded one.

It runs in AWS Lambda as one file (`index.py`), to whose end `CHECK` is appended where it is
deployed. Its metrics leave as a log line in CloudWatch's embedded metric format, so that it needs
neither a permission nor a network path for them.
"""

from __future__ import annotations

import csv
import io
import json
import math
import time
from typing import Any, NamedTuple
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

TOLERANCE = 1e-3
"""Relative difference allowed between an answer and the recorded one, as when a container starts:
well above what library versions and processors change, well below a confusion of features."""

TIMESTAMP = "prediction_timestamp"
VERSION = "model_version"
THROTTLED = frozenset({"ThrottlingException", "TooManyRequestsException"})
NO_VARIANT = "ValidationError"
CONNECT_TIMEOUT_SECONDS = 2

CHECK: dict[str, Any] = {}
"""What is asked: endpoint, metrics and, for each variant, the golden request and its answer."""

_clients: dict[str, Any] = {}


class Beat(NamedTuple):
    """What came of asking one variant.

    Attributes:
        variant: The variant.
        alive: 1 for the right answer, 0 for another one or none. 1 as well when it was throttled:
            an endpoint that has more requests than it takes is busy, not down.
        milliseconds: Time until the answer, or until it was given up.
        detail: What was wrong or remarkable, in words; never the request or the answer.
        throttled: Whether it was refused for being one request too many.
    """

    variant: str
    alive: int
    milliseconds: float
    detail: str
    throttled: bool = False


def handler(event: object, context: object) -> dict[str, Any]:
    """Ask every variant once, and publish what came of it."""
    del event, context
    if "runtime" not in _clients:
        _clients["runtime"] = boto3.client(
            "sagemaker-runtime",
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                read_timeout=CHECK["read_timeout_seconds"],
                retries={"total_max_attempts": 1},
            ),
        )
    beats = [ask(_clients["runtime"], CHECK, variant) for variant in CHECK["variants"]]
    line = report(CHECK, beats, round(time.time() * 1000))
    print(json.dumps(line))  # noqa: T201 - a log line is how metrics leave a function
    return line


def ask(runtime: Any, check: dict[str, Any], variant: str) -> Beat:
    """Ask one variant its golden request."""
    golden = check["variants"][variant]
    started = time.monotonic()
    alive, detail = 0, ""
    try:
        body, anyone = _answer(runtime, check, variant)
    except ClientError as error:
        status = error.response.get("OriginalStatusCode", "")
        detail = f"refused with {_code(error)} {status}".rstrip()
        if _code(error) in THROTTLED:
            return Beat(variant, 1, _since(started), detail, throttled=True)
    except (BotoCoreError, OSError) as error:
        detail = f"no answer: {type(error).__name__}"
    except UnicodeDecodeError:
        detail = "the answer is no text"
    else:
        detail = compare(body, golden, anyone=anyone)
        alive = int(not detail or detail.startswith("another version"))
    return Beat(variant, alive, _since(started), detail)


def compare(body: str, golden: dict[str, Any], *, anyone: bool = False) -> str:
    """What is different about an answer; nothing for the right one.

    While a rollout is under way either version may answer. An answer that names another version,
    or that anyone may have given, is compared for its shape only, and the text that is returned
    starts with "another version".
    """
    try:
        found, wanted = _read(body, golden["accept"]), golden["answer"]
    except ValueError:
        return f"the answer is no {golden['accept']}"
    if isinstance(wanted, str):
        wanted = _read(wanted, golden["accept"])
    found, wanted = _without_time(found), _without_time(wanted)
    versions = sorted(set(_versions(found)))
    if anyone or (versions and versions != sorted(set(_versions(wanted)))):
        difference = _difference(found, wanted, "the answer", shape_only=True)
        return difference or f"another version answered: {', '.join(versions) or 'unnamed'}"
    return _difference(found, wanted, "the answer", shape_only=False)


def report(check: dict[str, Any], beats: list[Beat], timestamp_ms: int) -> dict[str, Any]:
    """The log line: the metrics of the beats, and for people what was wrong.

    The format is that of the Amazon CloudWatch user guide, "Embedded metric format specification".
    Without a value there is no metric: no latency when all were throttled, and no count when none.
    """
    throttled = sum(beat.throttled for beat in beats)
    # Of a throttled request the time says nothing.
    times = [beat.milliseconds for beat in beats if not beat.throttled]
    values: dict[str, tuple[str, Any]] = {
        check["heartbeat"]: ("None", [beat.alive for beat in beats]),
        check["latency"]: ("Milliseconds", times),
        check["throttled"]: ("Count", throttled),
    }
    published = {name: value for name, value in values.items() if value[1]}
    directive = {
        "Namespace": check["namespace"],
        "Dimensions": [["EndpointName"]],
        "Metrics": [{"Name": name, "Unit": unit} for name, (unit, _) in published.items()],
    }
    return {
        "_aws": {"Timestamp": timestamp_ms, "CloudWatchMetrics": [directive]},
        "EndpointName": check["endpoint_name"],
        "details": {beat.variant: beat.detail for beat in beats if beat.detail},
        **{name: value for name, (_, value) in published.items()},
    }


def _answer(runtime: Any, check: dict[str, Any], variant: str) -> tuple[str, bool]:
    """An answer, and whether any variant may have given it.

    When a split begins or ends, this function asks for a variant that the endpoint does not have
    until its update is done: SageMaker then refuses the request with a ValidationError, and the
    other variant answers for it.
    """
    several = len(check["variants"]) > 1
    if several:
        try:
            return _invoke(runtime, check, variant, TargetVariant=variant), False
        except ClientError as error:
            if _code(error) != NO_VARIANT:
                raise
    return _invoke(runtime, check, variant), several


def _invoke(runtime: Any, check: dict[str, Any], variant: str, **target: str) -> str:
    golden = check["variants"][variant]
    response = runtime.invoke_endpoint(
        EndpointName=check["endpoint_name"],
        ContentType=golden["content_type"],
        Accept=golden["accept"],
        Body=golden["body"].encode(),
        InferenceId=f"heartbeat-{uuid4()}",
        **target,
    )
    text: str = response["Body"].read().decode()
    return text


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def _since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)


def _read(text: str, content_type: str) -> Any:
    if content_type == "text/csv":
        return list(csv.DictReader(io.StringIO(text)))
    if content_type == "application/jsonlines":
        return [json.loads(line) for line in text.splitlines()]
    return json.loads(text)


def _without_time(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_time(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_time(item) for key, item in value.items() if key != TIMESTAMP}
    return value


def _versions(value: Any) -> list[str]:
    if isinstance(value, list):
        return [version for item in value for version in _versions(item)]
    if isinstance(value, dict):
        named = [str(value[VERSION])] if VERSION in value else []
        return named + [version for item in value.values() for version in _versions(item)]
    return []


def _difference(found: Any, wanted: Any, where: str, *, shape_only: bool) -> str:
    if isinstance(wanted, dict) and isinstance(found, dict):
        if found.keys() != wanted.keys():
            return f"{where} has other keys than recorded"
        pairs = [(f"{key} of {where}", found[key], wanted[key]) for key in wanted]
    elif isinstance(wanted, list) and isinstance(found, list):
        if len(found) != len(wanted):
            return f"{where} has {len(found)} entries, expected {len(wanted)}"
        pairs = [
            (f"entry {number} of {where}", found[number], value)
            for number, value in enumerate(wanted)
        ]
    elif shape_only:
        return "" if _is_number(found) == _is_number(wanted) else f"{where} is of another type"
    else:
        return "" if _is_close(found, wanted) else f"{where} is not as recorded"
    differences = (
        _difference(one, other, place, shape_only=shape_only) for place, one, other in pairs
    )
    return next(filter(None, differences), "")


def _is_number(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _is_close(found: Any, wanted: Any) -> bool:
    if found == wanted:
        return True
    if not (_is_number(found) and _is_number(wanted)):
        return False
    return math.isclose(float(found), float(wanted), rel_tol=TOLERANCE, abs_tol=TOLERANCE**2)
