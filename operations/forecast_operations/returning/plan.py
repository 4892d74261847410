"""The plan of a return: from what is deployed to a record, with everything looked at beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config import ForecastError, load_environments, read_lock
from forecast_config.rollouts import without_challenger
from forecast_config.settings import ShadowRollout, SplitRollout
from forecast_operations.deployed.live import Live, check_account
from forecast_operations.records.card import ranked
from forecast_operations.records.reading import ReadOnce
from forecast_operations.records.store import RecordStore
from forecast_operations.returning.choice import choose, is_verified
from forecast_operations.returning.intent import Intent, read_intent
from forecast_operations.returning.standing import look_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from forecast_config import EnvironmentSettings, ForecastConfig, LockedModel, ModelsLock
    from forecast_operations.records.record import DeploymentRecord
    from forecast_operations.returning.standing import Standing

_OURS = ("model_version", "model_alias", "candidate_run_id", "challenger", "config", "environments")
"""Context flags that would deploy something else than is gone back to."""

_MOST_METRICS = 6

WITHOUT_CHALLENGER = "challenger=none"


@dataclass(frozen=True, kw_only=True)
class Return:
    """What a return does.

    Attributes:
        path: The configuration file.
        config: What it says.
        settings: The environment, which compares with nobody.
        context: Context flags of the synth.
        live: Where it is deployed.
        store: Its records.
        standing: What is deployed before.
        record: What is gone back to.
        before: The lock before.
        leads_back: Whether what was locked before can be gone back to by a record of it.
        resumed: Whether it goes on with one that was interrupted.
        ends_comparison: Whether the settings compare with a challenger, which goes.
    """

    path: Path
    config: ForecastConfig
    settings: EnvironmentSettings
    context: tuple[str, ...]
    live: Live
    store: RecordStore
    standing: Standing
    record: DeploymentRecord
    before: ModelsLock
    leads_back: bool
    resumed: bool
    ends_comparison: bool

    @property
    def lock(self) -> LockedModel:
        """The lock entry of what is gone back to: the version, and the very archive of it."""
        update = {"alias": None, "archive_digest": self.record.archive_digest}
        return self.record.lock.model_copy(update=update)

    @property
    def locked(self) -> LockedModel | None:
        """The lock entry before; None: there was none."""
        return self.before.environments.get(self.settings.name)

    @property
    def intent(self) -> Intent:
        """What is noted while it is under way."""
        known = read_intent(self.config.root, self.settings.name) if self.resumed else None
        if known is not None:
            return known
        name = self.settings.name
        return Intent(
            record_id=self.record.record_id,
            origin=self.standing.digest,
            target=self.record.archive_digest,
            champion=self.locked,
            challenger=self.before.challengers.get(name),
        )

    @property
    def moves(self) -> bool:
        """Whether the deployed archive becomes another one."""
        return self.standing.digest != self.record.archive_digest

    @property
    def changes(self) -> bool:
        """Whether the endpoint becomes another one."""
        return self.moves or self.standing.challenger is not None

    def consequences(self) -> Iterator[str]:
        """What it does, one sentence each, and the way back."""
        name, record = self.settings.name, self.record
        yield (
            f"version {self.standing.version} is deployed, version {record.lock.version} was "
            f"verified on {record.started_at:%Y-%m-%d %H:%M} UTC by {record.caller} "
            f"(record {record.record_id})"
        )
        if self.resumed:
            yield "an earlier return to it was interrupted, and goes on"
        if self.standing.undone:
            yield (
                f"SageMaker has undone the last rollout: {self.standing.answers} answers, and not "
                f"{self.standing.configuration}; stack and lock become what was good"
            )
        if not self.changes:
            yield "it is the deployed one already: lock and stack are made to agree"
        elif self.moves:
            yield (
                f"the endpoint {self.settings.endpoint.name} changes by its rollout "
                f"({self.settings.rollout.kind}), which its alarms undo"
            )
        if self.standing.challenger is not None:
            yield (
                f"the comparison with version {self.standing.challenger.version} ends: one version "
                "answers all requests"
            )
        yield from self._metrics()
        locked = self.locked
        if locked is not None and locked.version != record.lock.version:
            back = f"forecast rollback {name} --to {locked.version}"
            if not self.leads_back:
                back = f"put it back (git), and forecast deploy {name}"
            yield (
                f"{self.config.lock_path.name} names version {record.lock.version} instead of "
                f"{locked.version}; the way back: {back}"
            )

    def _metrics(self) -> Iterator[str]:
        known = {
            name: value for name, value in self.record.card.metrics.items() if value is not None
        }
        if known:
            drift = self.settings.alarms.model_drift
            names = ranked(known, None if drift is None else drift.metric_name)[:_MOST_METRICS]
            shown = ", ".join(f"{name} {known[name]:g}" for name in names)
            yield f"metrics of version {self.record.lock.version}: {shown}"


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
    config, environments = load_environments(path, [environment])
    settings = environments[environment]
    live = Live.in_region(settings.region)
    check_account(live, settings.account)
    store = RecordStore.needed(live, settings)
    standing = look_at(live, settings)
    before = read_lock(config.lock_path)
    locked = before.environments.get(environment)
    intent = read_intent(config.root, environment)
    resumed = intent is not None and version is None and record_id is None
    resumed = resumed and intent is not None and intent.is_of(standing, locked)
    records = ReadOnce(store.records(damaged=warn))
    record = choose(
        records,
        standing,
        locked,
        version=version,
        record_id=intent.record_id if resumed and intent is not None else record_id,
    )
    compares = isinstance(settings.rollout, ShadowRollout | SplitRollout)
    return Return(
        path=path,
        config=config,
        settings=without_challenger(settings),
        context=(*context, *([WITHOUT_CHALLENGER] if compares else [])),
        live=live,
        store=store,
        standing=standing,
        record=record,
        before=before,
        leads_back=locked is not None and is_verified(records, locked),
        resumed=resumed,
        ends_comparison=compares,
    )


def _check_flags(context: Sequence[str]) -> None:
    for flag in context:
        key = flag.partition("=")[0]
        if key in _OURS:
            raise ForecastError(
                f"--context {flag}: a return deploys what a record says; name it with --to or "
                "--record"
            )
