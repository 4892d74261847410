"""The choice of where to go back to, among the records of an environment."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from forecast_config import ForecastError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forecast_config import LockedModel
    from forecast_operations.records.record import DeploymentRecord
    from forecast_operations.returning.standing import Standing

_SHOWN = 5
_LOOKED_AT = 100
"""Records among which a way is looked for that is only told of."""


def choose(
    records: Iterable[DeploymentRecord],
    standing: Standing,
    locked: LockedModel | None,
    *,
    version: str | None = None,
    record_id: str | None = None,
) -> DeploymentRecord:
    """The verified record to go back to: one step, unless a version or a record is named.

    A step is the first of these that there is: from a rollout that SageMaker has undone to what
    answers; from a deployment that failed to what is deployed, which the lock does not name; from a
    comparison to the champion alone; from what is deployed to what was verified last before it was
    first seen. What was tried after a return is therefore never gone back to, and a lock that
    merely names something else, as that of an older working copy does, decides nothing.

    Args:
        records: The records of the environment, newest first, which can be gone through again.
            Of them are taken as many as it needs.
        standing: What is deployed.
        locked: What is locked; None: nothing.
        version: The version to go back to.
        record_id: The record to go back to.

    Raises:
        ForecastError: There is no such record, or it is not of a verified deployment; what there
            is to go back to is named.
    """
    if record_id is not None:
        return _named(records, record_id, standing)
    if version is not None:
        for record in records:
            if record.outcome == "verified" and record.lock.version == version:
                return record
        raise ForecastError(
            f"version {version} was never verified here, so nothing proves that it would serve"
            f"{_ways(records, standing)}"
        )
    return _step(records, standing, locked)


def is_verified(records: Iterable[DeploymentRecord], version: str | None) -> bool:
    """Whether one of the newest records proves a version.

    Args:
        records: The records of the environment, newest first.
        version: The version; None: none, which nothing proves.
    """
    return version is not None and any(
        record.outcome == "verified" and record.lock.version == version
        for record in islice(records, _LOOKED_AT)
    )


def _step(
    records: Iterable[DeploymentRecord], standing: Standing, locked: LockedModel | None
) -> DeploymentRecord:
    if standing.undone:
        return _answering(records, standing)
    if standing.configuration is not None and standing.digest is None:
        raise ForecastError(
            f"what is deployed cannot be told: the model of {standing.configuration} is gone, has "
            "lost its tags, or serves no archive of ours; name the version"
            f"{_ways(records, standing)}"
        )
    if (standing.failed and not standing.runs(locked)) or standing.challenger is not None:
        found = _verified(records, standing.digest)
        if found is not None:
            return found
    found = _before(records, standing)
    if found is not None:
        return found
    raise ForecastError(
        f"nothing was verified here before version {standing.version}{_ways(records, standing)}"
    )


def _answering(records: Iterable[DeploymentRecord], standing: Standing) -> DeploymentRecord:
    """The newest verified record of what answers since SageMaker has undone the last rollout."""
    found = _verified(records, standing.answering_digest)
    if found is not None:
        return found
    now = standing.answering
    what = "what answers now" if now is None else f"version {now.version}, which answers now"
    raise ForecastError(
        f"SageMaker has undone the rollout of version {standing.version}, and nothing proves {what}"
        f"{_ways(records, standing)}"
    )


def _verified(records: Iterable[DeploymentRecord], digest: str | None) -> DeploymentRecord | None:
    """The newest verified record of an archive."""
    for record in records:
        if record.outcome == "verified" and record.archive_digest == digest:
            return record
    return None


def _before(records: Iterable[DeploymentRecord], standing: Standing) -> DeploymentRecord | None:
    """The newest verified record from before the first sight of what is deployed."""
    found: DeploymentRecord | None = None
    for record in records:
        if record.archive_digest == standing.digest:
            found = None
        elif found is None and record.outcome == "verified":
            found = record
    return found


def _named(
    records: Iterable[DeploymentRecord], record_id: str, standing: Standing
) -> DeploymentRecord:
    for record in records:
        if record.record_id != record_id:
            continue
        if record.outcome == "verified":
            return record
        failed = ", ".join(check.name for check in record.checks if not check.passed)
        raise ForecastError(
            f"record {record_id} is of a deployment that failed its verification ({failed})"
            f"{_ways(records, standing)}"
        )
    raise ForecastError(f"there is no record {record_id} here{_ways(records, standing)}")


def _ways(records: Iterable[DeploymentRecord], standing: Standing) -> str:
    """What there is to go back to among the newest records, each archive once, newest first."""
    newest: dict[str, DeploymentRecord] = {}
    for record in islice(records, _LOOKED_AT):
        if record.outcome == "verified" and record.archive_digest != standing.digest:
            newest.setdefault(record.archive_digest, record)
    if not newest:
        return "; there is nothing else to go back to: deploy a version that is good"
    ways = list(newest.values())
    lines = [
        f"  --to {record.lock.version}: verified {record.started_at:%Y-%m-%d %H:%M} UTC by "
        f"{record.caller.rpartition('/')[2]}, --record {record.record_id}"
        for record in ways[:_SHOWN]
    ]
    more = [f"  and {len(ways) - _SHOWN} more: forecast history"] if len(ways) > _SHOWN else []
    return "; there is to go back to:\n" + "\n".join([*lines, *more])
