"""CatBoost: models in its binary format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_inference.models.given import thread_count
from forecast_inference.models.imports import import_library

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_inference.models.given import Given, Predict


def load(path: Path, given: Given) -> Predict:
    """The prediction of a regressor.

    Raises:
        ArtifactError: it was trained on other features.
    """
    catboost = import_library("catboost")
    # The regressor, not the base class: it answers on the scale of the target (Poisson, Tweedie).
    model = catboost.CatBoostRegressor()
    model.load_model(str(path))
    names = model.feature_names_
    given.check_width(len(names))
    if names != [str(index) for index in range(len(names))]:
        given.check_names(names)
    threads = thread_count()
    predict: Predict = lambda rows: model.predict(rows, thread_count=threads)  # noqa: E731
    # Text is one of its features as it is, which only a DataFrame can hold beside numbers.
    return predict if model.get_cat_feature_indices() else given.as_matrix(predict)
