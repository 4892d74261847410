"""What model servers print, as events of CloudWatch Logs.

The group and the streams are those of the Amazon SageMaker developer guide, "CloudWatch Logs for
Amazon SageMaker AI": ``/aws/sagemaker/Endpoints/<endpoint>`` and ``<variant>/<instance id>``.
"""

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.core.utils import unix_time_millis
from moto.logs.models import logs_backends

_EVENTS_IN_A_CALL = 1000
_LONGEST_LINE = 200_000


@dataclass
class _Followed:
    """A log file, and how far it has been told of."""

    account: str
    region: str
    group: str
    stream: str
    offset: int


_followed: dict[Path, _Followed] = {}
_guard = threading.Lock()


def follow(log: Path, *, account: str, region: str, endpoint: str, variant: str) -> None:
    """Tell CloudWatch Logs of what is appended to a file from now on.

    Args:
        log: The file; it need not be there yet.
        account: Whose log group it is.
        region: Where that is.
        endpoint: Name of the endpoint.
        variant: Name of the variant.
    """
    instance = hashlib.sha256(log.name.encode()).hexdigest()[:17]
    with _guard:
        if log not in _followed:
            _followed[log] = _Followed(
                account,
                region,
                f"/aws/sagemaker/Endpoints/{endpoint}",
                f"{variant}/i-{instance}",
                log.stat().st_size if log.exists() else 0,
            )


def tell() -> None:
    """Put what was printed since the last time into the log groups."""
    with _guard:
        for log, followed in _followed.items():
            _tell(log, followed)


def finish(log: Path) -> None:
    """Tell of the rest of a file, and no more: its server has ended.

    A line that came later would bring back a log group that was deleted with its stack.
    """
    with _guard:
        followed = _followed.pop(log, None)
        if followed is not None:
            _tell(log, followed)


def _tell(log: Path, followed: _Followed) -> None:
    lines = _new_lines(log, followed)
    if lines:
        _put(followed, lines)


def _new_lines(log: Path, followed: _Followed) -> list[str]:
    """Whole lines only: the rest of one that is being written comes with the next look."""
    try:
        with log.open("rb") as file:
            file.seek(followed.offset)
            data = file.read()
    except OSError:
        return []
    whole = data[: data.rfind(b"\n") + 1]
    followed.offset += len(whole)
    lines = whole.decode("utf-8", errors="replace").splitlines()
    return [line[:_LONGEST_LINE] for line in lines if line.strip()]


def _put(followed: _Followed, lines: list[str]) -> None:
    backend: Any = logs_backends[followed.account][followed.region]
    backend.ensure_log_group(followed.group)
    if followed.stream not in backend.groups[followed.group].streams:
        backend.create_log_stream(followed.group, followed.stream)
    now = int(unix_time_millis())
    events = [{"timestamp": now, "message": line} for line in lines]
    for first in range(0, len(events), _EVENTS_IN_A_CALL):
        backend.put_log_events(
            followed.group, followed.stream, events[first : first + _EVENTS_IN_A_CALL]
        )
