"""The extraction of a model archive that is not trusted.

What packaging refuses is refused here too, but for folders and names that begin with ``./``: other
makers of archives write them, and SageMaker unpacks them.
"""

from pathlib import Path

from forecast_packaging import ContractError
from forecast_packaging.building.archive import MAX_UNPACKED_BYTES, unpack_archive


class ArchiveError(Exception):
    """An archive that is not extracted, with the member and the reason."""


def extract(archive: Path, folder: Path, *, max_bytes: int = MAX_UNPACKED_BYTES) -> None:
    """Unpack a ``tar.gz`` into a folder that does not exist yet.

    Args:
        archive: The archive.
        folder: The folder to create.
        max_bytes: Most bytes that the unpacked archive may have.

    Raises:
        ArchiveError: If the archive is broken, too large, or has a member that is no plain file or
            folder, has a name that leaves the folder, or has the name of another member.
    """
    folder.mkdir(parents=True)
    try:
        unpack_archive(archive, folder, foreign=True, max_bytes=max_bytes)
    except ContractError as error:
        raise ArchiveError(str(error)) from error
