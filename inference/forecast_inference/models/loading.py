"""The model itself: loaded with its own library from a file whose digest has been checked."""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.contract.schema import read_json
from forecast_inference.errors import ArtifactError

if TYPE_CHECKING:
    from pathlib import Path

Predict = Callable[[Any], Any]
"""A model's prediction: features (n rows) in, n values or n rows of outputs out."""

INFO_VERSION: Final = 1
_LOG = logging.getLogger(__name__)
_PIECE: Final = 1 << 20
_DISTRIBUTIONS: Final = {"xgboost": ("xgboost", "xgboost-cpu")}


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What ``model-info.json`` says of the model in the archive."""

    name: str
    version: str
    flavor: str
    model_file: str
    input: str
    libraries: Mapping[str, str]
    digests: Mapping[str, str]

    @classmethod
    def load(cls, path: Path) -> ModelInfo:
        """Read the file at the root of the archive.

        Raises:
            ArtifactError: the file is missing, lacks a key or names a flavor unknown here.
        """
        document = read_json(path)
        try:
            if document["schema_version"] != INFO_VERSION:
                raise ArtifactError(
                    f"{path.name} has schema_version {document['schema_version']!r}, "
                    f"this runtime reads {INFO_VERSION}"
                )
            info = cls(
                name=document["name"],
                version=str(document["version"]),
                flavor=document["flavor"],
                model_file=document["model_file"],
                input=document["input"],
                libraries=dict(document["libraries"]),
                digests={name: entry["sha256"] for name, entry in document["files"].items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ArtifactError(f"{path.name} lacks what it must hold: {error}") from None
        info._check()
        return info

    def _check(self) -> None:
        if self.flavor not in _LOADERS:
            raise ArtifactError(
                f"the model's flavor is {self.flavor!r}, expected one of {sorted(_LOADERS)}"
            )
        if self.input not in {"array", "dataframe"}:
            raise ArtifactError(f"the model's input is {self.input!r}, expected array or dataframe")


def verify_file(model_dir: Path, name: str, info: ModelInfo) -> Path:
    """The path of a file of the archive whose SHA-256 is the recorded one.

    Raises:
        ArtifactError: the file is missing, lies outside the archive or is not the recorded one.
    """
    path = (model_dir / name).resolve()
    if not path.is_relative_to(model_dir.resolve()) or not path.is_file():
        raise ArtifactError(f"{name} is missing from the model archive")
    expected = info.digests.get(name)
    if expected is None:
        raise ArtifactError(f"model-info.json records no digest of {name}")
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    if digest.hexdigest() != expected.removeprefix("sha256:"):
        raise ArtifactError(
            f"{name} has sha256 {digest.hexdigest()}, expected {expected}: the archive is damaged"
        )
    return path


def verify_data(model_dir: Path, info: ModelInfo) -> None:
    """Verify every recorded file of the model and its artifacts, the model's own file apart.

    ``load_model`` verifies that one, which is read only once so. The files of the code are left
    out: an image may compile them, and they run before they could be verified.

    Raises:
        ArtifactError: as ``verify_file``.
    """
    for name in info.digests:
        if name.startswith(("artifacts/", "model/")) and name != info.model_file:
            verify_file(model_dir, name, info)


def load_model(model_dir: Path, info: ModelInfo, features: Sequence[str]) -> Predict:
    """The prediction function of the archive's model.

    Args:
        model_dir: the extracted archive.
        info: what ``model-info.json`` says.
        features: the feature names in training order; the model's own must equal them.

    Raises:
        ArtifactError: the file is not the recorded one, its library is missing or cannot read it,
            or the model was trained on other features.
    """
    path = verify_file(model_dir, info.model_file, info)
    _warn_of_other_versions(info)
    try:
        return _LOADERS[info.flavor](path, tuple(features))
    except ImportError as error:
        raise ArtifactError(f"this environment lacks {error.name}, which the model needs") from None
    except ArtifactError:
        raise
    except Exception as error:
        raise ArtifactError(f"{info.model_file} is no model that {info.flavor} can read") from error


def thread_count() -> int:
    """Threads per prediction: ``OMP_NUM_THREADS``, else one.

    Batches are small and the server runs several at once; one thread each is then fastest.
    """
    value = os.environ.get("OMP_NUM_THREADS", "1")
    return int(value) if value.isascii() and value.isdigit() and int(value) > 0 else 1


def _warn_of_other_versions(info: ModelInfo) -> None:
    for library, recorded in info.libraries.items():
        if library == "python":
            continue
        found = _installed(library)
        if found is not None and found.split(".")[:2] != recorded.split(".")[:2]:
            _LOG.warning("the model was made with %s %s, here is %s", library, recorded, found)


def _installed(library: str) -> str | None:
    for distribution in _DISTRIBUTIONS.get(library, (library,)):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return None


def _check_names(found: Sequence[str] | None, expected: Sequence[str]) -> None:
    if found is not None and list(found) != list(expected):
        raise ArtifactError(
            f"the model was trained on {list(found)}, the feature schema has {list(expected)}"
        )


def _check_width(found: int, expected: Sequence[str]) -> None:
    if found != len(expected):
        raise ArtifactError(
            f"the model was trained on {found} features, the feature schema has {len(expected)}"
        )


def _load_xgboost(path: Path, features: Sequence[str]) -> Predict:
    xgboost = importlib.import_module("xgboost")
    booster = xgboost.Booster({"nthread": thread_count()}, model_file=path)
    _check_width(booster.num_features(), features)
    _check_names(booster.feature_names, features)

    kind = json.loads(booster.save_config())["learner"]["gradient_booster"]["name"]
    if kind != "gbtree":
        # Only trees can be predicted in place, and only plain ones with the very same numbers.
        names = booster.feature_names
        return lambda rows: booster.predict(xgboost.DMatrix(rows, feature_names=names))
    # The names are checked once, above; no DMatrix is built for every request.
    return lambda rows: booster.inplace_predict(rows, validate_features=False)


def _load_lightgbm(path: Path, features: Sequence[str]) -> Predict:
    if path.suffix != ".txt":
        return _load_estimator(path, features)
    lightgbm = importlib.import_module("lightgbm")
    booster = lightgbm.Booster(model_file=path)
    _check_width(booster.num_feature(), features)
    names = booster.feature_name()
    if names != [f"Column_{index}" for index in range(len(names))]:
        # LightGBM keeps names without spaces.
        _check_names(names, [name.replace(" ", "_") for name in features])
    threads = thread_count()
    return lambda rows: booster.predict(rows, num_threads=threads)


def _load_catboost(path: Path, features: Sequence[str]) -> Predict:
    catboost = importlib.import_module("catboost")
    # The regressor, not the base class: it answers on the scale of the target (Poisson, Tweedie).
    model = catboost.CatBoostRegressor()
    model.load_model(str(path))
    names = model.feature_names_
    _check_width(len(names), features)
    if names != [str(index) for index in range(len(names))]:
        _check_names(names, features)
    threads = thread_count()
    return lambda rows: model.predict(rows, thread_count=threads)


def _load_estimator(path: Path, features: Sequence[str]) -> Predict:
    joblib = importlib.import_module("joblib")
    model = joblib.load(path)
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        _check_names([str(name) for name in names], features)
        # The order of the columns has just been proved, which is all that this warning asks for.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
    predict: Predict = model.predict
    return predict


def _load_xgboost_file(path: Path, features: Sequence[str]) -> Predict:
    native = path.suffix in {".ubj", ".json"}
    return (_load_xgboost if native else _load_estimator)(path, features)


_LOADERS: Final[dict[str, Callable[[Path, Sequence[str]], Predict]]] = {
    "xgboost": _load_xgboost_file,
    "lightgbm": _load_lightgbm,
    "catboost": _load_catboost,
    "sklearn": _load_estimator,
}
