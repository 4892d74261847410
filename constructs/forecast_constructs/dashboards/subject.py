"""What a dashboard is about: one environment, what it runs and where its metrics are."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from forecast_config.alerts import production_variant_names
from forecast_config.settings import AsyncEndpoint, ServerlessEndpoint, ShadowRollout
from forecast_constructs.monitoring.metrics import EndpointMetrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecast_config.packaged import PackagedModel
    from forecast_config.settings import EnvironmentSettings
    from forecast_constructs.dashboards.widgets import Source


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One environment.

    Attributes:
        settings: The environment.
        source: Where its metrics are.
        packaged_models: What each variant serves, by the variant's name, the champion first;
            default: not known, and the versions are not named.
        alarm_arns: Its alarms, the most severe first.
        endpoint_config_name: The configuration that the template deploys; None: not known.
    """

    settings: EnvironmentSettings
    source: Source
    packaged_models: Mapping[str, PackagedModel] = field(default_factory=dict)
    alarm_arns: Sequence[str] = ()
    endpoint_config_name: str | None = None

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self.settings.endpoint.name

    @cached_property
    def variants(self) -> list[EndpointMetrics]:
        """The metrics of every variant, the champion's first."""
        return [
            EndpointMetrics(
                endpoint_name=self.name, variant_name=variant, mode=self.settings.endpoint.kind
            )
            for variant in self.packaged_models or production_variant_names(self.settings)
        ]

    @property
    def champion(self) -> EndpointMetrics:
        """The metrics of the champion."""
        return self.variants[0]

    @property
    def challenger(self) -> EndpointMetrics | None:
        """The metrics of the challenger; None without one."""
        return self.variants[1] if len(self.variants) > 1 else None

    @property
    def production(self) -> list[EndpointMetrics]:
        """The variants whose answers reach clients; a shadow's do not."""
        return self.variants[:1] if self.is_shadowed else self.variants

    @property
    def is_shadowed(self) -> bool:
        """Whether the challenger gets copies of the requests only."""
        return isinstance(self.settings.rollout, ShadowRollout)

    @property
    def is_async(self) -> bool:
        """Whether requests go through a queue."""
        return isinstance(self.settings.endpoint, AsyncEndpoint)

    @property
    def is_serverless(self) -> bool:
        """Whether there are no instances."""
        return isinstance(self.settings.endpoint, ServerlessEndpoint)

    def label(self, variant: EndpointMetrics) -> str:
        """What a variant is called: its part, and the version that it serves."""
        part = self.part(variant)
        return f"{part} v{self.version(variant)}" if self.packaged_models else part

    def part(self, variant: EndpointMetrics) -> str:
        """What a variant is: the champion, or its challenger."""
        return "champion" if variant == self.champion else "challenger"

    def version(self, variant: EndpointMetrics) -> str:
        """Version of the model that a variant serves."""
        return self.packaged_models[variant.variant_name].model.version
