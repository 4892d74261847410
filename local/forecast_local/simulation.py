"""A simulated account: templates are deployed in this process, without servers and without waiting.

Everything goes through the same deployment engine, the same handlers and the same limits as in the
local AWS. What is missing: model servers, model data (taken to exist) and the passing of time; an
alarm goes off when it is told to.

    with Simulation() as aws:
        assert aws.deploy("ForecastProd", first).succeeded
        outcome = aws.deploy("ForecastProd", second, alarm=ANY_ALARM)
        assert outcome.status == "UPDATE_ROLLBACK_COMPLETE"

One simulation at a time in a process: moto's state belongs to the process.
"""

import json
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import cloudformation_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.base_backend import BackendDict
from moto.sagemaker.models import sagemaker_backends
from moto.utilities.utils import get_partition

from forecast_local import context
from forecast_local.clients import ACCOUNT
from forecast_local.clock import SimulatedClock
from forecast_local.cloudformation.models import LocalCloudFormationBackend
from forecast_local.cloudformation.stack import LocalStack
from forecast_local.extensions import install
from forecast_local.inprocess import InProcessClients
from forecast_local.outcome import REFUSED, Outcome, StackEvent, stack_events
from forecast_local.sagemaker.endpoint import HostedEndpoint
from forecast_local.sagemaker.fleet import ImaginaryFleet
from forecast_local.sagemaker.rollout import rollback_alarms

__all__ = ["ANY_ALARM", "REFUSED", "Outcome", "Simulation", "StackEvent"]

ANY_ALARM = "*"
"""The first rollback alarm of each endpoint in the template."""

_START = datetime(2027, 1, 4, 8, 0, 0)  # noqa: DTZ001 - moto's times have no zone
_CLIENTS = InProcessClients()
_installed: list[bool] = []


