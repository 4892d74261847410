"""The table of an environment's alerts as it follows from the settings, and the alarms' names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_config import names
from forecast_config.alert_words import ASYNC_DOWN, CONDITIONS, UNITS, response_text
from forecast_config.settings import (
    SEVERITIES,
    AsyncEndpoint,
    ServerlessEndpoint,
    SplitRollout,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_config.alert_words import AlertName
    from forecast_config.settings import EnvironmentSettings, Response, Severity

RUNBOOKS = "docs/runbooks.md"
"""Page of the runbooks when the settings name no other place."""

ASYNC_START_MINUTES = 15
"""Minutes that requests may wait for a first instance: an asynchronous endpoint at zero needs
several to start one, and that is no failure."""

_INSTANCES_ONLY = frozenset({"cpu_utilization", "disk_utilization"})
_PER_VARIANT = frozenset(
    {
        "high_latency",
        "error_rate",
        "cpu_utilization",
        "memory_utilization",
        "disk_utilization",
        "overhead_latency",
        "throttling",
    }
)


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One line of the table.

    Attributes:
        name: Its key under `alarms`.
        thresholds: The threshold by severity, most severe first; None where there is no number.
        unit: Unit of the thresholds, with its space; empty for none.
        minutes: Minutes that the condition must hold for.
        response: What is done about it.
        response_text: The response and its time in words, as in "page on call, within 1 minute".
        respond_within_minutes: Time in which it is done.
        runbook_url: Page that says how.
        condition: The condition in words, with the place of the threshold.
        per_variant: Whether each production variant has an alarm of its own.
    """

    name: AlertName
    thresholds: Mapping[Severity, float | None]
    unit: str
    minutes: int
    response: Response
    response_text: str
    respond_within_minutes: int
    runbook_url: str
    condition: str
    per_variant: bool

    @property
    def title(self) -> str:
        """The name in words, as in "CPU utilization"."""
        return self.name.replace("_", " ").capitalize().replace("Cpu", "CPU")

    def condition_at(self, severity: Severity) -> str:
        """The condition in words, as in "over 5 % of the requests fail"."""
        threshold = self.thresholds[severity]
        shown = "" if threshold is None else f"{threshold:g}{self.unit}"
        return self.condition.replace("{threshold}", shown)


def alerts(settings: EnvironmentSettings) -> tuple[Alert, ...]:
    """The alerts that are on and that the endpoint's mode has a metric for, in the table's order.

    What a mode publishes: Amazon SageMaker developer guide, "Alarms and logs for tracking metrics
    from serverless endpoints" and "… from asynchronous endpoints". Requests that are refused for
    lack of capacity are counted for a serverless endpoint only, as its share of max_concurrency.
    """
    return tuple(_alert(settings, name) for name in CONDITIONS if _is_watched(settings, name))


def production_variant_names(settings: EnvironmentSettings) -> tuple[str, ...]:
    """Variants whose answers clients get, the champion first; a shadow is none of them."""
    champion = settings.endpoint.variant_name
    if isinstance(settings.rollout, SplitRollout):
        return champion, names.challenger_variant(champion)
    return (champion,)


def has_heartbeat(settings: EnvironmentSettings) -> bool:
    """Whether a function asks the endpoint; of an asynchronous one it would wake the instances."""
    return settings.alarms.endpoint_down is not None and not isinstance(
        settings.endpoint, AsyncEndpoint
    )


def alarm_name(
    settings: EnvironmentSettings, alert: Alert, severity: Severity, variant_name: str
) -> str:
    """Name of the alarm of an alert, as in `produce-forecast-prod-high-latency-medium`.

    The champion's names hold no variant, so that they stay when a challenger comes and goes.
    """
    words = alert.name.replace("_", "-")
    return names.alarm(
        settings.endpoint.name, f"{variant_prefix(settings, variant_name)}{words}-{severity}"
    )


def variant_prefix(settings: EnvironmentSettings, variant_name: str) -> str:
    """What the alarms of a variant start with: its name, or nothing for the champion."""
    return "" if variant_name == settings.endpoint.variant_name else f"{variant_name}-"


def alarms_by_severity(settings: EnvironmentSettings) -> dict[Severity, tuple[str, ...]]:
    """Names of the alarms of each severity, most severe first, those that undo a rollout too."""
    found: dict[Severity, list[str]] = {severity: [] for severity in SEVERITIES}
    for alert in alerts(settings):
        if alert.name == "budget":
            continue
        for severity, variant in alarms_of(settings, alert):
            found[severity].append(alarm_name(settings, alert, severity, variant))
    found[settings.alarms.rollback.severity].extend(rollback_alarm_names(settings))
    return {severity: tuple(named) for severity, named in found.items()}


