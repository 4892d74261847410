"""The bundle: the model's files loaded, and put together as one prediction."""

from __future__ import annotations

import importlib
import logging
import sys
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from forecast_inference.errors import ArtifactError
from forecast_inference.models.digests import verify_file
from forecast_inference.models.given import Given
from forecast_inference.models.info import RUNS_CODE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forecast_inference.models.given import Predict
    from forecast_inference.models.info import ModelFile, ModelInfo

_LOG = logging.getLogger(__name__)
_LONGEST_REASON: Final = 200
_MODULES: Final = {"scikit-learn": "sklearn", "xgboost-cpu": "xgboost"}


def load_model(
    model_dir: Path, info: ModelInfo, features: Sequence[str], columns: Sequence[str]
) -> Predict:
    """The prediction of the archive's model, (n,) or (n, columns) in the schema's order.

    A single file that gives all columns from all features in their order answers by itself.

    Args:
        model_dir: the extracted archive.
        info: what ``model-info.json`` says.
        features: the feature names in training order; the model's own must equal them.
        columns: the columns of the raw output.

    Raises:
        ArtifactError: a file is not the recorded one, its library is missing or cannot read it,
            it was trained on other features, or the files do not give each column once.
    """
    _check_columns(info, columns)
    lean = info.input == "array" and RUNS_CODE not in info.flavors
    parts = [_load_part(model_dir, info, model, features, lean=lean) for model in info.models]
    _warn_of_other_versions(info)
    given = [name for model in info.models for name in model.columns]
    if len(parts) == 1:
        return parts[0] if given == list(columns) else _reorder(parts[0], given, columns)
    places = [
        np.array([list(columns).index(name) for name in model.columns]) for model in info.models
    ]
    return _join(tuple(zip(parts, places, strict=True)), len(columns))


def _check_columns(info: ModelInfo, columns: Sequence[str]) -> None:
    given = [name for model in info.models for name in model.columns]
    if sorted(given) != sorted(columns):
        raise ArtifactError(
            f"the model's files give the columns {', '.join(given)}, the feature schema has "
            f"{', '.join(columns)}: expected each of them once"
        )


def _load_part(
    model_dir: Path, info: ModelInfo, model: ModelFile, features: Sequence[str], *, lean: bool
) -> Predict:
    path = verify_file(model_dir, model.file, info)
    names = tuple(features) if model.features is None else model.features
    unknown = [name for name in names if name not in features]
    if unknown:
        raise ArtifactError(
            f"{model.file} takes {', '.join(unknown)}, expected features of the schema"
        )
    loader = importlib.import_module(f"forecast_inference.models.{model.flavor}")
    try:
        predict: Predict = loader.load(path, Given(names, info.input, lean=lean))
    except ArtifactError as error:
        raise ArtifactError(f"{model.file}: {error}") from None
    except ImportError as error:
        raise ArtifactError(
            f"{model.file}: this environment lacks {error.name}, which the model needs"
        ) from None
    except Exception as error:
        raise ArtifactError(
            f"{model.file} is no model that {model.flavor} can read: {_in_short(error, path)}"
        ) from error
    return predict if names == tuple(features) else _narrow(predict, info, names, features)


def _in_short(error: Exception, path: Path) -> str:
    lines = str(error).replace(str(path), path.name).strip().splitlines()
    return lines[0][:_LONGEST_REASON] if lines else type(error).__name__


def _narrow(
    predict: Predict, info: ModelInfo, names: Sequence[str], features: Sequence[str]
) -> Predict:
    """A prediction that is given some of the features only."""
    if info.input == "array":
        places = np.array([list(features).index(name) for name in names])
        return lambda rows: predict(rows.take(places, axis=1))
    if info.input == "dataframe":
        chosen = list(names)
        return lambda rows: predict(rows[chosen])
    return predict  # a file takes the columns it needs by their names


def _reorder(predict: Predict, given: Sequence[str], columns: Sequence[str]) -> Predict:
    places = np.array([list(given).index(name) for name in columns])
    return lambda rows: np.asarray(predict(rows))[:, places]


def _join(parts: Sequence[tuple[Predict, Any]], width: int) -> Predict:
    def predict(rows: Any) -> Any:
        joined = None
        for part, places in parts:
            raw = np.asarray(part(rows))
            if joined is None:
                joined = np.empty((len(raw), width))
            joined[:, places] = raw.reshape(len(joined), len(places))
        return joined

    return predict


def _warn_of_other_versions(info: ModelInfo) -> None:
    """Log which of the loaded libraries are not those that the model was made with.

    Patch releases are taken for equal; a library that is not loaded is not used.
    """
    for library, recorded in info.libraries.items():
        module = sys.modules.get(_MODULES.get(library, library.replace("-", "_")))
        found = getattr(module, "__version__", None)
        if isinstance(found, str) and found.split(".")[:2] != recorded.split(".")[:2]:
            _LOG.warning("the model was made with %s %s, here is %s", library, recorded, found)
