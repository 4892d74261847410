"""How a model file is given its rows: the features it was trained on, as its library takes them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from forecast_inference.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

Predict = Callable[[Any], Any]
"""A model's prediction: features (n rows) in, n values or n rows of outputs out."""

Loader = Callable[["Path", "Given"], Predict]
"""Reads a model file whose digest has been checked."""

_LARGEST: Final = float(np.finfo(np.float32).max)


class Given:
    """What a model file is given.

    Attributes:
        features: the names of the features it was trained on, in its order.
        input: how the rows come, see ``forecast_inference.models.info.INPUTS``.
        lean: whether nothing but arrays and native files are in play.
    """

    __slots__ = ("features", "input", "lean")

    def __init__(self, features: Sequence[str], kind: str, *, lean: bool) -> None:
        self.features = tuple(features)
        self.input = kind
        self.lean = lean

    def check_names(self, found: Sequence[str] | None) -> None:
        """Check the names that a model remembers, if it does.

        Raises:
            ArtifactError: they are others, or in another order.
        """
        if found is not None and list(found) != list(self.features):
            raise ArtifactError(
                f"the model was trained on {list(found)}, the feature schema has "
                f"{list(self.features)}"
            )

    def check_width(self, found: int) -> None:
        """Check how many features a model takes.

        Raises:
            ArtifactError: the schema has more or fewer.
        """
        if found != len(self.features):
            raise ArtifactError(
                f"the model was trained on {found} features, the feature schema has "
                f"{len(self.features)}"
            )

    def as_matrix(self, predict: Predict) -> Predict:
        """A prediction from a float64 matrix, made one from rows as they come."""
        if self.input == "array":
            return predict
        names = self.features
        return lambda rows: predict(matrix_of(rows, names))


def matrix_of(rows: Any, names: Sequence[str]) -> NDArray[np.float64]:
    """The named columns of a mapping or a DataFrame as a contiguous matrix; null is NaN."""
    return np.column_stack([np.asarray(rows[name], dtype=np.float64) for name in names])


def first_beyond_single(rows: Any) -> tuple[int, int] | None:
    """Row and column of the first finite number that does not fit into single precision."""
    numbers = rows if isinstance(rows, np.ndarray) else _numbers_of(rows)
    found = np.argwhere((np.abs(numbers) > _LARGEST) & np.isfinite(numbers))
    return (int(found[0][0]), int(found[0][1])) if len(found) else None


def _numbers_of(frame: Any) -> NDArray[np.float64]:
    return np.column_stack(
        [
            np.asarray(frame[name], dtype=np.float64)
            if frame[name].dtype.kind in "iufb"
            else np.zeros(len(frame))
            for name in frame
        ]
    )


def thread_count() -> int:
    """Threads per prediction: ``OMP_NUM_THREADS``, else one.

    Batches are small and the server runs several at once; one thread each is then fastest.
    """
    value = os.environ.get("OMP_NUM_THREADS", "1")
    return int(value) if value.isascii() and value.isdigit() and int(value) > 0 else 1
