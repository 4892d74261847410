"""Which environments are shown side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.regions import partition_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_config.settings import EnvironmentSettings

_FEWEST = 2


def shown_together(environments: Sequence[EnvironmentSettings]) -> list[EnvironmentSettings]:
    """The environments of the dashboard across environments; none when there are fewer than two.

    They are those with a dashboard of their own in the partition of the last one, as a partition
    knows nothing of the metrics of another.
    """
    shown = [settings for settings in environments if settings.dashboard]
    partitions = [partition_of(settings.region) for settings in shown]
    shown = [
        settings
        for settings, partition in zip(shown, partitions, strict=True)
        if partition == partitions[-1]
    ]
    return shown if len(shown) >= _FEWEST else []
