"""Tables of a comparison on a terminal of any width: no cell is cut short or broken."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

Rows = list[list[str]]

_GAP = 2
_TEXTS = {"variant", "version", "of"}
"""Columns of words, which begin at the left."""


@dataclass(frozen=True)
class Grid:
    """A table without lines; what does not fit beside the first columns follows below.

    Attributes:
        rows: A header, and rows as long as it.
        labels: Columns at the left that are repeated where the others go on below.
    """

    rows: Rows
    labels: int = 1

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As one text for each part."""
        del console
        yield from self.parts(options.max_width)

    def parts(self, width: int) -> Iterator[Text]:
        """The table in parts that are no wider, each of all rows and one column at the least."""
        widths = [max(map(cell_len, cells)) for cells in zip(*self.rows, strict=True)]
        groups = list(_groups(widths, self.labels, width))
        for place, columns in enumerate(groups):
            header, *body = (self._line(row, columns, widths) for row in self.rows)
            text = Text(header, no_wrap=True, overflow="ignore")
            text.stylize("bold")
            # A blank line tells one part from the next.
            blank = [] if place == len(groups) - 1 else [""]
            yield text.append("".join(f"\n{line}" for line in [*body, *blank]))

    def _line(self, row: Sequence[str], columns: Sequence[int], widths: Sequence[int]) -> str:
        cells = [
            set_cell_size(row[column], widths[column])
            if not column or self.rows[0][column] in _TEXTS
            else " " * (widths[column] - cell_len(row[column])) + row[column]
            for column in columns
        ]
        return (" " * _GAP).join(cells).rstrip()


def _groups(widths: Sequence[int], labels: int, width: int) -> Iterator[list[int]]:
    """Columns that fit beside each other, the labels first in each group."""
    first = sum(widths[:labels]) + _GAP * labels
    starts, used = [labels], first
    for column in range(labels, len(widths)):
        room = widths[column] + (0 if used == first else _GAP)
        if used + room > width and column > starts[-1]:
            starts.append(column)
            used, room = first, widths[column]
        used += room
    for start, end in pairwise([*starts, len(widths)]):
        yield [*range(labels), *range(start, end)]
