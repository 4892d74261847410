"""Errors of the way from a registered model to an archive: each is one clear sentence."""

from __future__ import annotations

from forecast_config.errors import ForecastError


class PackagingError(ForecastError):
    """Base of every error raised on the way from a registered model to its archive."""


class RegistryError(PackagingError):
    """A registry that cannot be reached, or that does not hold what was asked for."""


class LockMismatchError(PackagingError):
    """A locked model that is no longer what the registry or the archive's makers would give."""


class LockChangedError(PackagingError):
    """A lock entry that somebody else has changed since it was looked at."""


class ModelError(PackagingError):
    """A registered model that cannot be served as it was logged."""


class ContractError(PackagingError):
    """An archive that failed its contract check, and so was not accepted."""


class ArchiveMissingError(PackagingError):
    """An archive that a lock pins, and that is neither here nor packed again.

    Args:
        what: What is missing.
        advice: What to do about it, where nobody has looked elsewhere yet.
    """

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what}; {advice}")
        self.what = what
