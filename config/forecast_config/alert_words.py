"""Alerts in words: their conditions, and what is done about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from forecast_config.settings import ServerlessEndpoint

if TYPE_CHECKING:
    from forecast_config.settings import EnvironmentSettings, Response

AlertName = Literal[
    "high_latency",
    "error_rate",
    "endpoint_down",
    "model_drift",
    "cpu_utilization",
    "memory_utilization",
    "disk_utilization",
    "no_traffic",
    "overhead_latency",
    "throttling",
    "budget",
]
"""Key of an alert under `alarms`, in the order of the table."""

CONDITIONS: dict[AlertName, str] = {
    "high_latency": "the p99 of ModelLatency is over {threshold}",
    "error_rate": "over {threshold} of the requests fail",
    "endpoint_down": "the heartbeat gets no answer or a wrong one",
    "model_drift": "{metric} is over {threshold}",
    "cpu_utilization": "the average use of all cores is over {threshold}",
    "memory_utilization": "the memory is used over {threshold}",
    "disk_utilization": "the disk is used over {threshold}",
    "no_traffic": "nobody but the heartbeat asks for forecasts",
    "overhead_latency": "the p99 of OverheadLatency is over {threshold}",
    "throttling": "over {threshold} of max_concurrency is in use",
    "budget": "the month costs over {threshold} of {usd} US dollars",
}
"""When an alert fires, with the places of the threshold and of what else the settings say."""

ASYNC_DOWN = "requests wait and no instance starts"
"""The condition of `endpoint_down` where there is no heartbeat."""

UNITS = {"high_latency": " ms", "overhead_latency": " ms", "model_drift": ""}
"""Units of thresholds that are no percentages, with their space."""

_RESPONSES: dict[str, str] = {
    "notify": "notify at once",
    "page": "page on call",
    "retraining": "train and deploy a new version",
    "investigate": "investigate",
}


def minutes_text(minutes: int) -> str:
    """A time in words: "1 minute", "10 minutes", "24 hours"."""
    hours, rest = divmod(minutes, 60)
    if hours > 1 and not rest:
        return f"{hours} hours"
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def response_text(settings: EnvironmentSettings, response: Response, minutes: int) -> str:
    """What is done and when, as in "page on call, within 1 minute"."""
    text = _scaling_text(settings) if response == "scaling" else _RESPONSES[response]
    return f"{text}, within {minutes_text(minutes)}"


def _scaling_text(settings: EnvironmentSettings) -> str:
    if isinstance(settings.endpoint, ServerlessEndpoint):
        return "capacity grows by itself up to max_concurrency; raise it"
    if settings.autoscaling is None:
        return "nothing scales here: raise endpoint.initial_instance_count or set autoscaling"
    return (
        "the scaling policy adds instances; raise autoscaling.max_instance_count if all are there"
    )
