"""Who is compared with the champion, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config.errors import ForecastError
from forecast_config.settings import ChallengerRollout, RealtimeEndpoint

if TYPE_CHECKING:
    from forecast_config.packaged import PackagedModel
    from forecast_config.settings import EnvironmentSettings


@dataclass(frozen=True)
class Comparison:
    """A challenger beside the champion.

    Attributes:
        rollout: How they are compared.
        endpoint: What both serve on.
        challenger: What is compared.
    """

    rollout: ChallengerRollout
    endpoint: RealtimeEndpoint
    challenger: PackagedModel


def find_comparison(
    settings: EnvironmentSettings, challenger: PackagedModel | None
) -> Comparison | None:
    """Who is compared with the champion, and how; None: nobody.

    Raises:
        ForecastError: There is no challenger for a shadow or a split, or the endpoint has no
            instances that are always there.
        ValueError: There is a challenger, and nothing compares it.
    """
    rollout, endpoint = settings.rollout, settings.endpoint
    if not isinstance(rollout, ChallengerRollout):
        if challenger is not None:
            raise ValueError(
                f"expected a rollout of kind shadow or split for a challenger, got {rollout.kind}"
            )
        return None
    if challenger is None:
        raise ForecastError(
            f"expected a packaged challenger for the {rollout.kind} of '{settings.name}', got "
            f"none; run: forecast resolve {settings.name}"
        )
    if not isinstance(endpoint, RealtimeEndpoint):
        raise ForecastError(
            f"expected an endpoint of kind realtime for the {rollout.kind} of '{settings.name}', "
            f"got {endpoint.kind}; choose another rollout"
        )
    return Comparison(rollout, endpoint, challenger)
