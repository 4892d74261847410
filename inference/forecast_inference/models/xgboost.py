"""XGBoost: boosters in files of Universal Binary JSON or JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from forecast_inference.models.given import thread_count
from forecast_inference.models.imports import import_library

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_inference.models.given import Given, Predict


def load(path: Path, given: Given) -> Predict:
    """The prediction of a booster.

    Raises:
        ArtifactError: it was trained on other features.
    """
    xgboost = import_library("xgboost", lean=given.lean)
    booster = xgboost.Booster({"nthread": thread_count()}, model_file=path)
    given.check_width(booster.num_features())
    given.check_names(booster.feature_names)

    kind = json.loads(booster.save_config())["learner"]["gradient_booster"]["name"]
    if kind != "gbtree":
        # Only trees can be predicted in place, and only plain ones with the very same numbers.
        names = booster.feature_names
        return given.as_matrix(
            lambda rows: booster.predict(xgboost.DMatrix(rows, feature_names=names))
        )
    # The names are checked once, above; no DMatrix is built for every request.
    return given.as_matrix(lambda rows: booster.inplace_predict(rows, validate_features=False))
