"""The difference between two estimates: that of what is deployed, and that of what is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    def low_usd(self) -> float | None:
        """How much more the least is; None when a price is not known."""
        return _minus(self.after, self.before, "low_usd")

    @property
    def high_usd(self) -> float | None:
        """How much more the most is; None when a price is not known."""
        return _minus(self.after, self.before, "high_usd")


@dataclass(frozen=True)
class Difference:
    """What an update changes of the cost of a month.

    Attributes:
        lines: The lines that are not as before.
        currency: Currency of every figure.
    """

    lines: tuple[ChangedLine, ...]
    currency: Currency

    @property
    def low_usd(self) -> float:
        """How much more the least is, by the lines that are known."""
        return sum(line.low_usd for line in self.lines if line.low_usd is not None)

    @property
    def high_usd(self) -> float:
        """How much more the most is, by the lines that are known."""
        return sum(line.high_usd for line in self.lines if line.high_usd is not None)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Items whose difference is not known."""
        return tuple(line.item for line in self.lines if None in {line.low_usd, line.high_usd})


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
    if line.low_usd is None or line.high_usd is None:
        return line.before != line.after
    return max(abs(line.low_usd), abs(line.high_usd)) >= _HALF_A_CENT


def _minus(after: CostLine | None, before: CostLine | None, side: str) -> float | None:
    new = 0.0 if after is None else getattr(after, side)
    old = 0.0 if before is None else getattr(before, side)
    return None if new is None or old is None else new - old
