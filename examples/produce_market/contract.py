"""What the model sees and says: its features in training order, and how a request gives them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast_inference.features import derive
from produce_market.festivals import SPRING_FESTIVALS
from produce_market.intervals import Interval
from produce_market.panel import FEATURE_DECIMALS

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Feature:
    """One column of the model.

    Attributes:
        name: Unique name.
        type: MLflow's name of the column type.
        required: Whether a request must give it; the model itself takes NaN for what is not known.
        derive: How the model server computes it from a request; None when the request holds it.
    """

    name: str
    type: str
    required: bool = True
    derive: dict[str, Any] | None = None


@dataclass(frozen=True)
class Output:
    """One column of the model's answer.

    Attributes:
        name: Its name in an answer.
        target: Name of the column it is trained on.
        transform: What turns the raw output of the trees into the unit of the target.
        minimum: Smallest possible value.
    """

    name: str
    target: str
    transform: str
    minimum: float = 0.0


def _calendar(kind: str, **options: Any) -> dict[str, Any]:
    return {"kind": kind, "source": "date", **options}


FEATURES: tuple[Feature, ...] = (
    Feature("item_index", "long", derive={"kind": "category_index", "source": "item_code"}),
    Feature("day_of_week", "long", derive=_calendar("day_of_week")),
    Feature("annual_sine", "double", derive=_calendar("annual_sine", harmonic=1)),
    Feature("annual_cosine", "double", derive=_calendar("annual_cosine", harmonic=1)),
    Feature(
        "days_to_spring_festival",
        "long",
        derive=_calendar(
            "days_to_event", events=[day.isoformat() for day in SPRING_FESTIVALS], limit=30
        ),
    ),
    Feature("quantity_sold", "double"),
    Feature("quantity_lag_7", "double", required=False),
    Feature("quantity_mean_7", "double", required=False),
    Feature("quantity_mean_28", "double", required=False),
    Feature("quantity_weekday_mean_4", "double", required=False),
    Feature("category_quantity_mean_7", "double", required=False),
    Feature("sale_days_share_28", "double", required=False),
    Feature("days_since_last_sale", "long"),
    Feature("unit_price", "double"),
    Feature("price_lag_7", "double", required=False),
    Feature("price_mean_7", "double", required=False),
    Feature("price_mean_28", "double", required=False),
    Feature("discount_share_7", "double", required=False),
    Feature("wholesale_price", "double", required=False),
    Feature("loss_rate_pct", "double", required=False),
)
FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)

OUTPUTS: tuple[Output, ...] = (
    Output("forecasted_price", target="price", transform="exp"),
    Output("forecasted_demand", target="demand", transform="expm1"),
)
"""Both learned on a log scale: errors of cheap and dear, rare and popular items weigh alike."""


def design_matrix(rows: pd.DataFrame, categories: Sequence[str]) -> Floats:
    """What the model sees of rows of the panel, by the code that the model server runs.

    Args:
        rows: `date`, `item_code` and the features that are not derived.
        categories: All item codes; their order gives the item index.

    Returns:
        Rows by features, in training order.
    """
    return feature_frame(rows, categories).to_numpy("float64")


def feature_frame(rows: pd.DataFrame, categories: Sequence[str]) -> pd.DataFrame:
    """The features of rows of the panel as columns with the types of the model's signature."""
    columns: dict[str, Any] = {}
    for feature in FEATURES:
        if feature.derive is None:
            values = rows[feature.name].to_numpy()
        else:
            source = rows[feature.derive["source"]].to_numpy()
            values = derive(feature.derive, source, categories=categories)
        columns[feature.name] = np.asarray(
            values, dtype="int64" if feature.type == "long" else "float64"
        )
    return pd.DataFrame(columns, index=rows.index)


def request_document(rows: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """The request that asks for a forecast of rows of the panel; what is not known is null."""
    wanted = [feature for feature in FEATURES if feature.derive is None]
    instances = []
    for row in rows.to_dict("records"):
        instance: dict[str, Any] = {
            "date": f"{row['date']:%Y-%m-%d}",
            "item_code": row["item_code"],
        }
        instance |= {feature.name: _json_value(row[feature.name], feature) for feature in wanted}
        instances.append(instance)
    return {"instances": instances}


def serving_document(
    categories: Sequence[str],
    intervals: dict[str, Interval],
    level: float,
    example: pd.DataFrame,
) -> dict[str, Any]:
    """What the model server must know beyond the model's signature, as JSON values."""
    return {
        "inputs": [
            {"name": "date", "type": "date"},
            {"name": "item_code", "type": "string", "categories": list(categories)},
        ],
        "derived": {feature.name: feature.derive for feature in FEATURES if feature.derive},
        "outputs": [
            {"name": output.name, "minimum": output.minimum, "transform": output.transform}
            for output in OUTPUTS
        ],
        "interval": {
            "level": level,
            "outputs": {name: interval.document() for name, interval in intervals.items()},
        },
        "input_example": request_document(example),
    }


def write_json(document: Any) -> str:
    """A JSON document for people: indented, NaN refused, with a final newline."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _json_value(value: float, feature: Feature) -> float | int | None:
    if np.isnan(value):
        return None
    return int(value) if feature.type == "long" else round(float(value), FEATURE_DECIMALS)
