"""Disk: whether there is room for what packing and synthesizing write."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from forecast_config import read_lock
from forecast_operations.preflight.finding import failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    needed = _LEAST_BYTES + _COPIES * _model_bytes(around)
    places = {"disk of the project": around.root, "disk for scratch": Path(tempfile.gettempdir())}
    for check, folder in places.items():
        free = shutil.disk_usage(folder).free
        found = f"{free // _MIB:,} MiB free in {folder}"
        expected = f"at least {needed // _MIB:,} MiB"
        if free < needed:
            advice = "remove old archives and snapshots: .forecast/archives, .forecast/cache"
            yield failed(check, found, expected, advice)
        elif free < 2 * needed:
            yield warning(check, found, expected, "make room before a larger model comes")
        else:
            yield ok(check, found, expected)


def _model_bytes(around: Surroundings) -> int:
    """Bytes of the locked model as it was downloaded; 0 where it is not here yet."""
    locked = read_lock(around.config.lock_path).environments.get(around.settings.name)
    if locked is None:
        return 0
    folder = around.root / ".forecast" / "cache" / locked.model_digest.removeprefix("sha256:")
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
