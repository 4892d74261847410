"""Advice: what a configuration may say, but should not say unnoticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.settings.endpoint import ServerlessEndpoint
from forecast_config.settings.platform import ExistingNetwork
from forecast_config.settings.rollout import ShadowRollout, SplitRollout
from forecast_config.support import support_warning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from forecast_config.settings import EnvironmentSettings

UNWARNED = "dev"
"""Name of the environment that nobody relies on, which is not warned about zones that fail."""


COMPARED_DATES = 30
"""Dates below which a comparison of champion and challenger says nothing."""

COMPARED_DAYS = COMPARED_DATES + 1
"""Days of captured requests that they take, one date a day: what was forecast of the last day has
not come true yet."""


def warnings_for(settings: EnvironmentSettings, today: date) -> list[str]:
    """What should be known of an environment, each a sentence that names it.

    Args:
        settings: The environment.
        today: The day to judge it on.

    Raises:
        ForecastError: AWS no longer patches its image, and `image.allow_unpatched` is not set.
    """
    support = support_warning(settings, today)
    return [
        *([] if support is None else [support]),
        *zone_warnings(settings).values(),
        *_comparison_warnings(settings),
    ]


def least_instance_count(settings: EnvironmentSettings) -> int | None:
    """Fewest instances that an environment runs on; None for a serverless endpoint."""
    if isinstance(settings.endpoint, ServerlessEndpoint):
        return None
    if settings.autoscaling is None:
        return settings.endpoint.initial_instance_count
    actions = settings.autoscaling.scheduled.values()
    lows = [each.min_instance_count for each in actions if each.min_instance_count is not None]
    return min([settings.autoscaling.min_instance_count, *lows])


def zone_warnings(settings: EnvironmentSettings) -> dict[str, str]:
    """What one zone's failure would end, each a sentence by its id, such as singleInstance.

    Two instances or more, and two subnets or more, are spread over zones (Amazon SageMaker
    developer guide, "Best practices for deploying models on SageMaker AI Hosting Services"). Dev is
    not warned, nor is an endpoint that goes to zero instances, whose requests wait in a queue.

    Args:
        settings: The environment.
    """
    return {} if settings.name == UNWARNED else dict(_zone_warnings(settings))


def _comparison_warnings(settings: EnvironmentSettings) -> Iterator[str]:
    """What keeps a challenger from ever being compared."""
    name, rollout, capture = settings.name, settings.rollout, settings.data_capture
    if not isinstance(rollout, ShadowRollout | SplitRollout):
        return
    if capture is None:
        yield (
            f"{name} runs a challenger ({rollout.kind}) and captures no requests, so that their "
            "forecasts cannot be compared; set data_capture, its retention_days to "
            f"{COMPARED_DAYS} or more"
        )
    elif capture.retention_days < COMPARED_DAYS:
        yield (
            f"{name} runs a challenger ({rollout.kind}) and deletes captured requests after "
            f"{capture.retention_days} days; a comparison takes {COMPARED_DATES} dates and what "
            f"came true on them: set data_capture.retention_days to {COMPARED_DAYS} or more (8 "
            "days for each step of a horizon of several)"
        )


def _zone_warnings(settings: EnvironmentSettings) -> Iterator[tuple[str, str]]:
    least = least_instance_count(settings)
    key = "endpoint.initial_instance_count"
    if settings.autoscaling is not None:
        key = "autoscaling.min_instance_count"
    if least == 1:
        yield (
            "singleInstance",
            (
                f"{settings.name} runs one instance: when its zone fails, forecasts fail until "
                f"another has started; set {key} to 2 or more"
            ),
        )
    if isinstance(settings.network, ExistingNetwork) and len(settings.network.subnet_ids) == 1:
        yield (
            "singleSubnet",
            (
                f"{settings.name} runs in one subnet, so that all its instances are in one zone: "
                "give network.subnet_ids one of another zone too"
            ),
        )
