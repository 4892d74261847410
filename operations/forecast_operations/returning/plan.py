"""The plan of a return: from what is deployed to a record, with everything looked at beforehand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forecast_config import ForecastError, load_environments, read_lock
from forecast_config.rollouts import without_challenger
from forecast_config.settings import ChallengerRollout
from forecast_operations.deployed.live import Live, check_account
from forecast_operations.records.reading import ReadOnce
from forecast_operations.records.store import RecordStore
from forecast_operations.returning.choice import choose, is_verified
from forecast_operations.returning.intent import Intent, read_intent
from forecast_operations.returning.standing import look_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from forecast_config import EnvironmentSettings, ForecastConfig, LockedModel, ModelsLock
    from forecast_operations.records.record import DeploymentRecord
    from forecast_operations.returning.standing import Standing

_OURS = ("model_version", "model_alias", "candidate_run_id", "challenger", "config", "environments")
"""Context flags that would deploy something else than is gone back to."""

WITHOUT_CHALLENGER = "challenger=none"


@dataclass(frozen=True, kw_only=True)
class Return:
    """What a return does.

    Attributes:
        path: The configuration file.
        project: What it says.
        settings: The environment, which compares with nobody.
        context: Context flags of the synth.
        live: Where it is deployed.
        store: Its records.
        standing: What is deployed before.
        record: What is gone back to.
        before: The lock now.
        intent: What is noted while it is under way.
        resumed: Whether it goes on with one that was interrupted.
        ends_comparison: Whether the settings compare with a challenger, which goes.
        leads_back: Whether a record leads back to the version that is left.
    """

    path: Path
    project: ForecastConfig
    settings: EnvironmentSettings
    context: tuple[str, ...]
    live: Live
    store: RecordStore
    standing: Standing
    record: DeploymentRecord
    before: ModelsLock
    intent: Intent
    resumed: bool
    ends_comparison: bool
    leads_back: bool = False

    @property
    def lock(self) -> LockedModel:
        """The lock entry of what is gone back to: the version, and the very archive of it."""
        return self.record.pinned.model_copy(update={"alias": None})

    @property
    def locked(self) -> LockedModel | None:
        """The lock entry before it began; None: there was none."""
        return self.intent.champion

    @property
    def left(self) -> str | None:
        """The version that is left: the deployed one, else the one that was locked."""
        if self.moves and self.standing.digest is not None:
            return self.standing.version
        return None if self.locked is None else self.locked.version

    @property
    def moves(self) -> bool:
        """Whether the deployed archive becomes another one."""
        return self.standing.digest != self.record.archive_digest

    @property
    def changes(self) -> bool:
        """Whether the endpoint becomes another one."""
        return self.moves or self.standing.challenger is not None


def plan_return(
    path: Path,
    environment: str,
    *,
    version: str | None = None,
    record_id: str | None = None,
    context: Sequence[str] = (),
    warn: Callable[[ForecastError], None],
) -> Return:
    """What a return of an environment does; nothing is changed.

    Args:
        path: The configuration file.
        environment: The environment.
        version: The version to go back to; None: the last verified one.
        record_id: The record to go back to; None: the newest of the version.
        context: Context flags that the environment is deployed with.
        warn: Told of records that cannot be read.

    Raises:
        ForecastError: The credentials are of another account, there is nothing to go back to, or
            a context flag names another version.
    """
    _check_flags(context)
    project, environments = load_environments(path, [environment])
    settings = environments[environment]
    live = Live.in_region(settings.region)
    check_account(live, settings.account)
    store = RecordStore.needed(live, settings)
    standing = look_at(live, settings)
    before = read_lock(project.lock_path)
    locked = before.environments.get(environment)
    begun = None
    if version is None and record_id is None:
        noted = read_intent(project.root, environment)
        if noted is not None and noted.is_of(standing, locked):
            begun, record_id = noted, noted.record_id
    records = ReadOnce(store.records(damaged=warn))
    record = choose(records, standing, locked, version=version, record_id=record_id)
    compares = isinstance(settings.rollout, ChallengerRollout)
    plan = Return(
        path=path,
        project=project,
        settings=without_challenger(settings),
        context=(*context, *([WITHOUT_CHALLENGER] if compares else [])),
        live=live,
        store=store,
        standing=standing,
        record=record,
        before=before,
        intent=begun or _begin(record, standing, before),
        resumed=begun is not None,
        ends_comparison=compares,
    )
    return replace(plan, leads_back=is_verified(records, plan.left))


def _begin(record: DeploymentRecord, standing: Standing, before: ModelsLock) -> Intent:
    name = record.environment
    return Intent(
        record_id=record.record_id,
        origin=standing.digest,
        target=record.archive_digest,
        champion=before.environments.get(name),
        challenger=before.challengers.get(name),
    )


def _check_flags(context: Sequence[str]) -> None:
    for flag in context:
        key = flag.partition("=")[0]
        if key in _OURS:
            raise ForecastError(
                f"--context {flag}: a return deploys what a record says; name it with --to or "
                "--record"
            )
