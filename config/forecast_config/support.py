"""The end of an image's support: a warning before it, a refusal after it.

The day comes from the caller. It decides about a warning or a refusal, never about a template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.errors import ForecastError
from forecast_config.images import longest_patched, serving_images
from forecast_config.settings.container import AwsImage

if TYPE_CHECKING:
    from datetime import date

    from forecast_config.images import ServingImage
    from forecast_config.settings import EnvironmentSettings

WARNING_DAYS = 90
"""Days before the end of support from which it is warned of: time to train and to roll out."""


def support_warning(settings: EnvironmentSettings, today: date) -> str | None:
    """What is to be said about the support of an environment's image; None when it is far off.

    Args:
        settings: The environment.
        today: The day to judge it on.

    Raises:
        ForecastError: AWS no longer patches the image, and `image.allow_unpatched` is not set.
    """
    if not isinstance(settings.image, AwsImage):
        return None
    image = serving_images()[settings.image.framework, settings.image.version]
    days = (image.last_day - today).days
    if days > WARNING_DAYS:
        return None
    shown = f"the {image.framework} image {image.version} of '{settings.name}'"
    if days >= 0:
        return f"{shown} is patched until {image.patched_until}, {days} days more; {_way_on(image)}"
    if settings.image.allow_unpatched:
        return f"{shown} has not been patched since {image.patched_until}; {_way_on(image)}"
    raise ForecastError(
        f"{shown} has not been patched since {image.patched_until}, and today is {today}; "
        f"{_way_on(image)}, or set image.allow_unpatched: true"
    )


def _way_on(image: ServingImage) -> str:
    newer = longest_patched(image.framework)
    if newer.patched_until > image.patched_until:
        return f"choose {newer.version}, which is patched until {newer.patched_until}"
    return "no newer one is known here: take a newer release of this project, or image.kind own"
