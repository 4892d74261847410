"""The store of wheels: found once by pip, and from then on by their digest."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from forecast_config import LockedWheel
from forecast_packaging.documents import read_json, readable
from forecast_packaging.errors import LockMismatchError, ModelError, RegistryError
from forecast_packaging.libraries.wheel import Wheel
from forecast_packaging.manifest import digest_of, file_sha256, scan
from forecast_packaging.workspace import publish_folder, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_packaging.libraries.target import Target

_CONTENT = "content"
_DIGEST = "content.json"


class WheelStore:
    """Wheels below `.forecast/wheels`, each in a folder named by its digest.

    Any number of processes may read and write at once.

    Args:
        root: The project's root.
        target: The Python and the machine that they are for.
    """

    def __init__(self, root: Path, target: Target) -> None:
        self.folder = root / ".forecast" / "wheels"
        self.target = target

    def find(self, requirement: str) -> tuple[Wheel, LockedWheel]:
        """The wheel that pip chooses for a requirement, without what it requires itself.

        Args:
            requirement: Such as `lightgbm==4.7.0` or `narwhals>=1.15`.

        Raises:
            RegistryError: The package index cannot be reached, or has no such wheel.
            ModelError: What it has is no wheel.
        """
        with workspace(self.folder) as scratch:
            return self._keep(self._download(scratch, requirement))

    def fetch(self, name: str, locked: LockedWheel) -> Wheel:
        """The wheel that a lock pins, from the store or else from the package index.

        Raises:
            LockMismatchError: The wheel is made for another target, or has another digest.
            RegistryError: It is not in the store, and the index does not give it.
        """
        self.check(locked)
        kept = self.folder / locked.sha256 / locked.file
        if not kept.is_file():
            with workspace(self.folder) as scratch:
                pinned = scratch / "pinned.txt"
                pinned.write_text(requirement_line(name, locked))
                found = self._download(scratch, "--require-hashes", "--requirement", str(pinned))
                self._keep(found)
        # The index may have given another file; one that was changed here never passes.
        wheel = self.kept(locked)
        if wheel is None:
            raise LockMismatchError(
                f"the lock pins {locked.file} with the digest {locked.sha256}, and another file "
                f"was found: remove {kept.parent} and run it again, or run: forecast resolve"
            )
        return wheel

    def check(self, locked: LockedWheel) -> None:
        """Refuse a wheel that is not for the target.

        Raises:
            LockMismatchError: It is made for another one.
        """
        if not self._runs(locked):
            raise LockMismatchError(
                f"the lock pins {locked.file}, which does not run with {self.target}: run: "
                "forecast resolve"
            )

    def kept(self, locked: LockedWheel) -> Wheel | None:
        """A pinned wheel that is here, unchanged, and runs on the target; None when none is."""
        path = self.folder / locked.sha256 / locked.file
        if self._runs(locked) and path.is_file() and file_sha256(path) == locked.sha256:
            return Wheel.read(path)
        return None

    def unpacked(self, wheel: Wheel) -> Path:
        """The folder of a kept wheel's content, as it was when it was unpacked and checked."""
        home = wheel.path.parent
        folder = home / _CONTENT
        if folder.is_dir() and self._is_whole(home, folder):
            return folder
        with workspace(self.folder) as scratch:
            fresh = scratch / _CONTENT
            fresh.mkdir()
            wheel.unpack(fresh)
            digest = digest_of(scan(fresh, wheel.path.name))
            if folder.exists():
                # Moved away first: a folder half removed must not be taken for a whole one.
                folder.rename(scratch / "damaged")
            (scratch / _DIGEST).write_bytes(readable({"digest": digest}))
            (scratch / _DIGEST).replace(home / _DIGEST)
            publish_folder(fresh, folder)
        return folder

    def _runs(self, locked: LockedWheel) -> bool:
        _, _, _, tags = parse_wheel_filename(locked.file)
        return not tags.isdisjoint(self.target.tags)

    def _is_whole(self, home: Path, folder: Path) -> bool:
        try:
            recorded = read_json(home / _DIGEST, _DIGEST)["digest"]
            return bool(digest_of(scan(folder, folder.name)) == recorded)
        except (OSError, ModelError, KeyError, TypeError):
            return False

    def _keep(self, path: Path) -> tuple[Wheel, LockedWheel]:
        sha256 = file_sha256(path)
        entry = path.parent / "entry"
        entry.mkdir()
        path.replace(entry / path.name)
        home = self.folder / sha256
        publish_folder(entry, home)
        wheel = Wheel.read(home / path.name)
        return wheel, LockedWheel(version=wheel.version, file=path.name, sha256=sha256)

    def _download(self, folder: Path, *wanted: str) -> Path:
        into = folder / "download"
        into.mkdir()
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-input", "--quiet"]
        command += ["--disable-pip-version-check", "--no-cache-dir", f"--dest={into}"]
        done = subprocess.run(
            [*command, *self.target.pip_options, *wanted],
            # Python's own search path would let modules of the project stand in for pip's.
            env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
            capture_output=True,
            text=True,
            check=False,
        )
        found = sorted(into.glob("*.whl"))
        if done.returncode != 0 or len(found) != 1:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
            reason = said[-1].removeprefix("ERROR: ") if said else "pip gave no reason"
            raise RegistryError(f"pip finds no wheel for {self.target}: {reason}")
        return found[0]


def requirement_line(name: str, locked: LockedWheel) -> str:
    """A line of a requirements file that pip takes this very wheel for."""
    return f"{name}=={locked.version} --hash=sha256:{locked.sha256}\n"
