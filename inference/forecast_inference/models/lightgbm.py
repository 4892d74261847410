"""LightGBM: boosters in its text format."""

from __future__ import annotations

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
    lightgbm = import_library("lightgbm", lean=given.lean)
    booster = lightgbm.Booster(model_file=path)
    given.check_width(booster.num_feature())
    names = booster.feature_name()
    if names != [f"Column_{index}" for index in range(len(names))] and names != [
        # LightGBM keeps names without spaces.
        name.replace(" ", "_")
        for name in given.features
    ]:
        given.check_names(names)
    threads = thread_count()
    return given.as_matrix(lambda rows: booster.predict(rows, num_threads=threads))
