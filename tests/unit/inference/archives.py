"""Extracted archives with real tiny models, written as packaging writes them."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import forecast_inference
from forecast_inference.handler import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = Path(forecast_inference.__file__).parent

MARKET = {
    "schema_version": 1,
    "inputs": [
        {"name": "date", "type": "date", "nullable": False},
        {
            "name": "item",
            "type": "string",
            "nullable": False,
            "categories": ["yam", "leek", "kale"],
        },
        {"name": "quantity", "type": "double", "nullable": True},
        {"name": "cost", "type": "double", "nullable": False},
        {"name": "stock", "type": "long", "nullable": False},
        {"name": "boxes", "type": "integer", "nullable": True},
        {"name": "promoted", "type": "boolean", "nullable": False},
    ],
    "features": [
        {
            "name": "item_index",
            "type": "long",
            "derive": {"kind": "category_index", "source": "item"},
        },
        {"name": "weekday", "type": "long", "derive": {"kind": "day_of_week", "source": "date"}},
        {"name": "cost", "type": "double", "nullable": False},
        {"name": "quantity", "type": "double", "nullable": True},
        {"name": "stock", "type": "long", "nullable": False},
        {"name": "boxes", "type": "integer", "nullable": True},
        {"name": "promoted", "type": "boolean", "nullable": False},
    ],
    "outputs": [{"name": "price", "minimum": 0.0}, {"name": "demand", "minimum": 0.0}],
    "interval": {
        "level": 0.9,
        "outputs": {
            "price": {"kind": "relative", "lower": -0.2, "upper": 0.25},
            "demand": {"kind": "absolute", "lower": -5.0, "upper": 9.5},
        },
    },
}
ROW = {
    "date": "2023-06-30",
    "item": "leek",
    "quantity": 12.5,
    "cost": 3.0,
    "stock": 40,
    "boxes": 2,
    "promoted": True,
}
FEATURES = [feature["name"] for feature in MARKET["features"]]


def numbers_schema(names: list[str], outputs: list[str]) -> dict[str, Any]:
    """A schema of plain numbers, without derived features and intervals."""
    columns = [{"name": name, "type": "double", "nullable": False} for name in names]
    return {
        "schema_version": 1,
        "inputs": columns,
        "features": columns,
        "outputs": [{"name": name} for name in outputs],
    }


def training_data(width: int, outputs: int, rows: int = 200) -> tuple[Any, Any]:
    """Features between 0 and 10 and targets that depend on each of them differently."""
    random = np.random.default_rng(7)
    features = random.uniform(0, 10, (rows, width))
    weights = np.arange(1, width * outputs + 1).reshape(width, outputs)
    return features, features @ weights + 1.0


@dataclass(frozen=True)
class Archive:
    """An extracted archive, and the same model's prediction in plain Python."""

    path: Path
    predict: Callable[[Any], Any]


def write_archive(
    root: Path,
    save: Callable[[Path], None],
    *,
    flavor: str,
    model_file: str,
    schema: dict[str, Any],
    instances: list[dict[str, Any]],
    takes: str = "array",
    libraries: tuple[str, ...] = ("numpy",),
) -> Path:
    """Write an archive's files; the expected output is what the predictor answers."""
    for folder in ("code", "model", "artifacts"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    shutil.copytree(
        PACKAGE,
        root / "code/forecast_inference",
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )
    shutil.copyfile(PACKAGE / "entrypoint.py", root / "code/inference.py")
    save(root / "model" / model_file)
    write_json(root / "artifacts/feature_schema.json", schema)
    write_json(root / "artifacts/input_example.json", {"instances": instances})
    info = {
        "schema_version": 1,
        "name": "produce",
        "version": "7",
        "run_id": "0123456789abcdef",
        "data_version": None,
        "code_reference": None,
        "flavor": flavor,
        "model_file": f"model/{model_file}",
        "input": takes,
        "libraries": {name: metadata.version(name) for name in libraries},
        "model_digest": "sha256:00",
        "signature_digest": "sha256:00",
    }
    write_info(root, info)
    body = (root / "artifacts/input_example.json").read_bytes()
    response = Predictor.load(root).respond(body, "application/json")
    assert response.status == 200, response.body
    predictions = json.loads(response.body)["predictions"]
    for prediction in predictions:
        del prediction["prediction_timestamp"]
    write_json(root / "artifacts/expected_output.json", {"predictions": predictions})
    write_info(root, info)
    return root


def write_json(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document))


def write_info(root: Path, info: dict[str, Any]) -> None:
    """Write ``model-info.json`` with the digest of every other file."""
    info["files"] = {
        path.relative_to(root).as_posix(): {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "size": path.stat().st_size,
        }
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "model-info.json" and "__pycache__" not in path.parts
    }
    write_json(root / "model-info.json", info)


def change_info(root: Path, **changes: Any) -> None:
    """Rewrite ``model-info.json`` with other values, and digests of the files as they are."""
    info = json.loads((root / "model-info.json").read_text())
    write_info(root, {**info, **changes})
