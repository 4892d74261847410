"""What went wrong, from the containers' logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config import names
from forecast_constructs.dashboards.widgets import log_table, text

if TYPE_CHECKING:
    from forecast_constructs.dashboards.layout import Row
    from forecast_constructs.dashboards.subject import Subject

_BY_CODE = (
    'filter message = "request" and status >= 400',
    "stats count(*) as requests, max(@timestamp) as last by status, code, model_version",
    "sort requests desc",
    "limit 20",
)
_LATEST = (
    'filter (message = "request" and status >= 500) or @message like /Traceback|CRITICAL|ERROR/',
    "fields @timestamp, status, code, request_id, model_version, @message",
    "sort @timestamp desc",
    "limit 20",
)


def logs(subject: Subject) -> list[Row]:
    """Rows of the refused and failed requests; the log holds nothing of a request's body."""
    group = names.endpoint_log_group(subject.name)
    return [
        [text("## What went wrong", height=1)],
        [
            log_table(
                "Refused and failed requests, by reason", group, _BY_CODE, subject.source, width=10
            ),
            log_table("Latest failures", group, _LATEST, subject.source, width=14),
        ],
    ]
