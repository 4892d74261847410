"""What the running server knows about itself: its folder, its API clients, its time."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from forecast_local.clients import Clients
from forecast_local.clock import Clock, WallClock
from forecast_local.sagemaker.fleet import Fleet, ServerPlan


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


@dataclass(frozen=True)
class RuntimeContext:
    """How this AWS runs: as a server with real model servers, or as a simulation.

    Attributes:
        state_dir: Folder for extracted archives, logs and process records.
        clients: Clients of this very server.
        clock: Passes the waiting times of deployments.
        build_fleet: Makes the model servers of a configuration.
        in_background: Runs what an API call starts and does not wait for.
        is_simulated: Whether nothing runs: model data is taken to exist, and alarms change their
            state only when told to.
    """

    state_dir: Path
    clients: Clients
    clock: Clock = field(default_factory=WallClock)
    build_fleet: Callable[[list[ServerPlan], Path], Fleet] = Fleet
    in_background: Callable[[Callable[[], None]], None] = _in_thread
    is_simulated: bool = False


_current: list[RuntimeContext] = []


def enter(context: RuntimeContext) -> None:
    """Make a context the one of this process; the last one entered counts."""
    _current[:] = [context]


def leave() -> None:
    """Forget the context of this process."""
    _current.clear()


def current() -> RuntimeContext:
    """Return the context of this process.

    Raises:
        RuntimeError: If no server was set up in this process.
    """
    if not _current:
        raise RuntimeError("no local AWS runs in this process: start forecast_local.server")
    return _current[0]
