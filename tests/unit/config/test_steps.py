"""The solver's arithmetic agrees with every fleet tried one by one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_config.steps import (
    MAX_SHARE,
    instances_of,
    largest_percent,
    most_steps,
    share_of,
    steps_of,
    too_large_in,
)

PERCENTS = st.integers(1, 50)
FLEETS = st.tuples(st.integers(1, 130), st.integers(0, 130)).map(lambda t: (t[0], t[0] + t[1]))


@given(PERCENTS, FLEETS)
def test_the_smallest_fleet_that_a_step_takes_too_much_of_is_found(
    percent: int, fleets: tuple[int, int]
) -> None:
    low, high = fleets
    tried = [count for count in range(low, high + 1) if share_of(percent, count) > MAX_SHARE]

    found = too_large_in(percent, low, high)

    assert (found is None) == (not tried)
    assert found is None or found == tried[0]


@given(FLEETS)
def test_the_largest_percentage_fits_every_fleet_and_one_more_does_not(
    fleets: tuple[int, int],
) -> None:
    low, high = fleets

    percent = largest_percent(low, high)

    if percent is None:
        assert too_large_in(1, low, high) is not None
        return
    assert too_large_in(percent, low, high) is None
    assert percent == 50 or too_large_in(percent + 1, low, high) is not None


@given(PERCENTS, FLEETS)
def test_the_most_steps_are_those_of_some_fleet_or_an_upper_bound(
    percent: int, fleets: tuple[int, int]
) -> None:
    low, high = fleets
    tried = max(steps_of(percent, count) for count in range(low, high + 1))

    most = most_steps(percent, low, high)

    assert tried <= most <= math.ceil(100 / percent)
    assert high >= 100 or most == tried


def test_a_third_fits_every_fleet_of_two_or_more() -> None:
    assert largest_percent(2, 10_000) == 33


@pytest.mark.parametrize(
    ("percent", "count", "instances"), [(10, 2, 1), (33, 3, 1), (34, 3, 2), (50, 4, 2), (1, 200, 2)]
)
def test_a_part_of_an_instance_counts_as_one(percent: int, count: int, instances: int) -> None:
    assert instances_of(percent, count) == instances
