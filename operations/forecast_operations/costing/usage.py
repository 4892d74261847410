"""What is done with an endpoint in a month: given, measured, or assumed and then said so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ASSUMED_SECONDS = (0.05, 1.0)
"""Time that a container works on a request where nobody measured it."""

ASSUMED_KIB = 8.0
"""Size of a request with its answer where nobody said it."""

ASSUMED_ARCHIVE_BYTES = 100_000_000
"""Size of a model's archive where none is at hand."""

_ARCHIVES = "asset.*.gz"


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What is done with an endpoint in a month.

    Attributes:
        requests: Requests of clients in a month; None when nobody knows.
        with_heartbeats: Whether the requests count those of the heartbeat already.
        seconds: Least and most time that a container works on a request.
        seconds_from: Where those are from; None when they are assumed.
        kib: Size of a request with its answer in KiB.
        kib_from: Where that is from; None when it is assumed.
        archive_bytes: Size of a model's archive; None when none is at hand.
    """

    requests: float | None = None
    with_heartbeats: bool = False
    seconds: tuple[float, float] = ASSUMED_SECONDS
    seconds_from: str | None = None
    kib: float = ASSUMED_KIB
    kib_from: str | None = None
    archive_bytes: int | None = None


def usage_of(assembly: Path) -> Usage:
    """What is known of the use without being told: the size of the archive that was synthesized.

    Args:
        assembly: Folder of a synth.
    """
    sizes = [path.stat().st_size for path in assembly.glob(_ARCHIVES)]
    return Usage(archive_bytes=max(sizes, default=None))
