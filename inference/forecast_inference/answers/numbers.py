"""Numbers put into the slots of a template: the one place where the two codecs differ.

A template is the text of an answer with ``%s`` where a number stands. Both codecs write the
shortest digits that read back as the same float64, so their documents are equal; their bytes may
differ in the way an exponent is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Fill = Callable[[str, Sequence[float]], bytes]


def fill_with_standard_library(template: str, numbers: Sequence[float]) -> bytes:
    """The template with the numbers as Python writes them."""
    return (template % tuple(numbers)).encode()


def fill_with_msgspec() -> Fill:
    """The same with the digits of msgspec, which writes them about ten times as fast.

    Raises:
        ImportError: msgspec is not installed.
    """
    import msgspec  # noqa: PLC0415 - optional, and imported only where it is asked for

    encode = msgspec.json.Encoder().encode

    def fill(template: str, numbers: Sequence[float]) -> bytes:
        if not numbers:
            return fill_with_standard_library(template, numbers)
        # One call for all of them; no number holds a comma.
        return template.encode() % tuple(encode(numbers)[1:-1].split(b","))

    return fill
