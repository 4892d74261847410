"""How an endpoint gets its first fleet, and how a new fleet takes over from the old one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from forecast_local import context
from forecast_local.sagemaker.endpoint import HostedEndpoint
from forecast_local.sagemaker.fleet import Fleet, ServerPlan
from forecast_local.sagemaker.generation import Generation
from forecast_local.sagemaker.rollout import RolledBackError, Rollout, RolloutPlan


@dataclass(frozen=True)
class Takeover:
    """A new fleet on its way into service.

    Attributes:
        endpoint: The endpoint.
        generation: What it shall serve.
        plans: Its model servers.
        s3: boto3 client of the account's S3.
    """

    endpoint: HostedEndpoint
    generation: Generation
    plans: list[ServerPlan]
    s3: Any

    def first(self) -> None:
        """Start the first fleet; the endpoint is in service, or has failed, afterwards."""
        started = self._start()
        if started is not None:
            self.endpoint.enter_service(started)

    def update(self, plan: RolloutPlan, tripped: Callable[[Sequence[str]], list[str]]) -> None:
        """Roll a new fleet out; it serves, or the old one does again, afterwards.

        Args:
            plan: The steps.
            tripped: Returns the watched alarms that are in ALARM.
        """
        started = self._start()
        if started is None:
            return
        rollout = Rollout(
            plan,
            context.current().clock,
            shift=lambda step: self.endpoint.shift(started, step),
            tripped=tripped,
        )
        try:
            rollout.run()
        except Exception as error:  # noqa: BLE001 - whatever it is, the old fleet must go on serving
            self._undo(started, error)
            return
        self.endpoint.switch(started)

    def _undo(self, started: Generation, error: Exception) -> None:
        self.endpoint.begin_rollback()
        if started.fleet is not None:
            started.fleet.stop()
        known = isinstance(error, RolledBackError)
        self.endpoint.fail(str(error) if known else f"{type(error).__name__}: {error}")

    def _start(self) -> Generation | None:
        running = context.current()
        try:
            fleet: Fleet = running.build_fleet(self.plans, running.state_dir)
            fleet.start(self.s3)
        except Exception as error:  # noqa: BLE001 - whatever it is, the endpoint must not stay "Creating"
            self.endpoint.fail(str(error))
            return None
        return replace(self.generation, fleet=fleet)
