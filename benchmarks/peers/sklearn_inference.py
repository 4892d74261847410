"""What teams bring along: a pickled scikit-learn estimator of LightGBM, fed a DataFrame."""

import json
from pathlib import Path
from typing import Any

import flask
import joblib
import pandas as pd

OUTPUTS = ("forecasted_price", "forecasted_demand")


def model_fn(model_dir: str) -> Any:
    """The estimator of the archive."""
    return joblib.load(Path(model_dir) / "model/model.joblib")


def transform_fn(model: Any, body: str, content_type: str, accept: str) -> Any:  # noqa: ARG001
    """The answer to one request."""
    frame = pd.DataFrame(json.loads(body)["instances"])
    predicted = pd.DataFrame(model.predict(frame), columns=OUTPUTS)
    answer = {"predictions": predicted.to_dict(orient="records")}
    return flask.Response(json.dumps(answer), content_type="application/json")
