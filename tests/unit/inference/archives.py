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
    "schema_version": 2,
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
    "intervals": {
        "default_level": 0.9,
        "outputs": {
            "price": {
                "kind": "relative",
                "offsets": {"0.8": [-0.1, 0.125], "0.9": [-0.2, 0.25]},
            },
            "demand": {"kind": "absolute", "offsets": {"0.8": [-2.0, 3.5], "0.9": [-5.0, 9.5]}},
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
        "schema_version": 2,
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


@dataclass(frozen=True)
class Part:
    """One file of a model, as packaging describes it."""

    flavor: str
    file: str
    save: Callable[[Path], Any]
    columns: list[str] | None = None
    features: list[str] | None = None


def write_archive(
    root: Path,
    *parts: Part,
    schema: dict[str, Any],
    instances: list[dict[str, Any]],
    takes: str = "array",
    libraries: tuple[str, ...] = ("numpy",),
) -> Path:
    """Write an archive's files; the golden requests record what the predictor answers."""
    for folder in ("code", "model", "artifacts"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    shutil.copytree(
        PACKAGE,
        root / "code/forecast_inference",
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )
    shutil.copyfile(PACKAGE / "entrypoint.py", root / "code/inference.py")
    for part in parts:
        part.save(root / "model" / part.file)
    write_json(root / "artifacts/feature_schema.json", schema)
    write_json(root / "artifacts/input_example.json", {"instances": instances})
    columns = schema.get("columns") or [output["name"] for output in schema["outputs"]]
    info = {
        "schema_version": 2,
        "name": "produce",
        "version": "7",
        "run_id": "0123456789abcdef",
        "data_version": None,
        "code_reference": None,
        "models": [describe(part, columns) for part in parts],
        "input": takes,
        "runs_code_on_load": any(part.flavor == "sklearn" for part in parts),
        "codec": "standard",
        "compiled": None,
        "libraries": {name: metadata.version(name) for name in libraries},
        "vendored": {},
        "model_digest": "sha256:00",
        "signature_digest": "sha256:00",
    }
    write_info(root, info)
    write_golden(root, {"instances": instances})
    write_info(root, info)
    return root


def describe(part: Part, columns: list[str]) -> dict[str, Any]:
    """A file's entry in ``model-info.json``."""
    entry: dict[str, Any] = {
        "flavor": part.flavor,
        "file": f"model/{part.file}",
        "columns": part.columns or columns,
    }
    if part.features is not None:
        entry["features"] = part.features
    return entry


def write_golden(root: Path, example: dict[str, Any]) -> None:
    """Record the answers to the example and to a request without features."""
    predictor = Predictor.load(root)
    requests = []
    for name, document, status in (("example", example, 200), ("empty", {"instances": [{}]}, 400)):
        body = json.dumps(document)
        response = predictor.respond(body.encode(), "application/json")
        assert response.status == status, response.body
        answer = json.loads(response.body)
        for prediction in answer.get("predictions", ()):
            del prediction["prediction_timestamp"]
        kind = "application/json"
        requests.append(
            {
                "name": name,
                "content_type": kind,
                "accept": kind,
                "body": body,
                "status": status,
                "answer": answer,
            }
        )
    write_json(root / "artifacts/golden_requests.json", {"schema_version": 2, "requests": requests})


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
    """Rewrite ``model-info.json`` with other values, and digests of the files as they are.

    ``flavor`` and ``file`` are those of the model's first file.
    """
    info = json.loads((root / "model-info.json").read_text())
    for key in ("flavor", "file"):
        if key in changes:
            info["models"][0][key] = changes.pop(key)
    write_info(root, {**info, **changes})
