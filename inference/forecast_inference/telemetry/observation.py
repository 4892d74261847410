"""What one request leaves behind for logs and metrics; nothing of its payload."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Observation(NamedTuple):
    """One answered request.

    Attributes:
        status: HTTP status of the answer.
        code: ``ok``, or the code of the error that was answered.
        rows: rows asked for; 0 when the request was refused before they were counted.
        refused_rows: rows that were answered with an error of their own.
        stages_ns: nanoseconds in decode, validate, features, predict and encode; those of a stage
            that was not reached are 0.
        out_of_range: values outside the range of their input, by input.
        clipped: values replaced by the nearest bound, by input.
        imputed: values replaced by the recorded one, by input.
        interval_width: mean over rows of upper minus lower bound at the default level, by output.
        request_id: the caller's or the server's id of the request.
    """

    status: int
    code: str
    rows: int = 0
    refused_rows: int = 0
    stages_ns: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
    out_of_range: Mapping[str, int] | None = None
    clipped: Mapping[str, int] | None = None
    imputed: Mapping[str, int] | None = None
    interval_width: Mapping[str, float] | None = None
    request_id: str | None = None


class Recorder(Protocol):
    """Takes observations; recording must cost about a microsecond and never raise."""

    def record(self, observation: Observation) -> None:
        """Take one observation."""
