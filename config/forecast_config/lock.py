"""The lock file: which model version each environment runs."""

from __future__ import annotations

import json
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from pydantic_core import from_json

from forecast_config.errors import ConfigError, ForecastError, Problem
from forecast_config.reading import BlockReader
from forecast_config.settings.base import Settings
from forecast_config.settings.fields import Matching
from forecast_config.words import dotted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REPAIR = (
    "put back what was committed: git checkout HEAD -- {path}; in a merge conflict keep one side of"
    " each environment's entry instead; forecast resolve pins today's champion everywhere: only for"
    " a lock that was never committed"
)
"""What to do about a damaged lock. It says what runs: making it anew changes every environment."""

Digest = Annotated[str, Matching(r"^sha256:[0-9a-f]{64}$", "sha256: and 64 hexadecimal digits")]

Moment = Annotated[
    str, Matching(r"^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z$", "yyyy-mm-ddThh:mm:ssZ")
]


class LockedWheel(Settings):
    """One wheel that an image lacks, pinned by its content."""

    version: str
    """Version of the library."""

    file: str
    """File name, which says what Python and platform it is made for."""

    sha256: Annotated[str, Matching(r"^[0-9a-f]{64}$", "64 hexadecimal digits")]
    """Digest of the file."""


class LockedModel(Settings):
    """One model version, pinned by the digest of everything that is packed from it."""

    name: str
    """Name of the registered model."""

    version: str
    """Version in the registry."""

    alias: str | None = None
    """Alias that it was found by; null when it was asked for by version or run."""

    run_id: str
    """MLflow run that made it."""

    model_digest: Digest
    """Digest over the model's files, the run's artifacts and its record."""

    signature_digest: Digest
    """Digest over the model's signature."""

    libraries: dict[str, str]
    """Versions of Python and of the libraries that the model was logged with."""

    runs_code_on_load: bool = False
    """Whether loading the model runs code from its file, as a pickle does."""

    cloudpickled: bool = False
    """Whether the file holds functions by value, which only the Python that made them can run."""

    formats: list[str] = Field(default_factory=list)
    """Flavors of the model's files (`lightgbm`, `sklearn`), sorted, each one once."""

    wheels: dict[str, LockedWheel] = Field(default_factory=dict)
    """What the environment's image lacks, by library: vendored, or installed in an own image."""

    data_version: str | None = None
    """Version of the data that it was trained on."""

    code_reference: str | None = None
    """Code that trained it, such as a commit."""

    trained_at: Moment | None = None
    """When its training began, in UTC, such as `2027-01-04T08:00:00Z`; null where not noted."""

    archive_digest: Digest | None = None
    """Digest of the archive that must be served; null: whatever is packed from the version."""


class ModelsLock(Settings):
    """The content of `models.lock.json`."""

    schema_version: Literal[1] = 1
    """Version of the file's layout."""

    environments: dict[str, LockedModel] = Field(default_factory=dict)
    """Model by environment."""

    challengers: dict[str, LockedModel] = Field(default_factory=dict)
    """Challenger by environment, where one is compared with the model."""


def read_lock(path: Path) -> ModelsLock:
    """The lock file's content; an empty lock when there is no such file.

    Raises:
        ConfigError: The file is not a lock file.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ModelsLock()
    except OSError as error:
        raise ConfigError(str(path), [Problem(0, "", f"cannot read: {error.strerror}")]) from None
    try:
        data = from_json(content)
    except ValueError as error:
        raise ConfigError(
            str(path), [Problem(0, "", f"is not JSON ({error}); {_repair(path)}")]
        ) from None
    problems: list[Problem] = []
    BlockReader(lambda key, message: problems.append(Problem(0, dotted(key), message))).read(
        ModelsLock, data
    )
    if problems:
        raise ConfigError(
            str(path), [Problem(0, "", f"is not a lock file; {_repair(path)}"), *problems]
        )
    return ModelsLock.model_validate(data)


def _repair(path: Path) -> str:
    return REPAIR.replace("{path}", quote(str(path)))


def lock_text(lock: ModelsLock) -> str:
    """The lock as it stands in the file: sorted, so that a diff shows only what changed."""
    return json.dumps(lock.model_dump(mode="json"), indent=2, sort_keys=True) + "\n"


def locked_model(lock: ModelsLock, environment: str, path: Path) -> LockedModel:
    """The model that an environment is locked to.

    Raises:
        ForecastError: The lock has no entry for the environment.
    """
    return _entry(lock.environments, environment, path, "entry")


def locked_challenger(lock: ModelsLock, environment: str, path: Path) -> LockedModel:
    """The challenger that an environment is locked to.

    Raises:
        ForecastError: The lock has no challenger for the environment.
    """
    return _entry(lock.challengers, environment, path, "challenger")


def _entry(
    entries: Mapping[str, LockedModel], environment: str, path: Path, what: str
) -> LockedModel:
    try:
        return entries[environment]
    except KeyError:
        raise ForecastError(
            f"{path} has no {what} for '{environment}'; run: forecast resolve {environment}"
        ) from None
