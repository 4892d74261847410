"""AWS's own serving images: which account holds them where, and what is inside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
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
        present: Further libraries inside, whose versions are not known.
    """

    framework: str
    version: str
    repository: str
    tag: str
    python: str
    patched_until: str
    libraries: Mapping[str, str]
    present: tuple[str, ...]

    @property
    def inventory(self) -> dict[str, str | None]:
        """What is known to be inside: version by library, None where it is not known."""
        return {**dict.fromkeys(self.present), **self.libraries}

    @property
    def last_day(self) -> date:
        """The last day that AWS patches the image."""
        return date.fromisoformat(self.patched_until)


@cache
def _table() -> dict[str, Any]:
    text = files("forecast_config").joinpath("data/serving_images.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def registry_accounts() -> dict[str, str]:
    """The account that holds AWS's framework images, by region."""
    return dict(_table()["registry_accounts"])


def serving_stack() -> frozenset[str]:
    """Libraries that the images' own server runs on, so that no other version may replace them."""
    return frozenset(_table()["serving_stack"])


def serving_images() -> dict[tuple[str, str], ServingImage]:
    """Every AWS image that can be chosen, by framework and version."""
    return {
        (framework, version): ServingImage(
            framework=framework,
            version=version,
            repository=entry["repository"],
            **{**details, "present": tuple(details["present"])},
        )
        for framework, entry in _table()["frameworks"].items()
        for version, details in entry["versions"].items()
    }


def longest_patched(framework: str) -> ServingImage:
    """The image of a framework that AWS patches longest."""
    offered = [image for (name, _), image in serving_images().items() if name == framework]
    return max(offered, key=lambda image: image.patched_until)


def images_not_offered() -> dict[tuple[str, str], str]:
    """AWS's other images by framework and version, and why each cannot be chosen here."""
    return {
        (framework, version): reason
        for framework, entry in _table()["frameworks"].items()
        for version, reason in entry["not_offered"].items()
    }
