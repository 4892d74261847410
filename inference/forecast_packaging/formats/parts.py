"""Parts: the files that a packaged model is made of, and how each of them is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LIBRARIES = {
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "onnx": "onnxruntime",
    "sklearn": "scikit-learn",
}
"""Distribution that reads a file, by its flavor in the archive."""


@dataclass(frozen=True)
class ServedPart:
    """A file that the container loads.

    Attributes:
        flavor: `xgboost`, `lightgbm`, `catboost`, `onnx` or `sklearn` (a pickled estimator).
        library: Distribution that reads the file.
        source: The file in the snapshot.
        member: Its path in the archive.
        columns: The columns of the model's output that it gives, in its order.
        features: The features it was trained on, in its order; None for all of the signature.
        pickled: Whether loading the file runs code from it.
        cloudpickled: Whether it holds objects that only cloudpickle can read.
        skops: Whether the file is in the skops format and is converted to a pickle.
        trusted_types: Types that its author allowed skops to load.
    """

    flavor: str
    library: str
    source: Path
    member: str
    columns: tuple[str, ...]
    features: tuple[str, ...] | None = None
    pickled: bool = False
    cloudpickled: bool = False
    skops: bool = False
    trusted_types: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServedBundle:
    """All files of a model; together they give each column of its output once.

    Attributes:
        parts: The files.
        inputs: Ways of giving them rows, `array`, `columns` or `dataframe`; the first that works is
            used.
        unused: Libraries that MLflow lists for every pickle and that none of these names.
    """

    parts: tuple[ServedPart, ...]
    inputs: tuple[str, ...]
    unused: frozenset[str] = frozenset()

    @property
    def runs_code(self) -> bool:
        """Whether loading one of the files runs code from it."""
        return any(part.pickled for part in self.parts)

    @property
    def cloudpickled(self) -> bool:
        """Whether one of the files can be read by cloudpickle only."""
        return any(part.cloudpickled for part in self.parts)

    @property
    def libraries(self) -> frozenset[str]:
        """The distributions that read the files."""
        return frozenset(part.library for part in self.parts)

    @property
    def flavors(self) -> tuple[str, ...]:
        """The flavors of the files, each once."""
        return tuple(dict.fromkeys(part.flavor for part in self.parts))
