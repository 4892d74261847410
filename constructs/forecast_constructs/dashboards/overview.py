"""The dashboard of all environments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from forecast_config import names
from forecast_config.regions import partition_of
from forecast_constructs.dashboards.capacity import concurrency, instances
from forecast_constructs.dashboards.header import describe_capacity, describe_rollout, figures
from forecast_constructs.dashboards.layout import render_body
from forecast_constructs.dashboards.series import draw
from forecast_constructs.dashboards.serving import failed, latency, queue, traffic
from forecast_constructs.dashboards.widgets import Size, alarm_status, numbers, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_constructs.dashboards.layout import Row
    from forecast_constructs.dashboards.subject import Subject

_GRAPH = Size(6, 5)
_FIGURES_HEIGHT = 3
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""Address of the console by partition (AWS General Reference, "Service endpoints"; Amazon Web
Services in China and AWS GovCloud (US) user guides)."""


class OverviewDashboard(Construct):
    """Every environment with its figures, its incidents and its graphs, the last one first.

    Attributes:
        dashboard_name: Its name, as a literal.
    """

    def __init__(self, scope: Construct, construct_id: str, *, subjects: Sequence[Subject]) -> None:
        super().__init__(scope, construct_id)
        self.dashboard_name = names.overview_dashboard([subject.name for subject in subjects])
        cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=self.dashboard_name,
            dashboard_body=render_overview(subjects),
        )


def render_overview(subjects: Sequence[Subject]) -> str:
    """The body of the overview; the last environment, nearest to the clients, comes first."""
    return render_body([row for subject in reversed(subjects) for row in _rows(subject)])


def _rows(subject: Subject) -> list[Row]:
    settings = subject.settings
    title = (
        f"## {settings.name}: {_link(subject)}\n"
        f"{settings.region}, {describe_capacity(settings)}; "
        f"rollout: {describe_rollout(settings)}"
    )
    now: Row = [
        numbers(
            f"{settings.name}, last five minutes",
            draw(figures(subject)),
            subject.source,
            width=24 if not subject.alarm_arns else 18,
            height=_FIGURES_HEIGHT,
        )
    ]
    if subject.alarm_arns:
        title_of_alarms = f"{settings.name}, incidents"
        now.append(
            alarm_status(title_of_alarms, subject.alarm_arns, width=6, height=_FIGURES_HEIGHT)
        )
    return [[text(title, height=2)], now, _graphs(subject)]


def _graphs(subject: Subject) -> Row:
    return [
        traffic(subject, _GRAPH),
        failed(subject, _GRAPH),
        queue(subject, _GRAPH) if subject.is_async else latency(subject, _GRAPH),
        concurrency(subject, _GRAPH) if subject.is_serverless else instances(subject, _GRAPH),
    ]


def _link(subject: Subject) -> str:
    region, name = subject.source.region, names.dashboard(subject.name)
    console = _CONSOLES.get(partition_of(region))
    if console is None or not subject.settings.dashboard:
        return subject.name
    return (
        f"[{name}](https://{region}.{console}/cloudwatch/home?region={region}"
        f"#dashboards/dashboard/{name})"
    )
