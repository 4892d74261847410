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
from produce_market.market import WHOLESALE_LIMIT_RMB, WHOLESALE_PLACEHOLDER_RMB
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
        unit: What it is measured in; None for shares and indices.
        checks: How the model server treats values out of range; the range is that of the training
            data unless it is given.
    """

    name: str
    type: str
    required: bool = True
    derive: dict[str, Any] | None = None
    unit: str | None = None
    checks: dict[str, Any] | None = None


@dataclass(frozen=True)
class Output:
    """One column of the model's answer.

    Attributes:
        name: Its name in an answer.
        target: Name of the column it is trained on.
        transform: What turns the raw output of the trees into the unit of the target.
        unit: The unit of the target.
        minimum: Smallest possible value.
    """

    name: str
    target: str
    transform: str
    unit: str
    minimum: float = 0.0


PRICE_UNIT, QUANTITY_UNIT = "RMB/kg", "kg"
_FEN_RMB = 0.01
_SHARE = {"range": {"minimum": 0.0, "maximum": 1.0}, "out_of_range": "refuse"}
_BELIEVABLE = {
    # Beyond them training took a price for unknown: a request says so with null.
    "range": {
        "minimum": WHOLESALE_PLACEHOLDER_RMB + _FEN_RMB,
        "maximum": WHOLESALE_LIMIT_RMB,
    },
    "out_of_range": "refuse",
}
_NO_LONGER_THAN_SEEN = {"out_of_range": "clip"}
"""The trees know no longer time; clipped, the answer tells that the item was away for longer."""


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
    Feature("quantity_sold", "double", unit=QUANTITY_UNIT),
    Feature("quantity_lag_7", "double", required=False, unit=QUANTITY_UNIT),
    Feature("quantity_mean_7", "double", required=False, unit=QUANTITY_UNIT),
    Feature("quantity_mean_28", "double", required=False, unit=QUANTITY_UNIT),
    Feature("quantity_weekday_mean_4", "double", required=False, unit=QUANTITY_UNIT),
    Feature("category_quantity_mean_7", "double", required=False, unit=QUANTITY_UNIT),
    Feature("sale_days_share_28", "double", required=False, checks=_SHARE),
    Feature("days_since_last_sale", "long", unit="days", checks=_NO_LONGER_THAN_SEEN),
    Feature("unit_price", "double", unit=PRICE_UNIT),
    Feature("price_lag_7", "double", required=False, unit=PRICE_UNIT),
    Feature("price_mean_7", "double", required=False, unit=PRICE_UNIT),
    Feature("price_mean_28", "double", required=False, unit=PRICE_UNIT),
    Feature("discount_share_7", "double", required=False, checks=_SHARE),
    Feature("wholesale_price", "double", required=False, unit=PRICE_UNIT, checks=_BELIEVABLE),
    Feature("loss_rate_pct", "double", required=False, unit="%"),
)
FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
REQUESTED: tuple[Feature, ...] = tuple(feature for feature in FEATURES if feature.derive is None)
"""What a row of a request holds beside `date` and `item_code`."""

OUTPUTS: tuple[Output, ...] = (
    Output("forecasted_price", target="price", transform="exp", unit=PRICE_UNIT),
    Output("forecasted_demand", target="demand", transform="expm1", unit=QUANTITY_UNIT),
)
"""Both learned on a log scale: errors of cheap and dear, rare and popular items weigh alike."""

HORIZON: dict[str, Any] = {
    "date_input": "date",
    "step": "day",
    "maximum": 30,
    "carry": {"quantity_sold": "forecasted_demand"},
}
"""Up to 30 days from one evening. The last quantity sold is carried: it depends on its weekday, and
that of the day before is a forecast's. The last price is not: prices mostly stay as they are, and
a forecast of a forecast drifts away (README, "Several days ahead")."""


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
    instances = []
    for row in rows.to_dict("records"):
        instance: dict[str, Any] = {
            "date": f"{row['date']:%Y-%m-%d}",
            "item_code": row["item_code"],
        }
        instance |= {feature.name: _json_value(row[feature.name], feature) for feature in REQUESTED}
        instances.append(instance)
    return {"instances": instances}


def request_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """What requests hold of rows of the panel, as columns."""
    return rows[["date", "item_code", *(feature.name for feature in REQUESTED)]]


def serving_document(
    categories: Sequence[str], intervals: dict[str, Any], example: pd.DataFrame
) -> dict[str, Any]:
    """What the model server must know beyond the model's signature, as JSON values.

    Args:
        categories: All item codes in their order.
        intervals: The calibrated intervals by output, with their default level.
        example: Rows of the panel to ask for.
    """
    return {
        "inputs": [
            {"name": "date", "type": "date"},
            {"name": "item_code", "type": "string", "categories": list(categories)},
            *(_declared(feature) for feature in REQUESTED if feature.unit or feature.checks),
        ],
        "derived": {feature.name: feature.derive for feature in FEATURES if feature.derive},
        "outputs": [
            {
                "name": output.name,
                "unit": output.unit,
                "minimum": output.minimum,
                "transform": output.transform,
            }
            for output in OUTPUTS
        ],
        "intervals": intervals,
        "horizon": HORIZON,
        "input_example": request_document(example),
    }


def _declared(feature: Feature) -> dict[str, Any]:
    unit = {} if feature.unit is None else {"unit": feature.unit}
    return {"name": feature.name, **unit, **(feature.checks or {})}


def write_json(document: Any) -> str:
    """A JSON document for people: indented, NaN refused, with a final newline."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _json_value(value: float, feature: Feature) -> float | int | None:
    if np.isnan(value):
        return None
    return int(value) if feature.type == "long" else round(float(value), FEATURE_DECIMALS)
