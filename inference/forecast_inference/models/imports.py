"""Imports: a model's library, without the libraries that it would load only in case.

LightGBM and XGBoost import scikit-learn, pandas and pyarrow whenever they are installed, to take
their objects; that is most of the time until a container is ready. A model that is given arrays
needs none of them, and both libraries work where they are not installed.
"""

from __future__ import annotations

import importlib
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TABLES: Final = frozenset({"pandas", "pyarrow", "polars"})
_OPTIONAL: Final = {
    "lightgbm": _TABLES
    | {"cffi", "dask", "distributed", "graphviz", "joblib", "matplotlib", "psutil", "sklearn"},
    "xgboost": _TABLES | {"cudf", "cupy", "dask", "distributed", "joblib", "sklearn"},
}
"""Libraries that each of them imports if it finds it.

CatBoost's compiled part needs pandas, and scikit-learn's validation reads what is installed.
"""


def import_library(name: str, *, lean: bool = False) -> Any:
    """A library that a model needs.

    Args:
        name: the module.
        lean: leave out what the library needs only for objects that the runtime never gives it.

    Raises:
        ArtifactError: this environment lacks the library, or a shared library that it needs.
    """
    try:
        if not lean:
            return importlib.import_module(name)
        with _hidden(_OPTIONAL.get(name, frozenset())):
            return importlib.import_module(name)
    except ImportError as error:
        raise ArtifactError(
            f"this environment lacks {error.name or name}, which the model needs: choose an image "
            "that holds it, or let it travel in the archive"
        ) from None
    except OSError as error:
        # ctypes says "libgomp.so.1: cannot open shared object file: No such file or directory".
        missing = str(error).partition(":")[0]
        raise ArtifactError(
            f"this environment lacks {missing}, which {name} needs: install it in the image"
        ) from None


class _Hidden:
    """A finder, first in line, that finds nothing of some libraries: they count as missing."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> None:
        """Refuse a hidden library, leave all others to the finders behind."""
        del path, target
        if fullname.partition(".")[0] in self._names:
            raise ModuleNotFoundError(f"{fullname} is not needed", name=fullname)


@contextmanager
def _hidden(names: frozenset[str]) -> Iterator[None]:
    """Hide libraries from what is imported meanwhile; those loaded already cost nothing."""
    finder = _Hidden(frozenset(name for name in names if name not in sys.modules))
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
