"""scikit-learn: pickled estimators, of which loading one runs code from its file.

They are LightGBM's and XGBoost's estimators, too. The digest of the file has been checked before.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from forecast_inference.errors import RequestError
from forecast_inference.models.given import first_beyond_single
from forecast_inference.models.imports import import_library

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_inference.models.given import Given, Predict


def load(path: Path, given: Given) -> Predict:
    """The prediction of an estimator.

    Raises:
        ArtifactError: it was trained on other features.
    """
    model = import_library("joblib").load(path)
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        given.check_names([str(name) for name in names])
        # The order of the columns has just been proved, which is all that this warning asks for.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
    predict: Predict = model.predict

    def checked(rows: Any) -> Any:
        try:
            return predict(rows)
        except ValueError:
            # Trees compare in single precision, and refuse what it cannot hold.
            place = first_beyond_single(rows)
            if place is not None:
                row, column = place
                raise RequestError(
                    "the value is too large for the model, expected at most 3.4e38",
                    code="out_of_range",
                    row=row,
                    feature=given.features[column],
                ) from None
            raise

    return checked
