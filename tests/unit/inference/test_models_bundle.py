"""Several files make one model, and each is given what it was trained on."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor

from forecast_inference.contract.schema import FeatureSchema
from forecast_inference.errors import ArtifactError
from forecast_inference.handler import Predictor
from forecast_inference.models.bundle import load_model
from forecast_inference.models.info import ModelFile, ModelInfo

if TYPE_CHECKING:
    from pathlib import Path


class Sum:
    """An estimator whose answer shows its features and their order."""

    def __init__(self, *weights: float) -> None:
        self.weights = np.array(weights)

    def predict(self, rows: Any) -> Any:
        return np.asarray(rows) @ self.weights


@pytest.fixture
def model_of(tmp_path: Path) -> Any:
    """Loads a model of one linear file per list of weights."""

    def load(columns: list[str], *parts: Any, takes: str = "array") -> Any:
        models, digests = [], {}
        for number, (weights, given, features) in enumerate(parts):
            name = f"{number}.pkl"
            joblib.dump(Sum(*weights), tmp_path / name)
            models.append(ModelFile("sklearn", name, tuple(given), features))
            digests[name] = _sha256(tmp_path / name)
        info = ModelInfo("m", "1", tuple(models), takes, digests=digests, runs_code_on_load=True)
        return load_model(tmp_path, info, ["a", "b", "c"], columns)

    return load


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


ROWS = np.array([[1.0, 20.0, 300.0], [2.0, 30.0, 400.0]])


def test_a_single_file_answers_by_itself(model_of: Any) -> None:
    predict = model_of(["x"], ([1, 1, 1], ["x"], None))
    assert predict(ROWS).tolist() == [321.0, 432.0]
    assert predict(ROWS).shape == (2,)


def test_files_are_put_together_in_the_order_of_the_schema(model_of: Any) -> None:
    predict = model_of(["x", "y"], ([0, 0, 1], ["y"], None), ([1, 0, 0], ["x"], None))
    assert predict(ROWS).tolist() == [[1.0, 300.0], [2.0, 400.0]]


def test_a_file_is_given_its_own_features_in_its_own_order(model_of: Any) -> None:
    predict = model_of(["x", "y"], ([1, 10], ["x"], ("c", "a")), ([1], ["y"], ("b",)))
    assert predict(ROWS).tolist() == [[310.0, 20.0], [420.0, 30.0]]


def test_a_file_is_given_its_own_columns_of_a_dataframe(model_of: Any) -> None:
    predict = model_of(["x"], ([1, 10], ["x"], ("c", "a")), takes="dataframe")
    assert predict(pd.DataFrame(ROWS, columns=["a", "b", "c"])).tolist() == [310.0, 420.0]


@pytest.mark.parametrize("given", [["x"], ["x", "x"], ["x", "y", "z"]])
def test_each_column_must_be_given_once(model_of: Any, given: list[str]) -> None:
    parts = [([1, 1, 1], [name], None) for name in given]
    with pytest.raises(ArtifactError, match=r"give the columns .* the feature schema has x, y: "):
        model_of(["x", "y"], *parts)


def test_a_file_with_features_of_its_own_is_refused(model_of: Any) -> None:
    with pytest.raises(ArtifactError, match=r"0.pkl takes q, expected features of the schema"):
        model_of(["x"], ([1, 1], ["x"], ("a", "q")))


def test_a_file_that_gives_another_number_of_columns_does_not_predict(model_of: Any) -> None:
    predict = model_of(["x", "y", "z"], ([1, 1, 1], ["x", "y"], None), ([1, 1, 1], ["z"], None))
    with pytest.raises(ValueError, match="reshape"):
        predict(ROWS)


def test_a_number_that_the_model_cannot_hold_is_the_caller_s_error(
    tmp_path: Path,
) -> None:
    features = np.random.default_rng(1).normal(size=(50, 7))
    model = RandomForestRegressor(2, random_state=1).fit(features, features[:, :2])
    joblib.dump(model, tmp_path / "model.pkl")
    info = ModelInfo(
        "m", "1", (ModelFile("sklearn", "model.pkl", ("price", "demand")),),
        digests={"model.pkl": _sha256(tmp_path / "model.pkl")}, runs_code_on_load=True,
    )  # fmt: skip
    names = [f"f{number}" for number in range(7)]
    columns = [{"name": name, "type": "double", "nullable": False} for name in names]
    schema = FeatureSchema.from_document(
        {
            "schema_version": 2,
            "inputs": columns,
            "features": columns,
            "outputs": [{"name": "price"}, {"name": "demand"}],
        }
    )
    predictor = Predictor(info, schema, load_model(tmp_path, info, names, schema.columns))
    good = dict.fromkeys(names, 1.0)
    body = json.dumps({"instances": [good, {**good, "f3": 1e300}]}).encode()
    response = predictor.respond(body, "application/json")
    assert response.status == 400
    error = json.loads(response.body)["error"]
    assert (error["code"], error["row"], error["feature"]) == ("out_of_range", 1, "f3")
