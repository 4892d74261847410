"""Choice: the files of a snapshot that are served, from its MLflow flavor or its declaration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from forecast_packaging.errors import ModelError
from forecast_packaging.formats.data_files import check_data_file, refuse_early_stopping
from forecast_packaging.formats.parts import LIBRARIES, ServedBundle, ServedPart
from forecast_packaging.formats.pickles import SerializedEstimator
from forecast_packaging.manifest import check_path
from forecast_packaging.registry.snapshot import MODEL_FOLDER, Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from forecast_packaging.declarations.outputs import DeclaredModel
    from forecast_packaging.declarations.serving import Serving
    from forecast_packaging.declarations.signature import MlModel

SUPPORTED = ("xgboost", "lightgbm", "catboost", "onnx", "sklearn")

_REGRESSORS = {
    "xgboost": frozenset({"Booster", "XGBRegressor", "XGBRFRegressor"}),
    "lightgbm": frozenset({"Booster", "LGBMRegressor"}),
    "catboost": frozenset({"CatBoost", "CatBoostRegressor"}),
}
_DECLARED_IN = "artifacts/serving.json"
_PICKLES = (".joblib", ".pkl", ".skops")


@dataclass(frozen=True)
class _Found:
    """A served file, and what its content says of how it is used."""

    part: ServedPart
    estimator: SerializedEstimator | None = None


def choose_parts(
    snapshot: Snapshot, model: MlModel, serving: Serving, columns: Sequence[str]
) -> ServedBundle:
    """The files of a snapshot that are served.

    Args:
        snapshot: The files of the model version.
        model: Its MLmodel file.
        serving: What the run declares, without contradictions; its `models` come before the MLflow
            flavor.
        columns: The columns of the model's output, as in the feature schema.

    Raises:
        ModelError: No supported flavor, a classifier, code beside the model or in it, or a file
            that is not there or not in its format.
    """
    if serving.models is None:
        found = [_from_flavor(snapshot, model, columns)]
    else:
        found = [
            _from_declaration(snapshot, entry, number)
            for number, entry in enumerate(serving.models)
        ]
    parts = _with_own_names([item.part for item in found])
    estimators = [item.estimator for item in found if item.estimator is not None]
    unused = frozenset.intersection(*(item.unused for item in estimators)) if estimators else ()
    return ServedBundle(parts, _choose_inputs(parts, estimators, model), frozenset(unused))


def _from_flavor(snapshot: Snapshot, model: MlModel, columns: Sequence[str]) -> _Found:
    names = [name for name in SUPPORTED if name in model.flavors]
    if len(names) != 1:
        given = ", ".join(sorted(model.flavors)) or "none"
        raise ModelError(
            f"the model has the flavors {given}, expected exactly one of {', '.join(SUPPORTED)}: "
            f"log it with that flavor's log_model, or declare its files in {_DECLARED_IN}"
        )
    flavor = names[0]
    settings = model.flavors[flavor]
    _check_kind(flavor, settings)
    file = _find_file(snapshot, settings, "pickled_model" if flavor == "sklearn" else "data")
    if _is_pickled(flavor, settings):
        if settings.get("code"):
            raise ModelError(
                "the model was logged with code_paths, which the container does not have: put "
                "that code into an installable library, or log the model without it"
            )
        skops = settings.get("serialization_format") == "skops"
        trusted = settings.get("skops_trusted_types") or ()
        found = _pickled(file, columns, library=LIBRARIES[flavor], skops=skops)
        return replace(found, part=replace(found.part, trusted_types=tuple(map(str, trusted))))
    if flavor == "xgboost" and not str(settings.get("model_class")).endswith(".Booster"):
        refuse_early_stopping(file)
    return _Found(_data(flavor, file, columns))


def _check_kind(flavor: str, settings: Mapping[str, Any]) -> None:
    kind = str(settings.get("model_class") or settings.get("model_type") or "")
    expected = _REGRESSORS.get(flavor)
    name = kind.rpartition(".")[2]
    if expected is not None and name and name not in expected:
        raise ModelError(
            f"the {flavor} model is a {name}, expected one of {', '.join(sorted(expected))}: only "
            "regressors forecast"
        )


def _find_file(snapshot: Snapshot, settings: Mapping[str, Any], key: str) -> Path:
    name = settings.get(key)
    if not isinstance(name, str):
        raise ModelError(f"MLmodel does not say which file the model is in, expected {key}")
    check_path(name, "MLmodel")
    path = f"{MODEL_FOLDER}/{name}"
    if path not in snapshot.paths:
        raise ModelError(f"MLmodel says that the model is in {name!r}, which is no file of it")
    return snapshot.folder / path


def _is_pickled(flavor: str, settings: Mapping[str, Any]) -> bool:
    if flavor == "sklearn":
        return True
    return flavor == "lightgbm" and not str(settings.get("model_class")).endswith(".Booster")


def _from_declaration(snapshot: Snapshot, entry: DeclaredModel, number: int) -> _Found:
    where = f"{_DECLARED_IN}: models.{number}"
    file = _find_declared(snapshot, entry.file, where)
    try:
        found = _read_declared(entry, file)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from None
    if entry.features is None:
        return found
    return replace(found, part=replace(found.part, features=tuple(entry.features)))


def _read_declared(entry: DeclaredModel, file: Path) -> _Found:
    if entry.flavor == "sklearn":
        if file.suffix not in _PICKLES:
            raise ModelError(
                f"the scikit-learn model {file.name!r} ends with {file.suffix!r}, expected one of "
                f"{', '.join(_PICKLES)}"
            )
        library = LIBRARIES["sklearn"]
        return _pickled(file, entry.columns, library=library, skops=file.suffix == ".skops")
    if entry.flavor == "xgboost":
        refuse_early_stopping(file)
    return _Found(_data(entry.flavor, file, entry.columns))


def _find_declared(snapshot: Snapshot, name: str, where: str) -> Path:
    """A file by its path in the run's artifacts or in the model's folder."""
    check_path(name, where)
    for path in (name, f"{MODEL_FOLDER}/{name}"):
        if path in snapshot.paths:
            return snapshot.folder / path
    raise ModelError(
        f"{where}: the file {name!r} is neither among the run's artifacts nor in the model's "
        "folder: log it with mlflow.log_artifact"
    )


def _data(flavor: str, file: Path, columns: Sequence[str]) -> ServedPart:
    ending = check_data_file(flavor, file)
    return ServedPart(
        flavor, LIBRARIES[flavor], file, f"{MODEL_FOLDER}/model{ending}", tuple(columns)
    )


def _pickled(file: Path, columns: Sequence[str], *, library: str, skops: bool) -> _Found:
    estimator = SerializedEstimator(file, skops=skops)
    estimator.refuse_own_code()
    suffix = ".joblib" if file.suffix == ".joblib" and not skops else ".pkl"
    part = ServedPart(
        flavor="sklearn",
        library=library,
        source=file,
        member=f"{MODEL_FOLDER}/model{suffix}",
        columns=tuple(columns),
        pickled=True,
        cloudpickled=estimator.cloudpickled,
        skops=skops,
    )
    return _Found(part, estimator)


def _with_own_names(parts: Sequence[ServedPart]) -> tuple[ServedPart, ...]:
    """The parts under names that tell them apart: a single one is `model`."""
    if len(parts) == 1:
        return tuple(parts)
    named = []
    for number, part in enumerate(parts):
        ending = PurePosixPath(part.member).suffix
        named.append(replace(part, member=f"{MODEL_FOLDER}/{number}-{part.source.stem}{ending}"))
    return tuple(named)


def _choose_inputs(
    parts: Sequence[ServedPart], estimators: Sequence[SerializedEstimator], model: MlModel
) -> tuple[str, ...]:
    if any(column.type in {"string", "datetime"} for column in model.inputs):
        # ONNX takes one tensor per feature, by name, without pandas.
        return ("columns",) if all(it.flavor == "onnx" for it in parts) else ("dataframe",)
    if any(item.takes_columns_by_name for item in estimators):
        return ("dataframe",)
    arrays = {"xgboost", "lightgbm", "onnx"}
    return ("array",) if all(it.flavor in arrays for it in parts) else ("array", "dataframe")
