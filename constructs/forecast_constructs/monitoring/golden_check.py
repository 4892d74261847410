"""What the heartbeat's function asks, and the one file that it is deployed as."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast_config.errors import ForecastError
from forecast_config.settings import ServerlessEndpoint
from forecast_constructs.monitoring.metrics import (
    ENDPOINT_NAMESPACE,
    HEARTBEAT,
    HEARTBEAT_LATENCY,
    HEARTBEAT_THROTTLED,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_config.packaged import PackagedModel
    from forecast_config.settings import EnvironmentSettings

READ_TIMEOUT_SECONDS = 10
"""Longest answer that the heartbeat waits for, from instances."""

COLD_START_TIMEOUT_SECONDS = 50
"""Longest answer that it waits for from a serverless endpoint, whose container may have to start;
SageMaker itself gives up after 60 seconds."""

MAX_GOLDEN_CHARACTERS = 32_768
"""Size up to which the whole example is asked; of a larger one the smallest request is.

The code travels in the template, of which CloudFormation takes 1 MB in all.
"""

_SOURCE = Path(__file__).with_name("functions") / "heartbeat.py"
_ANSWERED = 200


def render_check(
    settings: EnvironmentSettings, packaged_models: Mapping[str, PackagedModel]
) -> dict[str, Any]:
    """What the function asks, as data.

    Raises:
        ForecastError: A model has no golden requests.
    """
    serverless = isinstance(settings.endpoint, ServerlessEndpoint)
    return {
        "endpoint_name": settings.endpoint.name,
        "namespace": ENDPOINT_NAMESPACE,
        "heartbeat": HEARTBEAT,
        "latency": HEARTBEAT_LATENCY,
        "throttled": HEARTBEAT_THROTTLED,
        "read_timeout_seconds": COLD_START_TIMEOUT_SECONDS if serverless else READ_TIMEOUT_SECONDS,
        "variants": {name: choose_golden(model) for name, model in packaged_models.items()},
    }


def choose_golden(packaged_model: PackagedModel) -> dict[str, Any]:
    """The request that a model is asked, with its answer: its example, or a smaller one.

    Raises:
        ForecastError: There is no request that is answered with 200.
    """
    version = packaged_model.model.version
    if packaged_model.golden is None:
        raise ForecastError(
            f"the heartbeat needs the golden requests of version {version}, got none: package the "
            "model again, or set alarms.endpoint_down to null"
        )
    document = json.loads(packaged_model.golden.read_text("utf-8"))
    answered = [request for request in document["requests"] if request["status"] == _ANSWERED]
    if not answered:
        raise ForecastError(
            f"the heartbeat needs a golden request of version {version} that is answered with 200, "
            f"got none of {len(document['requests'])}"
        )
    example = answered[0]
    chosen = example if _size(example) <= MAX_GOLDEN_CHARACTERS else min(answered, key=_size)
    return {key: chosen[key] for key in ("name", "content_type", "accept", "body", "answer")}


def render_code(check: Mapping[str, Any]) -> str:
    """The function's one file: its source, and after it what it asks."""
    data = json.dumps(check, separators=(",", ":"))
    return f"{_SOURCE.read_text('utf-8')}\n\nCHECK.update(json.loads({data!r}))\n"


def _size(request: Mapping[str, Any]) -> int:
    return len(json.dumps(request))
