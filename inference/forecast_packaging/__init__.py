"""Packaging: from a version in an MLflow registry to the archive that an endpoint runs."""

from forecast_packaging.building.build import package
from forecast_packaging.building.contract import open_archive
from forecast_packaging.errors import (
    ContractError,
    LockMismatchError,
    ModelError,
    PackagingError,
    RegistryError,
)
from forecast_packaging.progress import Progress, progress_lines
from forecast_packaging.registry.resolve import (
    Alias,
    Candidate,
    Selector,
    Version,
    resolve,
    write_lock,
)
from forecast_packaging.registry.tracking import shown_uri

__all__ = [
    "Alias",
    "Candidate",
    "ContractError",
    "LockMismatchError",
    "ModelError",
    "PackagingError",
    "Progress",
    "RegistryError",
    "Selector",
    "Version",
    "open_archive",
    "package",
    "progress_lines",
    "resolve",
    "shown_uri",
    "write_lock",
]
