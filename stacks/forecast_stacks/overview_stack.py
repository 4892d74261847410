"""The stack of what is shown of all environments together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import DefaultStackSynthesizer, Stack, Tags

from forecast_config import names
from forecast_config.alerts import incident_names
from forecast_config.errors import ForecastError
from forecast_config.overview import shown_together
from forecast_constructs.dashboards.overview import OverviewDashboard
from forecast_constructs.dashboards.subject import Subject
from forecast_constructs.dashboards.widgets import Source
from forecast_stacks.dashboard_part import render_alarm_arns
from forecast_stacks.destination import stack_environment

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from constructs import Construct

    from forecast_config.settings import EnvironmentSettings

_PART = "overview"


class ForecastOverviewStack(Stack):
    """A dashboard across environments, in the account and region of the last of them.

    What another account has is shown only when that account shares it (CloudWatch user guide,
    "CloudWatch cross-account observability").

    Attributes:
        dashboard_name: Name of the dashboard.
    """

    def __init__(
        self, scope: Construct, environments: Sequence[EnvironmentSettings], **options: Any
    ) -> None:
        """Define the stack.

        Args:
            scope: The app or stage.
            environments: The environments, from the first to the last that a version reaches.
            **options: Further properties of a stack.
        """
        home = environments[-1]
        name = names.stack(home.stack_prefix, _PART)
        super().__init__(
            scope,
            name,
            stack_name=name,
            env=stack_environment(home),
            description="Dashboard of all environments",
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            **options,
        )
        dashboard = OverviewDashboard(
            self,
            "Overview",
            subjects=[self._render_subject(settings, home) for settings in environments],
        )
        self.dashboard_name = dashboard.dashboard_name
        Tags.of(self).add("team", home.tags.team)
        Tags.of(self).add("cost-centre", home.tags.cost_centre)

    def _render_subject(self, settings: EnvironmentSettings, home: EnvironmentSettings) -> Subject:
        # An account that is not known here is that of the credentials, as the overview's own is.
        elsewhere = settings.account is not None and settings.account != home.account
        account = settings.account if elsewhere else None
        return Subject(
            settings=settings,
            source=Source(region=settings.region, account=account),
            alarm_arns=render_alarm_arns(
                settings, account or self.account, incident_names(settings).values()
            ),
        )


def add_overview(
    scope: Construct,
    environments: Sequence[EnvironmentSettings],
    *,
    selected: Collection[str] | None = None,
) -> ForecastOverviewStack | None:
    """Add the overview of those environments that have a dashboard.

    It belongs to the last of them, and shows them all whichever are synthesized with it.

    Args:
        scope: The app or stage.
        environments: All environments, from the first to the last that a version reaches.
        selected: Names of those that are synthesized; default: all of them.

    Returns:
        The stack; None when there are no two environments to compare (`shown_together`), or when
        the last of them is not synthesized.

    Raises:
        ForecastError: An environment's stack has the name of the overview's.
    """
    shown = shown_together(environments)
    if not shown or not (selected is None or shown[-1].name in selected):
        return None
    taken = [
        each.name
        for each in environments
        if each.stack_name == names.stack(each.stack_prefix, _PART)
    ]
    if taken:
        raise ForecastError(
            f"environments: expected no environment called '{_PART}', which is the name of the "
            f"stack across environments, got '{taken[0]}'; rename it, or set dashboard: false"
        )
    return ForecastOverviewStack(scope, shown)
