"""The sandbox: a separate Python process in which a packed model is loaded and asked.

Loading a pickled model runs code from it, and a broken one can crash the process that loads it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast_packaging.errors import ContractError
from forecast_packaging.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_SECONDS = 600
"""How long a model may take to load and answer its example, in seconds."""

_PROGRAM = Path(__file__).with_name("sandbox_program.py")
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
_FIXED = {
    # One thread and one order of everything: what is recorded must not depend on the machine.
    "LC_ALL": "C.UTF-8",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
}


def run_in_sandbox(
    task: Mapping[str, Any], scratch: Path, timeout_seconds: float = TIMEOUT_SECONDS
) -> dict[str, Any]:
    """What a task of `sandbox_program` gave.

    The process sees this environment's installed libraries, and neither this process's variables,
    nor its folder, nor the user's own packages.

    Args:
        task: The task; see `sandbox_program`.
        scratch: An existing folder for the process's files.
        timeout_seconds: When the process is ended.

    Raises:
        ContractError: The task failed; the message is its own error, without a traceback.
    """
    with workspace(scratch) as home:
        (home / "task.json").write_text(json.dumps(task), encoding="utf-8")
        kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        command = [sys.executable, "-s", "-P", "-B", str(_PROGRAM), "task.json", "result.json"]
        try:
            done = subprocess.run(
                command,
                cwd=home,
                env={**kept, **_FIXED, "HOME": str(home), "TMPDIR": str(home)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ContractError(f"it took longer than {timeout_seconds:g} seconds") from None
        try:
            result = json.loads((home / "result.json").read_bytes())
        except (OSError, ValueError):
            raise ContractError(_how_it_ended(done)) from None
    if "error" in result:
        raise ContractError(result["error"])
    return dict(result)


def _how_it_ended(done: subprocess.CompletedProcess[bytes]) -> str:
    if done.returncode < 0:
        return f"its process was ended by {signal.Signals(-done.returncode).name}"
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return f"its process ended with status {done.returncode}: {lines[-1] if lines else 'no output'}"
