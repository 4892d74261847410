"""How far back a comparison has to look until it can say something, and whether it can."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from forecast_operations.comparing.significance import needed_samples
from forecast_operations.comparing.window import window_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_operations.comparing.comparison import Comparison

_LEAST_DATES = 8
"""Dates below which their spacing is not taken from them: two may be months apart by chance."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What a comparison needs, and what there is of it.

    Attributes:
        dates: Dates with actuals that it needs.
        days: Days of captured requests that they take.
        retention_days: Days that captured requests are kept; None: not known.
        age: How long the configuration has been serving.
        now: When the comparison was made.
    """

    dates: int
    days: int
    retention_days: int | None
    age: timedelta
    now: datetime

    @property
    def expires_early(self) -> bool:
        """Whether captured requests are deleted before there are enough of them."""
        return self.retention_days is not None and self.retention_days < self.days

    @property
    def ready_at(self) -> datetime | None:
        """When there are requests of enough days; None: there are already."""
        kept = self.age
        if self.retention_days is not None:
            kept = min(kept, self.retention_days * _DAY)
        missing = self.days * _DAY - kept
        return self.now + missing if missing > timedelta(0) else None


def reach_of(comparison: Comparison) -> Reach:
    """How far back an answer needs to look.

    Where the answer is that there may be no difference, twice the dates that there are.
    """
    table, contract = comparison.table, comparison.contract
    horizon = 1 if table is None else int(table.steps.max(initial=1))
    step_days = 1 if contract is None or horizon == 1 else contract.step_days
    dates = max(
        needed_samples(comparison.wanted.minimum, horizon),
        *(each.needed for each in comparison.judgements),
        0,
    )
    known = max((each.dates for each in comparison.judgements), key=len, default=())
    if comparison.answer == "no difference shown":
        dates = max(dates, 2 * len(known))
    spacing = _spacing(known)
    if spacing is None:
        spacing = float(step_days)
    return Reach(
        dates=dates,
        # The last steps of the last forecasts have not come true yet.
        days=ceil(dates * spacing) + horizon * step_days,
        retention_days=comparison.retention_days,
        age=comparison.made_at - comparison.contest.since,
        now=comparison.made_at,
    )


def since_for(comparison: Comparison, reach: Reach) -> str:
    """The `--since` that looks so far back, or further where that was asked for."""
    asked = comparison.wanted.since
    is_enough = window_of(asked, comparison.made_at).length >= reach.days * _DAY
    return asked if is_enough else f"{reach.days}d"


def _spacing(dates: Sequence[str]) -> float | None:
    """Days from date to date on average, as on markets that close on Sundays."""
    if len(dates) < _LEAST_DATES:
        return None
    first, last = (_moment(each) for each in (dates[0], dates[-1]))
    return (last - first) / _DAY / (len(dates) - 1)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
