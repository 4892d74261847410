"""The part of an environment's endpoint stack that shows: its dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.alerts import alarm_names, incident_names
from forecast_config.regions import partition_of
from forecast_constructs.dashboards.environment import EnvironmentDashboard
from forecast_constructs.dashboards.subject import Subject
from forecast_constructs.dashboards.widgets import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aws_cdk import Stack

    from forecast_config.packaged import PackagedModel
    from forecast_config.settings import EnvironmentSettings


def add_dashboard(
    stack: Stack,
    settings: EnvironmentSettings,
    *,
    packaged_models: Mapping[str, PackagedModel],
    endpoint_config_name: str | None = None,
    alarm_arns: Sequence[str] | None = None,
) -> EnvironmentDashboard | None:
    """Add the environment's dashboard, if it wants one.

    Args:
        stack: The stack of the endpoint.
        settings: The environment.
        packaged_models: What each variant serves, by the variant's name; the champion first.
        endpoint_config_name: The configuration that the stack deploys, which tells its fleet from
            earlier ones; default: the fleets are not told apart.
        alarm_arns: Alarms whose state is shown, the most severe first; default: those that follow
            from the settings.
    """
    if not settings.dashboard:
        return None
    if alarm_arns is None:
        named = (*incident_names(settings).values(), *alarm_names(settings))
        alarm_arns = render_alarm_arns(settings, stack.account, named)
    subject = Subject(
        settings=settings,
        source=Source(region=settings.region),
        packaged_models=packaged_models,
        alarm_arns=alarm_arns,
        endpoint_config_name=endpoint_config_name,
    )
    return EnvironmentDashboard(stack, "Dashboard", subject=subject)


def render_alarm_arns(
    settings: EnvironmentSettings, account: str, alarms: Iterable[str]
) -> list[str]:
    """ARNs of an environment's alarms, by their names, so that nothing waits for the alarms."""
    prefix = f"arn:{partition_of(settings.region)}:cloudwatch:{settings.region}:{account}:alarm:"
    return [f"{prefix}{name}" for name in alarms]
