"""The Markdown of a text widget as lines and tables, without its marks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")
_MARKS = re.compile(r"\*\*|`")
_RULE = re.compile(r"^\|[\s|:-]+\|$")


@dataclass(frozen=True)
class Block:
    """A piece of a text.

    Attributes:
        level: 1 and 2 for headings, 0 for text.
        text: The text; empty for a table.
        rows: Rows of a table, the first of them its head.
    """

    level: int = 0
    text: str = ""
    rows: list[list[str]] = field(default_factory=list)


def blocks_of(markdown: str) -> list[Block]:
    """The pieces from top to bottom."""
    blocks: list[Block] = []
    for line in markdown.splitlines():
        if _RULE.match(line):
            continue
        if line.startswith("|"):
            cells = [plain(cell.strip()) for cell in line.strip("|").split("|")]
            if not (blocks and blocks[-1].rows):
                blocks.append(Block())
            blocks[-1].rows.append(cells)
        elif line.strip():
            marks = len(line) - len(line.lstrip("#"))
            blocks.append(Block(level=marks, text=plain(line.lstrip("# "))))
    return blocks


def plain(text: str) -> str:
    """A text without its marks; of a link what is shown of it."""
    return _MARKS.sub("", _LINK.sub(r"\1", text))
