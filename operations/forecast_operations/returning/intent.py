"""The intent of a return, kept while it is under way, so that it can be run again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from forecast_config.lock import Digest, LockedModel
from forecast_config.settings.base import Settings
from forecast_packaging.workspace import write_atomic

if TYPE_CHECKING:
    from forecast_operations.returning.standing import Standing

_FOLDER = Path(".forecast/returning")


class Intent(Settings):
    """What a return was to do; a file of this machine."""

    schema_version: Literal[1] = 1
    """Version of the document's layout."""

    record_id: str
    """Record that was to be gone back to."""

    origin: Digest | None
    """Digest of the archive that was deployed before; null where it was not known."""

    target: Digest
    """Digest of the archive that was to be deployed."""

    champion: LockedModel | None
    """What was locked before; null: nothing."""

    challenger: LockedModel | None
    """What the champion was compared with before; null: nothing."""

    begun: bool = False
    """Whether its deployment has begun, which somebody has said yes to."""

    def is_of(self, standing: Standing, locked: LockedModel | None) -> bool:
        """Whether nothing else was deployed since, and the lock still names where it leads.

        A return that was given up is one whose lock was put back. One whose rollout SageMaker has
        undone is at its end: what answers is gone back to, which is where no other leads.
        """
        leads = locked is not None and locked.archive_digest == self.target
        if standing.undone:
            return leads and standing.answering_digest == self.target
        return leads and standing.digest in {self.origin, self.target}


def read_intent(root: Path, environment: str) -> Intent | None:
    """The intent of a return that has not come to its end; None when there is none."""
    try:
        return Intent.model_validate_json(_path(root, environment).read_bytes())
    except (OSError, ValidationError):
        return None


def keep_intent(root: Path, environment: str, intent: Intent) -> None:
    """Note the intent of a return that begins."""
    write_atomic(_path(root, environment), intent.model_dump_json(indent=2).encode())


def drop_intent(root: Path, environment: str) -> None:
    """Forget the intent of a return that has come to its end."""
    _path(root, environment).unlink(missing_ok=True)


def _path(root: Path, environment: str) -> Path:
    return root / _FOLDER / f"{environment}.json"
