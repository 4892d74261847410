"""What the running server knows about itself: its folder and its own API clients."""

from dataclasses import dataclass
from pathlib import Path

from forecast_local.clients import Clients


@dataclass(frozen=True)
class RuntimeContext:
    """The folder and the API clients of the running server.

    Attributes:
        state_dir: Folder for extracted archives, logs and process records.
        clients: Clients of this very server.
    """

    state_dir: Path
    clients: Clients


_current: list[RuntimeContext] = []


def enter(context: RuntimeContext) -> None:
    """Make a context the one of this process; the last one entered counts."""
    _current[:] = [context]


def current() -> RuntimeContext:
    """Return the context of this process.

    Raises:
        RuntimeError: If no server was set up in this process.
    """
    if not _current:
        raise RuntimeError("no local AWS runs in this process: start forecast_local.server")
    return _current[0]
