"""Processes of the local AWS: started, recorded, recognised and ended.

A process id alone says nothing once its process is gone: the system gives it to another. Each
record therefore holds the start time too, and only a process that still has it is ever ended.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

_POLL_SECONDS = 0.05
_START_TIME_FIELD = 21
_KILL_GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class ProcessRecord:
    """A process as it was started.

    Attributes:
        pid: Process id.
        started: The system's start time of the process, as text.
        role: What the process is for.
    """

    pid: int
    started: str
    role: str

    @property
    def is_running(self) -> bool:
        """Whether this very process still runs."""
        return start_time(self.pid) == self.started

    def save(self, folder: Path) -> Path:
        """Write the record to a folder and return the file."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.pid}.json"
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(self)), encoding="utf-8")
        temporary.replace(path)
        return path

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Read a record; None when the file is missing or broken."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(int(content["pid"]), str(content["started"]), str(content["role"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def end(self, timeout_seconds: float) -> None:
        """Ask the process to end, and kill it when it has not after the timeout."""
        for number, patience in (
            (signal.SIGTERM, timeout_seconds),
            (signal.SIGKILL, _KILL_GRACE_SECONDS),
        ):
            if not self.is_running:
                return
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return
            deadline = time.monotonic() + patience
            while self.is_running and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)


def start_time(pid: int) -> str | None:
    """Return the start time of a running process, or None when there is none.

    A process that ended and waits for its parent counts as ended.
    """
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        # The text after the command's name begins with the third field, the state.
        return None if fields[0] in {"Z", "X"} else fields[_START_TIME_FIELD - 2]
    answer = subprocess.run(
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, started = answer.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def spawn(
    command: Sequence[str],
    *,
    role: str,
    log: Path,
    environment: Mapping[str, str],
    folder: Path,
    session: bool,
) -> tuple[subprocess.Popen[bytes], ProcessRecord]:
    """Start a process that writes to a log file.

    Args:
        command: Program and arguments.
        role: What the process is for.
        log: File that gets its output; appended to.
        environment: Its whole environment.
        folder: Its working directory.
        session: Whether it outlives the terminal of the caller.

    Returns:
        The process and its record.

    Raises:
        OSError: If it cannot be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=dict(environment),
            start_new_session=session,
        )
    started = start_time(process.pid)
    return process, ProcessRecord(
        process.pid, "ended at once" if started is None else started, role
    )


def end_recorded(folder: Path, timeout_seconds: float) -> int:
    """End every process recorded in a folder and remove the records.

    Returns:
        How many were still running.
    """
    running = 0
    for path in sorted(folder.glob("*.json")):
        record = ProcessRecord.load(path)
        if record is not None and record.is_running:
            running += 1
            record.end(timeout_seconds)
        path.unlink(missing_ok=True)
    return running
