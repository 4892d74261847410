"""The variant whose utilization is measured: as it is deployed, whatever the file says by now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forecast_operations.cloud.refusals import CloudError
from forecast_operations.deployed.live import variants_in
from forecast_operations.records.store import RecordStore

if TYPE_CHECKING:
    from datetime import datetime

    from forecast_config import EnvironmentSettings
    from forecast_operations.deployed.live import Live

_CONFIGURATION = "EndpointConfigName"


@dataclass(frozen=True)
class RunningVariant:
    """A variant as it is deployed, which the configuration file may have left behind already.

    Attributes:
        endpoint: Name of its endpoint.
        variant: Its name.
        instance_type: What it runs on; None for serverless.
        since: From when on it is known to run on that: what was measured before may be another
            type's.
    """

    endpoint: str
    variant: str
    instance_type: str | None
    since: datetime


def find_running(live: Live, settings: EnvironmentSettings) -> RunningVariant | None:
    """What serves of an environment; None where nothing is deployed.

    An endpoint that is away in its off hours comes back with the configuration of its stack. Each
    deployment makes another configuration, of which only the last one is left: that those before
    it had the same type is for the deployment records to say.

    Raises:
        CloudError: AWS refuses, or nobody answers.
    """
    wanted = settings.endpoint
    endpoint = live.endpoint(wanted.name)
    name = (
        live.output(settings.stack_name, _CONFIGURATION)
        if endpoint is None
        else endpoint[_CONFIGURATION]
    )
    configuration = None if name is None else live.endpoint_config(name)
    if configuration is None:
        return None
    for variant, is_shadow in variants_in(configuration):
        name, since = variant["VariantName"], configuration["CreationTime"]
        if name == wanted.variant_name and not is_shadow:
            running = RunningVariant(wanted.name, name, variant.get("InstanceType"), since)
            return replace(running, since=_recorded_since(live, settings, running))
    return None


def _recorded_since(live: Live, settings: EnvironmentSettings, running: RunningVariant) -> datetime:
    """When the oldest of the last verified deployments on the same type was verified."""
    since = running.since
    try:
        store = RecordStore.of(live, settings)
        for record in () if store is None else store.records():
            served = {each.name: each.instance_type for each in record.variants if not each.shadow}
            if running.variant not in served or served[running.variant] != running.instance_type:
                break
            since = min(since, record.started_at)
    except CloudError:
        # Whoever may not read the records is told of fewer hours, and of nothing that is wrong.
        return since
    return since
