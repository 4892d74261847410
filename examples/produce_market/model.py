"""One gradient-boosted forest for price and demand."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray

from produce_market.contract import FEATURE_NAMES, FEATURES, OUTPUTS, design_matrix

Floats = NDArray[np.float64]

_FORWARD = {"exp": np.log, "expm1": np.log1p}
_BACKWARD = {"exp": np.exp, "expm1": np.expm1}
_XGBOOST_TYPES = {"long": "int", "double": "float"}


@dataclass(frozen=True)
class Hyperparameters:
    """What the forest is grown with.

    The absolute error aims at the median, which is what WAPE and MASE reward; the fine bins keep
    prices apart that differ by ten cents.
    """

    rounds: int = 500
    learning_rate: float = 0.05
    max_depth: int = 5
    min_child_weight: float = 10.0
    subsample: float = 0.8
    colsample_bytree: float = 0.8
    max_bin: int = 1024
    seed: int = 7
    threads: int = 2

    def params(self) -> dict[str, str | float]:
        """XGBoost's parameters."""
        params = asdict(self)
        del params["rounds"]
        return {
            "objective": "reg:absoluteerror",
            "tree_method": "hist",
            "multi_strategy": "one_output_per_tree",
            "nthread": params.pop("threads"),
            **params,
        }


def train(rows: pd.DataFrame, categories: Sequence[str], settings: Hyperparameters) -> xgb.Booster:
    """A booster that answers price and demand, on the scale that the outputs' transforms undo.

    The same rows and settings give the same bytes.
    """
    targets = [_FORWARD[output.transform](rows[output.target].to_numpy()) for output in OUTPUTS]
    data = xgb.DMatrix(
        design_matrix(rows, categories),
        label=np.column_stack(targets),
        feature_names=list(FEATURE_NAMES),
        feature_types=[_XGBOOST_TYPES[feature.type] for feature in FEATURES],
        nthread=settings.threads,
    )
    return xgb.train(settings.params(), data, num_boost_round=settings.rounds)


def predict(
    booster: xgb.Booster, rows: pd.DataFrame, categories: Sequence[str]
) -> dict[str, Floats]:
    """The forecasts of rows of the panel by output name, in RMB/kg and kg."""
    raw = booster.inplace_predict(design_matrix(rows, categories)).astype("float64")
    return {
        output.name: np.maximum(_BACKWARD[output.transform](raw[:, column]), output.minimum)
        for column, output in enumerate(OUTPUTS)
    }
