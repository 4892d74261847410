"""The boosters in BentoML, with the request that the other servers get."""

import os
from pathlib import Path

import bentoml
import lightgbm
import numpy as np

OUTPUTS = ("forecasted_price", "forecasted_demand")


@bentoml.service(workers=1)
class Boosters:
    """Both boosters behind one path."""

    def __init__(self) -> None:
        folder = Path(os.environ["BOOSTERS"])
        files = [folder / f"{output}.txt" for output in OUTPUTS]
        self._boosters = [lightgbm.Booster(model_file=str(file)) for file in files]
        self._names = self._boosters[0].feature_name()

    @bentoml.api
    def invocations(self, instances: list[dict[str, float]]) -> dict[str, list[dict[str, float]]]:
        """A prediction for each instance."""
        rows = np.array([[row[name] for name in self._names] for row in instances])
        predicted = [booster.predict(rows, num_threads=1) for booster in self._boosters]
        columns = np.column_stack(predicted).tolist()
        return {"predictions": [dict(zip(OUTPUTS, row, strict=True)) for row in columns]}