def alarms_of(settings: EnvironmentSettings, alert: Alert) -> Iterator[tuple[Severity, str]]:
    """Severity and variant of each alarm of an alert."""
    variants = production_variant_names(settings)
    for severity in alert.thresholds:
        for variant in variants if alert.per_variant else variants[:1]:
            yield severity, variant


def alarm_names(settings: EnvironmentSettings) -> tuple[str, ...]:
    """Names of all alarms on metrics, most severe first; none of them notifies by itself."""
    return tuple(name for named in alarms_by_severity(settings).values() for name in named)


def incident_names(settings: EnvironmentSettings) -> dict[Severity, str]:
    """Names of the composite alarms, which notify, by severity; none where nothing is watched."""
    return {
        severity: names.alarm(settings.endpoint.name, f"incident-{severity}")
        for severity, named in alarms_by_severity(settings).items()
        if named
    }


def rollback_alarm_names(settings: EnvironmentSettings) -> tuple[str, ...]:
    """Names of the alarms that undo a rollout; a serverless endpoint has no rollouts to undo."""
    if isinstance(settings.endpoint, ServerlessEndpoint):
        return ()
    kinds = ["failed-requests"]
    if rollback_latency_ms(settings) is not None:
        kinds.append("latency")
    return tuple(
        rollback_alarm_name(settings, variant, kind)
        for variant in production_variant_names(settings)
        for kind in kinds
    )


def rollback_alarm_name(settings: EnvironmentSettings, variant_name: str, kind: str) -> str:
    """Name of an alarm that undoes a rollout, as in `produce-forecast-prod-rollback-latency`."""
    prefix = variant_prefix(settings, variant_name)
    return names.alarm(settings.endpoint.name, f"{prefix}rollback-{kind}")


def rollback_latency_ms(settings: EnvironmentSettings) -> float | None:
    """The p99 of the new fleet's latency that undoes a rollout; None: latency undoes nothing.

    The default is made for answers that a client waits for. An asynchronous endpoint, which may
    work on a request for an hour, has a threshold only where the settings name one.
    """
    rollback = settings.alarms.rollback
    if isinstance(settings.endpoint, AsyncEndpoint) and (
        "latency_p99_ms" not in rollback.model_fields_set
    ):
        return None
    return rollback.latency_p99_ms


def rollback_runbook(settings: EnvironmentSettings) -> str:
    """Page that says what to do after a rollout was undone."""
    return _runbook_url(settings, "rollback", None)


def _is_watched(settings: EnvironmentSettings, name: AlertName) -> bool:
    if getattr(settings.alarms, name) is None:
        return False
    endpoint = settings.endpoint
    if isinstance(endpoint, ServerlessEndpoint):
        return name not in _INSTANCES_ONLY
    if name == "throttling":
        return False
    if isinstance(endpoint, AsyncEndpoint) and name == "high_latency":
        # As with `rollback_latency_ms`, the default is not meant for it.
        return name in settings.alarms.model_fields_set
    return not (isinstance(endpoint, AsyncEndpoint) and name == "overhead_latency")


def _alert(settings: EnvironmentSettings, name: AlertName) -> Alert:
    line = getattr(settings.alarms, name)
    minutes, condition = line.minutes, CONDITIONS[name]
    if name == "endpoint_down" and isinstance(settings.endpoint, AsyncEndpoint):
        minutes, condition = max(minutes, ASYNC_START_MINUTES), ASYNC_DOWN
    if name == "model_drift":
        condition = condition.replace("{metric}", line.metric_name)
    if name == "budget":
        condition = condition.replace("{usd}", f"{line.monthly_usd:g}")
    return Alert(
        name=name,
        thresholds=_thresholds(line),
        unit=UNITS.get(name, " %"),
        minutes=minutes,
        response=line.response,
        response_text=response_text(settings, line.response, line.respond_within_minutes),
        respond_within_minutes=line.respond_within_minutes,
        runbook_url=_runbook_url(settings, name, line.runbook_url),
        condition=condition,
        per_variant=name in _PER_VARIANT,
    )


def _thresholds(line: Any) -> dict[Severity, float | None]:
    for field in ("thresholds_ms", "thresholds_percent", "thresholds"):
        given: dict[Severity, float] | None = getattr(line, field, None)
        if given is not None:
            return {severity: given[severity] for severity in SEVERITIES if severity in given}
    severity: Severity = line.severity
    return {severity: None}


def _runbook_url(settings: EnvironmentSettings, name: str, url: str | None) -> str:
    if url is not None:
        return url
    page = name.replace("_", "-")
    base = settings.alarms.runbook_base_url
    return f"{RUNBOOKS}#{page}" if base is None else f"{base.rstrip('/')}/{page}"
