"""The choice of where to go back to, among the records of an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config import ForecastError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forecast_config import LockedModel
    from forecast_operations.records.record import DeploymentRecord
    from forecast_operations.returning.standing import Standing

_SHOWN = 5


def choose(
    records: Sequence[DeploymentRecord],
    standing: Standing,
    locked: LockedModel | None,
    *,
    version: str | None = None,
    record_id: str | None = None,
) -> DeploymentRecord:
    """The verified record to go back to: one step, unless a version or a record is named.

    A step is the first of these that there is: from a lock that names what is not deployed to what
    is; from a comparison to the champion alone; from what is deployed to what was verified last
    before it was first seen. What was tried after a return is therefore never gone back to.

    Args:
        records: The records of the environment, newest first.
        standing: What is deployed.
        locked: What is locked; None: nothing.
        version: The version to go back to.
        record_id: The record to go back to.

    Raises:
        ForecastError: There is no such record, or it is not of a verified deployment; what there
            is to go back to is named.
    """
    verified = [record for record in records if record.outcome == "verified"]
    if record_id is not None:
        return _named(records, record_id, standing)
    if version is not None:
        for record in verified:
            if record.lock.version == version:
                return record
        raise ForecastError(
            f"version {version} was never verified here, so nothing proves that it would serve"
            f"{_ways(verified, standing)}"
        )
    if not standing.runs(locked) or standing.challenger is not None:
        for record in verified:
            if standing.digest is not None and record.archive_digest == standing.digest:
                return record
    for record in _before(records, standing):
        return record
    raise ForecastError(
        f"nothing was verified here before version {standing.version}{_ways(verified, standing)}"
    )


def _before(records: Sequence[DeploymentRecord], standing: Standing) -> Iterator[DeploymentRecord]:
    """Verified records from before the first sight of what is deployed, newest first."""
    seen = [
        place for place, record in enumerate(records) if record.archive_digest == standing.digest
    ]
    for record in records[seen[-1] + 1 if seen else 0 :]:
        if record.outcome == "verified":
            yield record


def _named(
    records: Sequence[DeploymentRecord], record_id: str, standing: Standing
) -> DeploymentRecord:
    verified = [record for record in records if record.outcome == "verified"]
    for record in records:
        if record.record_id != record_id:
            continue
        if record.outcome == "verified":
            return record
        failed = ", ".join(check.name for check in record.checks if not check.passed)
        raise ForecastError(
            f"record {record_id} is of a deployment that failed its verification ({failed})"
            f"{_ways(verified, standing)}"
        )
    raise ForecastError(f"there is no record {record_id} here{_ways(verified, standing)}")


def _ways(verified: Sequence[DeploymentRecord], standing: Standing) -> str:
    """What there is to go back to, each archive once, newest first."""
    newest = {
        record.archive_digest: record
        for record in reversed(verified)
        if record.archive_digest != standing.digest
    }
    if not newest:
        return "; there is nothing else to go back to: deploy a version that is good"
    ways = sorted(newest.values(), key=lambda record: record.record_id, reverse=True)
    lines = [
        f"  --to {record.lock.version}: verified {record.started_at:%Y-%m-%d %H:%M} UTC by "
        f"{record.caller.rpartition('/')[2]}, --record {record.record_id}"
        for record in ways[:_SHOWN]
    ]
    more = [f"  and {len(ways) - _SHOWN} more: forecast history"] if len(ways) > _SHOWN else []
    return "; there is to go back to:\n" + "\n".join([*lines, *more])
