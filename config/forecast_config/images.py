"""AWS's own serving images: which account holds them where, and what is inside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ServingImage:
    """One version of an AWS framework image.

    Attributes:
        framework: Name used in the configuration (`scikit-learn`, `xgboost`).
        version: Version used in the configuration (`1.9-0`).
        repository: ECR repository, the same in every region.
        tag: Image tag.
        python: Python minor version inside (`3.12`).
        patched_until: Last day AWS patches the image, ISO date.
        libraries: Exact versions of the libraries inside that a model may need.
    """

    framework: str
    version: str
    repository: str
    tag: str
    python: str
    patched_until: str
    libraries: Mapping[str, str]


@cache
def _table() -> dict[str, Any]:
    text = files("forecast_config").joinpath("data/serving_images.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def registry_accounts() -> dict[str, str]:
    """The account that holds AWS's framework images, by region."""
    return dict(_table()["registry_accounts"])


def serving_images() -> dict[tuple[str, str], ServingImage]:
    """Every AWS image that can be chosen, by framework and version."""
    return {
        (framework, version): ServingImage(
            framework=framework, version=version, repository=entry["repository"], **details
        )
        for framework, entry in _table()["frameworks"].items()
        for version, details in entry["versions"].items()
    }


def images_not_offered() -> dict[tuple[str, str], str]:
    """AWS's other images by framework and version, and why each cannot be chosen here."""
    return {
        (framework, version): reason
        for framework, entry in _table()["frameworks"].items()
        for version, reason in entry["not_offered"].items()
    }
