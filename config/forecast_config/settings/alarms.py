"""When an endpoint calls for help, and whom it calls."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from forecast_config.settings.base import Settings
from forecast_config.settings.fields import Distinct, Matching

Email = Annotated[
    str, Matching(r"^[^@\s]+@[^@\s]+\.[^@\s]+$", "an e-mail address such as team@example.com")
]

Recipients = Annotated[tuple[Email, ...], Distinct]

Severity = Literal["critical", "high", "medium"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium")


class NotificationSettings(Settings):
    """E-mail addresses by severity; each must confirm its subscription once."""

    critical: Recipients = ()
    """Whom to wake."""

    high: Recipients = ()
    """Whom to notify at once."""

    medium: Recipients = ()
    """Whom to tell in working hours."""


class AlarmSettings(Settings):
    """Thresholds of the endpoint's alarms."""

    latency_p99_ms: Annotated[float, Field(gt=0, le=60_000)] = 2000
    """Model latency that 99 % of the requests must stay under, in milliseconds (medium)."""

    error_rate_percent: Annotated[float, Field(gt=0, le=100)] = 5
    """Share of requests that the endpoint may fail, in percent (high)."""

    error_rate_minutes: Annotated[int, Field(ge=1, le=1440)] = 10
    """Minutes that the share must be exceeded for."""

    rollback_error_count: Annotated[int, Field(ge=1, le=1_000_000)] = 5
    """Failed requests of a new fleet within a minute that undo its rollout (critical)."""

    notifications: NotificationSettings = NotificationSettings()
    """Whom the alarms reach."""
