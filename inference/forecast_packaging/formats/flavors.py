"""Flavors: which file of an MLflow model is served, by which library, and how it is given rows."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_packaging.errors import ModelError
from forecast_packaging.manifest import CHUNK_BYTES, check_path
from forecast_packaging.registry.snapshot import MODEL_FOLDER, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from forecast_packaging.declarations.signature import MlModel

SUPPORTED = ("xgboost", "lightgbm", "catboost", "sklearn")

_REGRESSORS = {
    "xgboost": frozenset({"Booster", "XGBRegressor", "XGBRFRegressor"}),
    "lightgbm": frozenset({"Booster", "LGBMRegressor"}),
    "catboost": frozenset({"CatBoost", "CatBoostRegressor"}),
}
# A module's name as a pickle (with its length, or ending a line) or a skops file (quoted) holds it.
# LightGBM's text, which its estimators carry along, has a key pandas_categorical without pandas.
_PANDAS = (b"pandas.", b"\x06pandas", b"pandas\n", b'"pandas"')
_NEEDED_IF_NAMED = {"pandas": _PANDAS, "cloudpickle": (b"cloudpickle",)}
_TAKES_COLUMNS_BY_NAME = (b"ColumnTransformer", *_PANDAS)


@dataclass(frozen=True)
class ServedModel:
    """The file of an MLflow model that the container loads.

    Attributes:
        flavor: `xgboost`, `lightgbm`, `catboost` or `sklearn` (a pickled estimator).
        library: Distribution that reads the file.
        source: The file in the snapshot.
        member: Its path in the archive.
        inputs: Ways of giving it rows, `array` or `dataframe`, the first that works is used.
        pickled: Whether loading the file runs code from it.
        skops: Whether the file is in the skops format and is converted to a pickle.
        trusted_types: Types that its author allowed skops to load.
        unused: Libraries that MLflow lists for every pickle and that this one does not name.
    """

    flavor: str
    library: str
    source: Path
    member: str
    inputs: tuple[str, ...]
    pickled: bool = False
    skops: bool = False
    trusted_types: tuple[str, ...] = ()
    unused: frozenset[str] = frozenset()


def choose_served_model(snapshot: Snapshot, model: MlModel) -> ServedModel:
    """The file of a snapshot that is served.

    Raises:
        ModelError: No supported flavor, a classifier, code beside the model, a file that is not
            there, or a format that its library no longer reads.
    """
    found = [name for name in SUPPORTED if name in model.flavors]
    if len(found) != 1:
        names = ", ".join(sorted(model.flavors)) or "none"
        raise ModelError(
            f"the model has the flavors {names}, expected exactly one of {', '.join(SUPPORTED)}: "
            "log it with that flavor's log_model"
        )
    flavor = found[0]
    settings = model.flavors[flavor]
    _check_kind(flavor, settings)
    file = _find_file(snapshot, settings, "pickled_model" if flavor == "sklearn" else "data")
    inputs = _choose_inputs(flavor, model)
    if _is_pickled(flavor, settings):
        return _pickled(flavor, settings, file, inputs)
    if flavor == "xgboost" and not str(settings.get("model_class")).endswith(".Booster"):
        _refuse_early_stopping(file)
    member = _NATIVE[flavor](file)
    return ServedModel(flavor, flavor, file, f"model/{member}", inputs)


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


def _choose_inputs(flavor: str, model: MlModel) -> tuple[str, ...]:
    if any(column.type in {"string", "datetime"} for column in model.inputs):
        return ("dataframe",)
    return ("array",) if flavor in {"xgboost", "lightgbm"} else ("array", "dataframe")


def _is_pickled(flavor: str, settings: Mapping[str, Any]) -> bool:
    if flavor == "sklearn":
        return True
    return flavor == "lightgbm" and not str(settings.get("model_class")).endswith(".Booster")


def _pickled(
    flavor: str, settings: Mapping[str, Any], file: Path, inputs: tuple[str, ...]
) -> ServedModel:
    if settings.get("code"):
        raise ModelError(
            "the model was logged with code_paths, which the container does not have: put that "
            "code into an installable library, or log the model without it"
        )
    library = "scikit-learn" if flavor == "sklearn" else flavor
    skops = settings.get("serialization_format") == "skops"
    suffix = ".joblib" if file.suffix == ".joblib" and not skops else ".pkl"
    trusted = settings.get("skops_trusted_types") or ()
    if _names(file, _TAKES_COLUMNS_BY_NAME, skops=skops):
        inputs = ("dataframe",)
    unused = {
        library
        for library, names in _NEEDED_IF_NAMED.items()
        if not _names(file, names, skops=skops)
    }
    return ServedModel(
        flavor="sklearn",
        library=library,
        source=file,
        member=f"model/model{suffix}",
        inputs=inputs,
        pickled=True,
        skops=skops,
        trusted_types=tuple(str(name) for name in trusted),
        unused=frozenset(unused),
    )


def _names(file: Path, names: tuple[bytes, ...], *, skops: bool) -> bool:
    """Whether a serialized estimator names a module or a class, without loading it."""
    if not skops:
        return any(_mentions(file, name) for name in names)
    try:
        with zipfile.ZipFile(file) as archive:
            schema = archive.read("schema.json")
    except (zipfile.BadZipFile, KeyError):
        raise ModelError(f"the model {file.name!r} is not a skops file") from None
    return any(name in schema for name in names)


def _mentions(file: Path, name: bytes) -> bool:
    """Whether a name stands in a file as plain text, as a pickle's modules do."""
    tail = b""
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            if name in tail + chunk:
                return True
            tail = chunk[-len(name) :]
    return False


def _refuse_early_stopping(file: Path) -> None:
    """Refuse an XGBRegressor that answers with fewer trees than its file holds.

    The regressor predicts up to its best iteration, a Booster read from the same file with all.
    """
    if _mentions(file, b"best_iteration"):
        raise ModelError(
            "the XGBRegressor was stopped early and answers with its best trees only, which its "
            "model file does not express: log the Booster "
            "regressor.get_booster()[: regressor.best_iteration + 1]"
        )


def _xgboost_member(file: Path) -> str:
    with file.open("rb") as stream:
        start = stream.read(2)
    if not start.startswith(b"{"):
        raise ModelError(
            f"the XGBoost model {file.name!r} is in the old binary format, which XGBoost no longer "
            'reads: log it with model_format="ubj"'
        )
    # Universal Binary JSON marks the length of a key by a type letter, JSON opens it by a quote.
    return "model.json" if start[1:] in {b'"', b"\n", b" ", b"\r", b"\t"} else "model.ubj"


def _lightgbm_member(file: Path) -> str:
    with file.open("rb") as stream:
        if stream.read(4) != b"tree":
            raise ModelError(
                f"the LightGBM model {file.name!r} is not in LightGBM's text format: log a Booster"
            )
    return "model.txt"


def _catboost_member(file: Path) -> str:
    with file.open("rb") as stream:
        if stream.read(4) != b"CBM1":
            raise ModelError(
                f"the CatBoost model {file.name!r} is not in CatBoost's binary format: log it with "
                'format="cbm"'
            )
    return "model.cbm"


_NATIVE: Mapping[str, Callable[[Path], str]] = {
    "xgboost": _xgboost_member,
    "lightgbm": _lightgbm_member,
    "catboost": _catboost_member,
}
