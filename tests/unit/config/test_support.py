"""An image is warned of before AWS stops patching it, and refused afterwards."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import EnvironmentSettings, ForecastError, images
from forecast_config.images import longest_patched, serving_images
from forecast_config.support import WARNING_DAYS, support_warning

if TYPE_CHECKING:
    from collections.abc import Callable

LAST_DAY = serving_images()["scikit-learn", "1.9-0"].last_day
AWS = {"kind": "aws", "framework": "scikit-learn", "version": "1.9-0"}


@pytest.fixture
def environment() -> Callable[..., EnvironmentSettings]:
    def make(**image: Any) -> EnvironmentSettings:
        return EnvironmentSettings.model_validate(
            {
                "name": "prod",
                "region": "eu-central-1",
                "endpoint": {
                    "kind": "realtime",
                    "name": "forecast",
                    "instance_type": "ml.m5.large",
                },
                "image": image,
                "tags": {"team": "a", "cost_centre": "b"},
            }
        )

    return make


def test_nothing_is_said_until_ninety_days_before_the_end(
    environment: Callable[..., EnvironmentSettings],
) -> None:
    assert support_warning(environment(**AWS), LAST_DAY - timedelta(WARNING_DAYS + 1)) is None


@pytest.mark.parametrize("days", [WARNING_DAYS, 1, 0])
def test_the_last_ninety_days_are_warned_of(
    environment: Callable[..., EnvironmentSettings], days: int
) -> None:
    said = support_warning(environment(**AWS), LAST_DAY - timedelta(days))

    assert said is not None
    assert said.startswith(
        f"the scikit-learn image 1.9-0 of 'prod' is patched until {LAST_DAY}, {days} days more"
    )


def test_from_the_day_after_the_end_the_image_is_refused(
    environment: Callable[..., EnvironmentSettings],
) -> None:
    day_after = LAST_DAY + timedelta(1)

    with pytest.raises(ForecastError, match=rf"since {LAST_DAY}, and today is {day_after}; no new"):
        support_warning(environment(**AWS), day_after)


def test_who_accepts_an_unpatched_image_is_only_warned(
    environment: Callable[..., EnvironmentSettings],
) -> None:
    said = support_warning(environment(**AWS, allow_unpatched=True), LAST_DAY + timedelta(400))

    assert said is not None
    assert f"has not been patched since {LAST_DAY}" in said


def test_a_newer_image_is_named(
    environment: Callable[..., EnvironmentSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = images._table()
    versions = table["frameworks"]["scikit-learn"]["versions"]
    newer = {**versions["1.9-0"], "tag": "2.0-0-cpu-py3", "patched_until": "2028-01-31"}
    monkeypatch.setitem(versions, "2.0-0", newer)

    assert longest_patched("scikit-learn").version == "2.0-0"
    with pytest.raises(
        ForecastError,
        match=r"choose 2\.0-0, which is patched until 2028-01-31, or set image\.allow_unpatched",
    ):
        support_warning(environment(**AWS), LAST_DAY + timedelta(1))


@pytest.mark.parametrize(
    "image",
    [
        {"kind": "own", "python": "3.12"},
        {"kind": "ecr", "uri": "111111111111.dkr.ecr.eu-central-1.amazonaws.com/forecaster:1"},
    ],
)
def test_other_images_are_their_owners_matter(
    environment: Callable[..., EnvironmentSettings], image: dict[str, Any]
) -> None:
    assert support_warning(environment(**image), date(2099, 1, 1)) is None
