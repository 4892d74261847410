"""The difference between two estimates: that of what is deployed, and that of what is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_operations.costing.totals import Totals

if TYPE_CHECKING:
    from forecast_operations.costing.bill import CostLine
    from forecast_operations.costing.estimate import Estimate
    from forecast_operations.costing.prices import Currency

_HALF_A_CENT = 0.005


@dataclass(frozen=True)
class ChangedLine:
    """A line that is new, gone or another.

    Attributes:
        item: What it is.
        before: The line until now; None when it is new.
        after: The line from now on; None when it is gone.
    """

    item: str
    before: CostLine | None
    after: CostLine | None

    @property
    def low(self) -> float | None:
        """How much more the least is; None when a price is not known."""
        return _minus(self.after, self.before, "low")

    @property
    def high(self) -> float | None:
        """How much more the most is; None when a price is not known."""
        return _minus(self.after, self.before, "high")


@dataclass(frozen=True)
class Difference(Totals[ChangedLine]):
    """What an update changes of the cost of a month.

    Attributes:
        lines: The lines that are not as before.
        currency: Currency of every figure.
    """

    currency: Currency


def difference(before: Estimate | None, after: Estimate) -> Difference:
    """What changes from one estimate to another; from nothing when there is none before."""
    old = {line.item: line for line in (before.lines if before is not None else ())}
    new = {line.item: line for line in after.lines}
    changed = (
        ChangedLine(item, old.get(item), new.get(item)) for item in dict.fromkeys([*old, *new])
    )
    return Difference(tuple(line for line in changed if _differs(line)), after.currency)


def _differs(line: ChangedLine) -> bool:
    if line.before is None or line.after is None:
        return True
    if line.low is None or line.high is None:
        return line.before != line.after
    return max(abs(line.low), abs(line.high)) >= _HALF_A_CENT


def _minus(after: CostLine | None, before: CostLine | None, side: str) -> float | None:
    new = 0.0 if after is None else getattr(after, side)
    old = 0.0 if before is None else getattr(before, side)
    return None if new is None or old is None else new - old
