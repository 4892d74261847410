"""The dashboard of one environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from forecast_config import names
from forecast_constructs.dashboards.capacity import capacity
from forecast_constructs.dashboards.header import head
from forecast_constructs.dashboards.layout import render_body
from forecast_constructs.dashboards.logs import logs
from forecast_constructs.dashboards.serving import serving
from forecast_constructs.dashboards.versions import versions

if TYPE_CHECKING:
    from forecast_constructs.dashboards.subject import Subject


class EnvironmentDashboard(Construct):
    """What runs, whether it is well, how it got there and what it costs, on one page.

    Attributes:
        dashboard_name: Its name, as a literal.
    """

    def __init__(self, scope: Construct, construct_id: str, *, subject: Subject) -> None:
        super().__init__(scope, construct_id)
        self.dashboard_name = names.dashboard(subject.name)
        cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=self.dashboard_name,
            dashboard_body=render_environment(subject),
        )


def render_environment(subject: Subject) -> str:
    """The body of an environment's dashboard: what matters first comes first."""
    return render_body(
        [
            *head(subject),
            *serving(subject),
            *versions(subject),
            *capacity(subject),
            *logs(subject),
        ]
    )
