"""The runtime's files: what `code/` of an archive holds besides its requirements."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from forecast_packaging.errors import PackagingError
from forecast_packaging.manifest import FileEntry, digest_of, file_sha256

PACKAGE = "forecast_inference"
ENTRY_POINT = "entrypoint.py"
"""The module that becomes `code/inference.py`, the script that the serving stack imports."""


def runtime_files() -> dict[str, Path]:
    """The runtime's source files by their path in the archive.

    The package is found without being imported, because it may need what only a container has.

    Raises:
        PackagingError: The runtime is not installed, or has no entry point.
    """
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise PackagingError(f"the runtime {PACKAGE} is not installed: pip install -e .")
    folder = Path(next(iter(spec.submodule_search_locations)))
    files = {
        f"code/{PACKAGE}/{file.relative_to(folder).as_posix()}": file
        for file in folder.rglob("*.py")
        if file.is_file()
    }
    entry = folder / ENTRY_POINT
    if not entry.is_file():
        raise PackagingError(f"the runtime {PACKAGE} has no {ENTRY_POINT}: install it again")
    return {"code/inference.py": entry, **dict(sorted(files.items()))}


def runtime_digest(files: dict[str, Path]) -> str:
    """The identity of the runtime: a changed runtime makes a new archive."""
    return digest_of(
        FileEntry(path, file.stat().st_size, file_sha256(file)) for path, file in files.items()
    )
