"""Disk: whether there is room for what packing and synthesizing write."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from forecast_config import read_lock
from forecast_config.settings import ChallengerRollout
from forecast_operations.preflight.finding import failed, ok, warning
from forecast_packaging.building.kept import Archives
from forecast_packaging.registry.cache import SnapshotCache

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config import LockedModel
    from forecast_operations.preflight.finding import Finding
    from forecast_operations.preflight.surroundings import Surroundings

_MIB = 1024 * 1024
_LEAST_BYTES = 512 * _MIB
"""Room for templates, assets and logs, whatever the model's size."""

_COPIES = 4
"""A model is there as it was downloaded, as it is staged, as the archive and unpacked to be
checked."""


def look_at_disk(around: Surroundings) -> Iterator[Finding]:
    """Whether the project's folder and the folder for scratch files have room enough."""
    sizes = [(model.version, _bytes_of(model, around.root)) for model in _locked(around)]
    needed = _LEAST_BYTES + _COPIES * sum(size for _, size in sizes if size is not None)
    unknown = [version for version, size in sizes if size is None]
    places = {"disk of the project": around.root, "disk for scratch": Path(tempfile.gettempdir())}
    for check, folder in places.items():
        free = shutil.disk_usage(folder).free
        found = f"{free // _MIB:,} MiB free in {folder}"
        expected = f"at least {needed // _MIB:,} MiB"
        if unknown:
            expected += f", and {_COPIES} times the size of version {' and '.join(unknown)}"
        if free < needed:
            advice = "remove old archives and snapshots: .forecast/archives, .forecast/cache"
            yield failed(check, found, expected, advice)
        elif unknown:
            advice = f"bring it here, and look again: forecast package {around.settings.name}"
            yield warning(check, found, expected, advice)
        elif free < 2 * needed:
            yield warning(check, found, expected, "make room before a larger model comes")
        else:
            yield ok(check, found, expected)


def _locked(around: Surroundings) -> list[LockedModel]:
    """The models that the environment serves, as far as they are locked."""
    lock, name = read_lock(around.config.lock_path), around.settings.name
    found = [lock.environments.get(name)]
    if isinstance(around.settings.rollout, ChallengerRollout):
        found.append(lock.challengers.get(name))
    return [each for each in found if each is not None]


def _bytes_of(model: LockedModel, root: Path) -> int | None:
    """Bytes of a model as it was downloaded, or in its archive; None where neither is here."""
    folder = SnapshotCache(root).folder / model.model_digest.removeprefix("sha256:")
    if folder.is_dir():
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    pinned = model.archive_digest
    archive = None if pinned is None else Archives(root).find(pinned)
    return None if archive is None else archive.unpacked_bytes
