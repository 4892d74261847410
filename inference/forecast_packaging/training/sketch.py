"""Quantiles of any number of values in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SIZE: Final = 65_536
"""Values of each weight that are kept; up to so many in all, quantiles are exact."""


class QuantileSketch:
    """A deterministic sketch of the values added to it, in any number of parts.

    A full buffer is sorted and every second value goes on with twice the weight (Munro and
    Paterson, "Selection and sorting with limited storage", 1980). Which of two neighbours goes on
    alternates, so that the errors of successive buffers cancel. The same values in the same order
    give the same sketch, however they are cut.

    Args:
        size: Values of each weight that are kept; even.
    """

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._buffers: list[_Buffer] = [_Buffer()]

    def add(self, values: NDArray[np.float64]) -> None:
        """Take more values, in their order."""
        for start in range(0, len(values), self._size):
            part = values[start : start + self._size]
            room = self._size - self._buffers[0].count
            self._take(0, part[:room])
            self._take(0, part[room:])

    def _take(self, level: int, values: NDArray[np.float64]) -> None:
        if level == len(self._buffers):
            self._buffers.append(_Buffer())
        buffer = self._buffers[level]
        buffer.put(values)
        if buffer.count >= self._size:
            self._take(level + 1, buffer.halve())

    def quantiles(self, shares: Sequence[float]) -> list[float]:
        """The value at each share: the smallest with at least that share of values up to it.

        Raises:
            ValueError: No value was added.
        """
        parts = [(buffer.values(), 2**level) for level, buffer in enumerate(self._buffers)]
        values = np.concatenate([part for part, _ in parts])
        if not len(values):
            raise ValueError("got no values, expected at least one")
        weights = np.concatenate([np.full(len(part), weight) for part, weight in parts])
        order = np.argsort(values, kind="stable")
        reached = np.cumsum(weights[order])
        # A hair less than the share of the total: 0.3 * 10 is above 3.
        wanted = np.asarray(shares) * reached[-1] * (1 - 1e-12)
        places = np.minimum(np.searchsorted(reached, wanted), len(values) - 1)
        return [float(value) for value in values[order][places]]


class _Buffer:
    """The values of one weight."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.float64]] = []
        self._skips = False
        self.count = 0

    def put(self, values: NDArray[np.float64]) -> None:
        if len(values):
            self._parts.append(np.array(values, dtype=np.float64))
            self.count += len(values)

    def values(self) -> NDArray[np.float64]:
        return np.concatenate(self._parts) if self._parts else np.empty(0)

    def halve(self) -> NDArray[np.float64]:
        """Every second of the sorted values; the buffer is empty afterwards."""
        kept = np.sort(self.values())[int(self._skips) :: 2]
        self._parts, self.count, self._skips = [], 0, not self._skips
        return kept
