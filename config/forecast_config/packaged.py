"""A packed model on its way from the packaging to the stacks."""

from __future__ import annotations

from pathlib import Path

from forecast_config.lock import Digest, LockedModel
from forecast_config.settings.base import Settings


class PackagedModel(Settings):
    """An archive that passed its contract check, with the model version inside."""

    archive: Path
    """The `model.tar.gz` on this machine."""

    archive_digest: Digest
    """Digest of the uncompressed archive: the same for the same inputs on any machine."""

    model: LockedModel
    """The model version inside."""

    unpacked_bytes: int = 0
    """Bytes of the archive's files."""

    model_bytes: int = 0
    """Bytes of the model's own files, which are loaded into memory."""

    runs_code_on_load: bool = False
    """Whether loading the model runs code from its file, as a pickle does."""

    files: Path | None = None
    """Folder of the archive's files, when an instance fetches them one by one; else None."""

    image_context: Path | None = None
    """Folder that an image of kind own is built from; null for other images."""

    golden: Path | None = None
    """The archive's golden requests with their answers, as a file of their own."""
