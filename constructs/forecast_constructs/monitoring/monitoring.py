"""All that watches one endpoint, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecast_constructs.monitoring.alarms import EndpointAlarms
    from forecast_constructs.monitoring.budget import EnvironmentBudget
    from forecast_constructs.monitoring.composite import IncidentAlarms
    from forecast_constructs.monitoring.heartbeat import Heartbeat


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """What watches an endpoint.

    Attributes:
        alarms: An alarm for each alert, severity and variant.
        incidents: The composite alarms, which notify.
        heartbeat: What asks the endpoint; None: nobody does.
        budget: The planned cost; None: there is none.
    """

    alarms: EndpointAlarms
    incidents: IncidentAlarms
    heartbeat: Heartbeat | None
    budget: EnvironmentBudget | None

    @property
    def alarm_names_to_mute(self) -> list[str]:
        """Alarms that must not notify while the endpoint is meant to be away, as literals.

        The composite alarms are all that notify.
        """
        return list(self.incidents.alarm_names.values())
