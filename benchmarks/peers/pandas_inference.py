"""The usual hooks of AWS's scikit-learn image: a DataFrame in, records out, no checks."""

import json
from pathlib import Path
from typing import Any

import flask
import lightgbm
import pandas as pd

OUTPUTS = ("forecasted_price", "forecasted_demand")


def model_fn(model_dir: str) -> Any:
    """The boosters of the archive."""
    files = [Path(model_dir) / "model" / f"{output}.txt" for output in OUTPUTS]
    return [lightgbm.Booster(model_file=str(file)) for file in files]


def transform_fn(model: Any, body: str, content_type: str, accept: str) -> Any:  # noqa: ARG001
    """The answer to one request."""
    frame = pd.DataFrame(json.loads(body)["instances"])[model[0].feature_name()].astype(float)
    predicted = {
        output: booster.predict(frame, num_threads=1)
        for output, booster in zip(OUTPUTS, model, strict=True)
    }
    answer = {"predictions": pd.DataFrame(predicted).to_dict(orient="records")}
    return flask.Response(json.dumps(answer), content_type="application/json")
