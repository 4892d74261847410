"""What one process looked at is what it deploys, whatever others synthesize meanwhile."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from forecast_operations.synthesis.cdk import own_folder

if TYPE_CHECKING:
    from pathlib import Path

_OTHER = """
import sys, pathlib
from forecast_operations.synthesis.cdk import own_folder
folder = own_folder(pathlib.Path(sys.argv[1]))
(folder / "wanted").mkdir()
print(folder, flush=True)
sys.stdin.read()
"""


def test_each_process_has_its_own_and_leaves_nothing(tmp_path: Path) -> None:
    folders = []
    for ends in (True, False):
        other = subprocess.Popen(
            [sys.executable, "-c", _OTHER, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with other:
            assert other.stdout is not None
            folder = tmp_path / other.stdout.readline().strip()
            assert (folder / "wanted").is_dir()
            if ends:
                own = own_folder(tmp_path)
                assert own != folder
                assert (folder / "wanted").is_dir(), "of a process that still runs"
                other.communicate("")
            else:
                other.kill()
        folders.append((folder, folder.exists()))

    (_, left_by_end), (killed, left_by_kill) = folders
    assert not left_by_end
    assert left_by_kill
    done = subprocess.run(
        [sys.executable, "-c", _OTHER, str(tmp_path)],
        input="",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout
    assert not killed.exists()
    assert own.is_dir()


def test_a_process_keeps_its_own(tmp_path: Path) -> None:
    assert own_folder(tmp_path) == own_folder(tmp_path)
    assert own_folder(tmp_path).is_dir()
