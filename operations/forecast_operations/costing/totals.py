"""Totals over lines, some of which are not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Line(Protocol):
    """A line with a least and a most, each None when a price is not known."""

    @property
    def item(self) -> str:
        """What it is."""

    @property
    def low(self) -> float | None:
        """The least, in a month."""

    @property
    def high(self) -> float | None:
        """The most, in a month."""


LineT = TypeVar("LineT", bound=Line)


@dataclass(frozen=True)
class Totals(Generic[LineT]):
    """Lines, summed up over those that are known.

    Attributes:
        lines: The lines.
    """

    lines: tuple[LineT, ...]

    @property
    def low(self) -> float:
        """The least of the lines that are known: at least so much when some are not."""
        return sum(line.low for line in self.lines if line.low is not None)

    @property
    def high(self) -> float:
        """The most of the lines that are known."""
        return sum(line.high for line in self.lines if line.high is not None)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Items of the lines that are not known."""
        return tuple(line.item for line in self.lines if None in {line.low, line.high})