class Simulation:
    """A fresh account.

    Args:
        region: Its region.
        account: Its id, which a template may name.
        made_up_imports: Whether exports that no stack here has are made up, so that a stack can be
            deployed without those that it imports from.
    """

    def __init__(
        self,
        *,
        region: str = "us-east-1",
        account: str = ACCOUNT,
        made_up_imports: bool = True,
    ) -> None:
        self.region = region
        self.account = account
        self._made_up_imports = made_up_imports
        self._clock = SimulatedClock(_START, self._on_wait)
        self._pending: dict[str, float] = {}
        self._tripped: list[str] = []
        self._began_seconds = 0.0
        self._document: dict[str, Any] = {}

    def __enter__(self) -> Self:
        if not _installed:
            install()
            _installed.append(True)
        BackendDict.reset()
        context.enter(
            context.RuntimeContext(
                state_dir=Path(tempfile.gettempdir()) / "forecast-simulation",
                clients=_CLIENTS,
                clock=self._clock,
                build_fleet=ImaginaryFleet,
                in_background=lambda work: work(),
                is_simulated=True,
            )
        )
        return self

    def __exit__(self, *exception: object) -> None:
        context.leave()
        BackendDict.reset()

    def client(self, service: str) -> Any:
        """Return a boto3 client of the account."""
        return _CLIENTS.client(service, account=self.account, region=self.region)

    def endpoint(self, name: str) -> dict[str, Any]:
        """Return the answer of DescribeEndpoint."""
        return dict(self.client("sagemaker").describe_endpoint(EndpointName=name))

    def resources(self, stack: str) -> dict[str, str]:
        """Return the physical ids of a stack's resources by logical id."""
        found = self._stack(stack)
        known = {} if found is None else found.resources
        return {key: item.physical_resource_id for key, item in known.items()}

    def deploy(
        self,
        stack: str,
        template: Mapping[str, Any] | str,
        *,
        parameters: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        alarm: str | None = None,
        after_seconds: float = 0.0,
    ) -> Outcome:
        """Create or update a stack, to its very end.

        Args:
            stack: Name of the stack.
            template: The template.
            parameters: Values of its parameters.
            tags: Tags of the stack.
            alarm: An alarm that goes off while a rollout waits: its name, its logical id, or
                ANY_ALARM. It stays silent when nothing waits long enough.
            after_seconds: How long after the first shift of traffic, in seconds of AWS.
        """
        text = template if isinstance(template, str) else json.dumps(template)
        document: dict[str, Any] = json.loads(text)
        if self._made_up_imports:
            document = self._with_made_up_imports(document)
        self._pending = {} if alarm is None else {alarm: after_seconds}
        self._tripped, self._document = [], document
        self._began_seconds = self._clock.elapsed_seconds
        backend, known = self._cloudformation(), self._stack(stack)
        before = 0 if known is None else len(known.events)
        given = [
            {"parameter_key": key, "parameter_value": value}
            for key, value in (parameters or {}).items()
        ]
        body = json.dumps(document)
        try:
            if known is None:
                backend.create_stack(stack, body, dict(parameters or {}), tags=dict(tags or {}))
            else:
                backend.update_stack(stack, body, None, given, None if tags is None else dict(tags))
        except ValidationError as error:
            message = str(error).removeprefix("ValidationError: ")
            unchanged = "No updates are to be performed" in message
            return Outcome("UNCHANGED" if unchanged else REFUSED, (), (), 0.0, message)
        finally:
            self._reset_alarms()
        return self._outcome(stack, before)

    def destroy(self, stack: str) -> Outcome:
        """Delete a stack, whether or not it is protected."""
        found = self._stack(stack)
        if found is None:
            return Outcome("DELETE_COMPLETE", (), (), 0.0)
        found.enable_termination_protection = False
        before = len(found.events)
        self._cloudformation().delete_stack(stack)
        return Outcome(found.status, stack_events(found.events[before:]), (), 0.0)

    def _outcome(self, stack: str, before: int) -> Outcome:
        found = self._cloudformation().local_stack(stack)
        waited = self._clock.elapsed_seconds - self._began_seconds
        return Outcome(
            found.status, stack_events(found.events[before:]), tuple(self._tripped), waited
        )

    def _cloudformation(self) -> LocalCloudFormationBackend:
        backend = cloudformation_backends[self.account][self.region]
        assert isinstance(backend, LocalCloudFormationBackend)  # noqa: S101 - see extensions.py
        return backend

    def _stack(self, name: str) -> LocalStack | None:
        for found in self._cloudformation().stacks.values():
            if found.name == name and isinstance(found, LocalStack):
                return found
        return None

    def _on_wait(self, elapsed_seconds: float) -> None:
        for wanted, after in list(self._pending.items()):
            if elapsed_seconds - self._began_seconds >= after:
                del self._pending[wanted]
                self._trip(wanted)

    def _trip(self, wanted: str) -> None:
        alarms = cloudwatch_backends[self.account][self.region]
        for name in self._alarm_names(wanted):
            if name in alarms.alarms:
                alarms.set_alarm_state(name, "told to", "{}", "ALARM")
                self._tripped.append(name)

    def _alarm_names(self, wanted: str) -> list[str]:
        if wanted == ANY_ALARM:
            endpoints = sagemaker_backends[self.account][self.region].endpoints.values()
            hosted = [item for item in endpoints if isinstance(item, HostedEndpoint)]
            pending = [item.pending_deployment for item in hosted]
            return [name for deployment in pending for name in rollback_alarms(deployment)[:1]]
        named = self._document["Resources"].get(wanted, {}).get("Properties", {}).get("AlarmName")
        known = cloudwatch_backends[self.account][self.region].alarms
        return [name for name in known if name in {wanted, named} or f"-{wanted}-" in name]

    def _reset_alarms(self) -> None:
        self._pending = {}
        for alarm in cloudwatch_backends[self.account][self.region].alarms.values():
            alarm.state_value = "OK"

    def _with_made_up_imports(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._with_made_up_imports(item) for item in value]
        if not isinstance(value, dict):
            return value
        name = value.get("Fn::ImportValue")
        if isinstance(name, str) and name not in self._cloudformation().exports:
            return self._made_up(name)
        return {key: self._with_made_up_imports(item) for key, item in value.items()}

    def _made_up(self, export: str) -> str:
        """Return a value for an export that no stack has: always the same one for a name."""
        name = export.rpartition(":")[2].rpartition("ExportsOutput")[2]
        if "Arn" in name:
            partition = get_partition(self.region)
            return f"arn:{partition}:kms:{self.region}:{self.account}:key/{name}"
        return f"made-up-{name.lower()}"[:63]
