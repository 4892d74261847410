"""Log events of an endpoint's containers, or of its heartbeat."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError, names
from forecast_operations.cloud.refusals import CloudError, CredentialsError, NotAllowedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from forecast_operations.deployed.place import Place

_NO_GROUP = "ResourceNotFoundException"
_FIRST_ERROR = 400
_LEVELS = ("warning", "error", "critical")
_WORDS = ("error", "traceback", "exception", "killed", "out of memory", "fatal")
_OVERLAP = timedelta(seconds=30)
"""Events come a little out of order: each look back over this much finds those that came late."""

_LATE = timedelta(minutes=2)
"""How late an event may come in where it is not known what else has: behind a filter pattern."""


@dataclass(frozen=True)
class Wanted:
    """Which events are wanted.

    Attributes:
        heartbeat: Those of the heartbeat's function, instead of the containers'.
        variant: Of this variant only; None: of all.
        pattern: A filter pattern of CloudWatch Logs; None: all.
        errors: Only refused requests and problems.
    """

    heartbeat: bool = False
    variant: str | None = None
    pattern: str | None = None
    errors: bool = False


@dataclass(frozen=True)
class LogEvent:
    """One line of a log.

    Attributes:
        event_id: Its id.
        at: When it was written.
        stream: Its stream: variant and instance.
        message: The line.
    """

    event_id: str
    at: datetime
    stream: str
    message: str

    @property
    def document(self) -> dict[str, Any] | None:
        """The line as a document; None when it is text."""
        if not self.message.startswith("{"):
            return None
        try:
            found = json.loads(self.message)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    @property
    def is_problem(self) -> bool:
        """Whether it tells of a refused request or a problem."""
        document = self.document
        if document is None:
            return any(word in self.message.lower() for word in _WORDS)
        if document.get("details"):
            return True
        status = document.get("status")
        return document.get("level") in _LEVELS or (
            isinstance(status, int) and status >= _FIRST_ERROR
        )


def group_of(place: Place, wanted: Wanted) -> str:
    """Name of the log group that the events are in."""
    if wanted.heartbeat:
        return names.function_log_group(names.heartbeat_function(place.endpoint_name))
    return names.endpoint_log_group(place.endpoint_name)


def read_events(place: Place, wanted: Wanted, since: datetime) -> Iterator[LogEvent]:
    """The events since a moment, oldest first within each page.

    Raises:
        ForecastError: There is no such log group, or the credentials do not allow to read it.
    """
    return (event for event in _read(place, wanted, since) if _is_wanted(event, wanted))


def follow(
    place: Place,
    wanted: Wanted,
    since: datetime,
    pause: Callable[[], None],
    refused: Callable[[CloudError], None],
) -> Iterator[LogEvent]:
    """The events since a moment, and all that come, for ever.

    A look that AWS refuses is repeated, with all that it should have seen.

    Args:
        place: The environment.
        wanted: Which events.
        since: The first moment.
        pause: Called between two looks.
        refused: Told why a look failed.

    Raises:
        ForecastError: There is no such log group, or the credentials do not do.
    """
    seen: dict[str, datetime] = {}
    # Events have milliseconds: one of the very first moment is not before it.
    begin = newest = since.replace(microsecond=0)
    while True:
        looked = datetime.now(UTC)
        try:
            for event in _read(place, wanted, begin):
                newest = max(newest, event.at)
                if event.event_id not in seen and _is_wanted(event, wanted):
                    seen[event.event_id] = event.at
                    yield event
        except (CredentialsError, NotAllowedError):
            raise
        except CloudError as error:
            refused(error)
        else:
            # The clock of an instance may be fast: what others write comes before its times.
            begin = max(begin, min(newest, looked) - _OVERLAP)
            if wanted.pattern is not None:
                begin = max(begin, looked - _LATE)
            seen = {event_id: at for event_id, at in seen.items() if at >= begin}
        pause()


def nothing_found(place: Place, wanted: Wanted, since: datetime) -> str:
    """What there is to say when no event was found."""
    narrowed = wanted.errors or wanted.pattern is not None or wanted.variant is not None
    return (
        f"no {'such ' if narrowed else ''}events in {group_of(place, wanted)} since "
        f"{since.isoformat(timespec='seconds')}; look further back with --since 1d"
        + ("" if narrowed else ", or whether anything runs with: forecast status")
    )


def _read(place: Place, wanted: Wanted, since: datetime) -> Iterator[LogEvent]:
    """What AWS finds, wanted or not: the problems among the events are told apart here only."""
    arguments: dict[str, Any] = {
        "logGroupName": group_of(place, wanted),
        "startTime": int(since.timestamp() * 1000),
    }
    if wanted.pattern is not None:
        arguments["filterPattern"] = wanted.pattern
    if wanted.variant is not None:
        arguments["logStreamNamePrefix"] = f"{wanted.variant}/"
    try:
        for each in place.cloud.pages("logs", "filter_log_events", "events", **arguments):
            yield LogEvent(
                event_id=each["eventId"],
                at=datetime.fromtimestamp(each["timestamp"] / 1000, UTC),
                stream=each["logStreamName"],
                message=each["message"].rstrip("\n"),
            )
    except CloudError as error:
        if error.code != _NO_GROUP:
            raise
        raise ForecastError(_missing(place, wanted)) from None


def _is_wanted(event: LogEvent, wanted: Wanted) -> bool:
    # The local AWS knows no prefix of a stream's name.
    if wanted.variant is not None and not event.stream.startswith(f"{wanted.variant}/"):
        return False
    return event.is_problem or not wanted.errors


def _missing(place: Place, wanted: Wanted) -> str:
    group, environment = group_of(place, wanted), place.settings.name
    why = (
        "the environment has no heartbeat, or was never deployed"
        if wanted.heartbeat
        else f"{environment} was never deployed there, or its logs were deleted with it"
    )
    return (
        f"there is no log group {group} in {place.settings.region}: {why}; see: forecast status "
        f"{environment}"
    )
