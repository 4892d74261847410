"""Waiting for an endpoint whose transition has to end first."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from forecast_operations.deployed.endpoint import read_endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_operations.deployed.endpoint import EndpointState
    from forecast_operations.deployed.place import Place

_POLL_SECONDS = 15.0


def nap() -> None:
    """Wait between two looks at an endpoint."""
    time.sleep(_POLL_SECONDS)


def settled(
    place: Place, say: Callable[[str], None], pause: Callable[[], None]
) -> EndpointState | None:
    """The endpoint of an environment when its transition is over; None when it is away.

    Args:
        place: The environment.
        say: Told each status that is waited for the end of.
        pause: Called between two looks.
    """
    shown = ""
    while True:
        state = read_endpoint(place.live, place.endpoint_name)
        if state is None or not state.under_way:
            return state
        if state.status != shown:
            shown = state.status
            say(f"{state.name} is {shown}; waiting (interrupt it and run it again at any time)")
        pause()
