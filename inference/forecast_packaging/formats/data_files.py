"""Data files: formats that hold a model and no code, told by how they begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_packaging.errors import ModelError
from forecast_packaging.formats.pickles import mentions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "xgboost": (".ubj", ".json"),
    "lightgbm": (".txt",),
    "catboost": (".cbm",),
    "onnx": (".onnx",),
}


def check_data_file(flavor: str, file: Path) -> str:
    """The ending that a model file has by its content.

    Raises:
        ModelError: The file is in another format than the flavor's own.
    """
    with file.open("rb") as stream:
        start = stream.read(4)
    if flavor == "xgboost":
        return _xgboost_ending(file, start)
    expected, found, way_out = {
        "lightgbm": (b"tree", "LightGBM's text format", "log a Booster"),
        "catboost": (b"CBM1", "CatBoost's binary format", 'log it with format="cbm"'),
        # An ONNX file is a protobuf message that begins with its ir_version, field 1.
        "onnx": (b"\x08", "the ONNX format", "log it with mlflow.onnx, or save it with onnx.save"),
    }[flavor]
    if not start.startswith(expected):
        raise ModelError(f"the {_TITLES[flavor]} model {file.name!r} is not in {found}: {way_out}")
    return _ENDINGS[flavor][0]


def refuse_early_stopping(file: Path) -> None:
    """Refuse an XGBoost file that was stopped early.

    An XGBRegressor predicts up to its best iteration, a Booster read from the same file with all.

    Raises:
        ModelError: The file holds more trees than its regressor answers with.
    """
    if mentions(file, b"best_iteration"):
        raise ModelError(
            "the XGBRegressor was stopped early and answers with its best trees only, which its "
            "model file does not express: log the Booster "
            "regressor.get_booster()[: regressor.best_iteration + 1]"
        )


_TITLES = {"lightgbm": "LightGBM", "catboost": "CatBoost", "onnx": "ONNX"}


def _xgboost_ending(file: Path, start: bytes) -> str:
    if not start.startswith(b"{"):
        raise ModelError(
            f"the XGBoost model {file.name!r} is in the old binary format, which XGBoost no longer "
            'reads: log it with model_format="ubj"'
        )
    # Universal Binary JSON marks the length of a key by a type letter, JSON opens it by a quote.
    return ".json" if start[1:2] in {b'"', b"\n", b" ", b"\r", b"\t"} else ".ubj"
