"""Saves the boosters as an MLflow model: ``python mlflow_model.py BOOSTERS TARGET``."""

import sys
from pathlib import Path
from typing import Any

import lightgbm
import mlflow
import numpy as np
import pandas as pd

OUTPUTS = ("forecasted_price", "forecasted_demand")


class Boosters(mlflow.pyfunc.PythonModel):
    """Both boosters in one python_function."""

    def load_context(self, context: Any) -> None:
        """Load the boosters."""
        files = [context.artifacts[output] for output in OUTPUTS]
        self.boosters = [lightgbm.Booster(model_file=file) for file in files]

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:  # noqa: ARG002
        """A frame of predictions for a frame of features."""
        predicted = {
            output: booster.predict(model_input, num_threads=1)
            for output, booster in zip(OUTPUTS, self.boosters, strict=True)
        }
        return pd.DataFrame(predicted)


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    names = lightgbm.Booster(model_file=str(source / f"{OUTPUTS[0]}.txt")).feature_name()
    row = pd.DataFrame(np.zeros((1, len(names))), columns=names)
    answer = pd.DataFrame(np.zeros((1, len(OUTPUTS))), columns=list(OUTPUTS))
    mlflow.pyfunc.save_model(
        path=target,
        python_model=Boosters(),
        artifacts={output: str(source / f"{output}.txt") for output in OUTPUTS},
        signature=mlflow.models.infer_signature(row, answer),
        pip_requirements=[],
    )
