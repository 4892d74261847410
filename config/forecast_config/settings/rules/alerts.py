"""Rules within one alert."""

from __future__ import annotations

from itertools import pairwise

from forecast_config.settings.notifications import SEVERITIES, Severity
from forecast_config.settings.ruling import all_refused, refused


def check_thresholds(thresholds: dict[Severity, float]) -> dict[Severity, float]:
    """The thresholds of an alert themselves, of which a graver severity has no lower one.

    Raises:
        PydanticCustomError: There is none.
        ValidationError: Some are out of order, each at its own place.
    """
    if not thresholds:
        raise refused("expected a threshold by severity, or null for the alert, got none")
    broken = []
    given = [severity for severity in SEVERITIES if severity in thresholds]
    for graver, milder in pairwise(given):
        if thresholds[graver] < thresholds[milder]:
            message = (
                f"expected at least that of {milder} ({thresholds[milder]:g}), "
                f"as {graver} is graver, got {thresholds[graver]:g}"
            )
            broken.append(((graver,), message))
    if broken:
        raise all_refused(broken, thresholds)
    return thresholds
