"""Reading what is far away: as much as is needed, and each thing once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_AT_ONCE = 10
"""Connections that a client keeps open (botocore, Config: max_pool_connections)."""


def read_ahead(read: Callable[[_Key], _Value], keys: Sequence[_Key]) -> Iterator[_Value]:
    """What is read of keys, in their order: the first one alone, and then ever more at once.

    Args:
        read: Reads one.
        keys: What is read.
    """
    if not keys:
        return
    yield read(keys[0])
    done, size = 1, 2
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while done < len(keys):
            yield from list(pool.map(read, keys[done : done + size]))
            done, size = done + size, min(size * 2, _AT_ONCE)


class ReadOnce(Generic[_Value]):
    """What an iterator gives, to be gone through as often as wanted; it is asked once for each.

    Args:
        source: The iterator.
    """

    def __init__(self, source: Iterator[_Value]) -> None:
        self._source = source
        self._known: list[_Value] = []

    def __iter__(self) -> Iterator[_Value]:
        """From the first one on."""
        place = 0
        while True:
            if place == len(self._known):
                try:
                    self._known.append(next(self._source))
                except StopIteration:
                    return
            yield self._known[place]
            place += 1
