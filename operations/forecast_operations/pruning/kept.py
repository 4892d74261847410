"""What must be kept of an environment: what serves, what is deployed, and what proved itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import in_calls
from forecast_operations.endpoints.listing import configs_in
from forecast_operations.records.store import RecordStore
from forecast_operations.stopping.stopped import StoppedStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.deployed.place import Place
    from forecast_operations.records.record import DeploymentRecord

_CONFIGURATION = "EndpointConfigName"
_PARAMETER = "AWS::SSM::Parameter"
_PARAMETERS_IN_A_CALL = 10
"""Names that GetParameters takes (AWS Systems Manager API reference)."""


@dataclass(frozen=True)
class Kept:
    """What must be kept.

    Attributes:
        configs: Names of endpoint configurations, and why each is kept.
        digests: Digests of archives, and why each is kept.
        data: `s3://` addresses of model data, and why each is kept.
    """

    configs: dict[str, str]
    digests: dict[str, str]
    data: dict[str, str]


def kept_of(place: Place, bucket: str, verified: int) -> Kept:
    """What must be kept of an environment.

    Args:
        place: The environment.
        bucket: Its artifact bucket.
        verified: How many of the last verified versions are kept; one that was verified again and
            again is one.

    Raises:
        ForecastError: A record cannot be read, so that it is not known what it would keep.
    """
    kept = Kept({}, {}, {})
    for config, why in _configs(place, bucket):
        kept.configs.setdefault(config, why)
    store = RecordStore(place.cloud, bucket, place.settings.name)
    proofs = (record for record in store.records(damaged=_refuse) if record.outcome == "verified")
    versions: set[tuple[str, ...]] = set()
    for record in proofs:
        if len(versions | {_version(record)}) > verified:
            break
        versions.add(_version(record))
        why = f"verified {record.started_at:%Y-%m-%d}"
        if record.endpoint_config_name is not None:
            kept.configs.setdefault(record.endpoint_config_name, why)
        kept.digests.setdefault(record.archive_digest, why)
        for variant in record.variants:
            if variant.archive_digest is not None:
                kept.digests.setdefault(variant.archive_digest, why)
            kept.data.setdefault(variant.model_data, why)
    return kept


def _configs(place: Place, bucket: str) -> Iterator[tuple[str, str]]:
    for name, config, does in configs_in(place.live):
        yield config, f"{name} {does} it"
    deployed = (place.outputs() or {}).get(_CONFIGURATION)
    if deployed is not None:
        yield deployed, "deployed"
    for value in _noted_by_off_hours(place):
        yield value, "the off hours bring it back"
    stopped = StoppedStore(place.cloud, bucket, place.settings.name).read()
    if stopped is not None and stopped.endpoint is not None:
        yield stopped.endpoint.config, "forecast start brings it back"


def _noted_by_off_hours(place: Place) -> Iterator[str]:
    """Values of the stack's parameters: one of them names what the endpoint is created with."""
    if place.off_hours_machine() is None:
        return
    resources = place.live.stack_resources(place.stack)
    names = [each["PhysicalResourceId"] for each in resources if each["ResourceType"] == _PARAMETER]
    for asked in in_calls(names, _PARAMETERS_IN_A_CALL):
        answer = place.cloud.ask("ssm", "get_parameters", Names=asked)
        for parameter in answer["Parameters"]:
            yield parameter["Value"]


def _version(record: DeploymentRecord) -> tuple[str, ...]:
    """What served: the archive, and those of other variants."""
    others = {each.archive_digest for each in record.variants if each.archive_digest is not None}
    return record.archive_digest, *sorted(others - {record.archive_digest})


def _refuse(error: ForecastError) -> None:
    raise ForecastError(
        f"nothing was changed, as it is not known what is to be kept: {error}; repair or remove "
        "that record first"
    )
