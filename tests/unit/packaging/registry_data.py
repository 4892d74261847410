"""What the small models of the registry are trained on, promise and require."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import pandas as pd
import xgboost
from mlflow.models import infer_signature

RNG = np.random.default_rng(7)
ROWS = 60
X = pd.DataFrame(
    {
        "item_index": RNG.integers(0, 3, ROWS),
        "day_of_week": RNG.integers(0, 7, ROWS),
        "quantity_sold": RNG.normal(10, 2, ROWS),
    }
)
Y = pd.DataFrame(
    {
        "forecasted_price": X["quantity_sold"] * 0.5,
        "forecasted_demand": X["day_of_week"] + X["item_index"] * 2.0,
    }
)
PRICE = Y[["forecasted_price"]]
EXAMPLE = X.head(3)
TWO = infer_signature(X, Y)
ONE = infer_signature(X, PRICE)
SERVING = {
    "inputs": [
        {"name": "date", "type": "date"},
        {"name": "item_code", "type": "string", "categories": ["102", "104", "110"]},
        {"name": "quantity_sold", "unit": "kg", "out_of_range": "clip"},
    ],
    "derived": {
        "item_index": {"kind": "category_index", "source": "item_code"},
        "day_of_week": {"kind": "day_of_week", "source": "date"},
    },
    "outputs": [
        {"name": "forecasted_price", "unit": "RMB/kg", "minimum": 0.0},
        {"name": "forecasted_demand", "minimum": 0.0},
    ],
    "intervals": {
        "default_level": 0.9,
        "outputs": {
            "forecasted_price": {
                "kind": "relative",
                "offsets": {"0.8": [-0.1, 0.2], "0.9": [-0.2, 0.3]},
            },
            "forecasted_demand": {
                "kind": "absolute",
                "offsets": {"0.8": [-3.0, 4.0], "0.9": [-5.0, 9.0]},
            },
        },
    },
    "horizon": {"date_input": "date", "maximum": 14},
    "input_example": {
        "instances": [
            {"date": "2023-06-30", "item_code": "104", "quantity_sold": 9.5},
            {"date": "2023-07-01", "item_code": "102", "quantity_sold": 11.0},
        ]
    },
}


def pins(*names: str) -> list[str]:
    """What MLflow would infer that a model requires; to find it out takes seconds a model."""
    return [f"{name}=={version(name)}" for name in names]


NUMBERS = pins("numpy", "pandas", "scipy")
SKLEARN = [*NUMBERS, *pins("rich", "scikit-learn")]
SKOPS = [*SKLEARN, *pins("skops")]
XGBOOST = [*SKLEARN, *pins("xgboost-cpu"), f"xgboost=={xgboost.__version__}"]
LIGHTGBM = [*SKLEARN, *pins("lightgbm")]
CATBOOST = [*NUMBERS, *pins("catboost")]
PICKLED = pins("cloudpickle")


REQUESTED = pd.DataFrame(
    # item 104 is the second category, 2023-06-30 was a Friday; item 102 the first, on a Saturday
    {"item_index": [1, 0], "day_of_week": [4, 5], "quantity_sold": [9.5, 11.0]}
)


QUANTILES = {"price": 0.5, "price_low": 0.05, "price_high": 0.95}
BUNDLE = {
    "models": [
        {"file": f"artifacts/{name}.txt", "flavor": "lightgbm", "columns": [name]}
        for name in QUANTILES
    ],
    "outputs": [{"name": "forecasted_price", "column": "price"}],
    "intervals": {
        "default_level": 0.9,
        "outputs": {
            "forecasted_price": {
                "kind": "quantiles",
                "columns": {"0.9": ["price_low", "price_high"]},
                "margins": {"0.9": 0.1},
            }
        },
    },
}
