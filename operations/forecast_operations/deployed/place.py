"""Where an environment runs: its settings, and AWS there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_operations.deployed.alarms import cousins
from forecast_operations.deployed.live import Live

if TYPE_CHECKING:
    from forecast_config import EnvironmentSettings, ForecastConfig
    from forecast_operations.cloud.cloud import Cloud

_MACHINE = "OffHoursStateMachineArn"


@dataclass(frozen=True)
class Place:
    """An environment and what is deployed of it; every method raises CloudError.

    Attributes:
        settings: The environment.
        live: AWS, or the local AWS, in its region.
        cousins: Beginnings of names of alarms that look like its own and are another's.
    """

    settings: EnvironmentSettings
    live: Live
    cousins: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: EnvironmentSettings, config: ForecastConfig) -> Place:
        """An environment of a configuration, seen with the credentials of the surroundings."""
        others = cousins(settings.endpoint.name, config.environments.values())
        return cls(settings, Live.in_region(settings.region), others)

    @property
    def where(self) -> str:
        """Account and region, as a confirmation names them first."""
        return where(self.live)

    @property
    def cloud(self) -> Cloud:
        """AWS in its region."""
        return self.live.cloud

    @property
    def endpoint_name(self) -> str:
        """Name of its endpoint."""
        return self.settings.endpoint.name

    @property
    def stack(self) -> str:
        """Name of the endpoint's stack."""
        return self.settings.stack_name

    @property
    def artifacts_stack(self) -> str:
        """Name of the stack that outlives the endpoint."""
        return self.settings.artifacts_stack_name

    def bucket(self) -> str | None:
        """Name of the artifact bucket; None when the artifacts stack is not deployed."""
        return self.live.output(self.artifacts_stack, "ArtifactBucketName")

    def outputs(self) -> dict[str, str] | None:
        """Outputs of the endpoint's stack; None when it is not deployed."""
        return self.live.outputs(self.stack)

    def off_hours_machine(self) -> str | None:
        """ARN of the state machine of the off hours; None when there is none."""
        return (self.outputs() or {}).get(_MACHINE)


def where(live: Live) -> str:
    """The account of the credentials and the region, as a confirmation names them first."""
    return f"account {live.account()}, region {live.cloud.region}"
