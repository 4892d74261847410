"""Archives that the lock pins, brought here before anything is synthesized from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config import read_lock
from forecast_operations.console import byte_progress
from forecast_operations.records.fetching import provide
from forecast_packaging.building.environment import is_at_hand, select_challenger

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from forecast_config import EnvironmentSettings, ForecastConfig, LockedModel

_OVERRIDES = ("model_version", "model_alias", "candidate_run_id")
"""Context flags that name another version than the locked one."""

_WITHOUT = "challenger"
"""The context flag that leaves the challenger out; `none` is all that it can be."""


def provide_pinned(
    project: ForecastConfig, settings: EnvironmentSettings, context: Sequence[str]
) -> None:
    """Bring the archives here that an environment's lock pins and that are not.

    Args:
        project: The configuration.
        settings: The environment.
        context: Context flags of the synth, each `key=value`.

    Raises:
        ForecastError: One is neither here nor in a bucket, and packing anew does not give it.
    """
    flags = {flag.partition("=")[0] for flag in context}
    for locked in _locked(project, settings, flags):
        if is_at_hand(project, locked):
            continue
        with byte_progress(f"fetching version {locked.version}") as progress:
            provide(project, settings, locked, progress)


def _locked(
    project: ForecastConfig, settings: EnvironmentSettings, flags: Collection[str]
) -> Iterator[LockedModel]:
    """The champion, and the challenger that the rollout compares with it, unless flags say more."""
    lock = read_lock(project.lock_path)
    found = []
    if not any(flag in _OVERRIDES for flag in flags):
        found.append(lock.environments.get(settings.name))
    if select_challenger(settings) is not None and _WITHOUT not in flags:
        found.append(lock.challengers.get(settings.name))
    yield from (each for each in found if each is not None)
