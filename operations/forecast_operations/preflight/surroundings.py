"""What checks look at: an environment, its project on this machine, and its account."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from forecast_operations.deployed.live import Live
from forecast_operations.deployed.stacks import is_there

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_config import EnvironmentSettings, ForecastConfig
    from forecast_operations.cloud.cloud import Cloud

_QUALIFIER_CONTEXT = "@aws-cdk/core:bootstrapQualifier"
_QUALIFIER = "hnb659fds"
"""Qualifier of a bootstrap that was given none (AWS CDK developer guide, "Customize bootstrap")."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """An environment and all that is around it.

    What several checks need is asked for once.

    Attributes:
        config: The configuration that the environment is in.
        settings: The environment.
        cloud: AWS in the environment's region.
        account: Id of the account of the credentials; empty before it is known.
    """

    config: ForecastConfig
    settings: EnvironmentSettings
    cloud: Cloud
    account: str = ""

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.config.root

    @property
    def region(self) -> str:
        """The environment's region."""
        return self.settings.region

    @property
    def endpoint_name(self) -> str:
        """Name of the environment's endpoint."""
        return self.settings.endpoint.name

    @property
    def live(self) -> Live:
        """What is deployed there."""
        return Live(self.cloud)

    @property
    def stack_names(self) -> tuple[str, str]:
        """Names of the environment's stacks, the stateful one first."""
        return self.settings.artifacts_stack_name, self.settings.stack_name

    @cached_property
    def stacks(self) -> dict[str, dict[str, Any] | None]:
        """The answers of DescribeStacks by stack; None for one that is not there.

        Raises:
            CloudError: AWS refuses.
        """
        return {name: self.live.stack(name) for name in self.stack_names}

    @cached_property
    def endpoint(self) -> dict[str, Any] | None:
        """The answer of DescribeEndpoint for the environment's; None where there is none.

        Raises:
            CloudError: AWS refuses.
        """
        return self.live.endpoint(self.endpoint_name)

    @cached_property
    def owned(self) -> frozenset[str]:
        """Physical ids of everything that the environment's stacks hold.

        Raises:
            CloudError: AWS refuses.
        """
        return frozenset(
            each["PhysicalResourceId"]
            for name in self.stack_names
            if self.is_deployed(name)
            for each in self.live.stack_resources(name)
            if each.get("PhysicalResourceId")
        )

    def is_deployed(self, stack_name: str) -> bool:
        """Whether one of the environment's stacks is there and has anything.

        Raises:
            CloudError: AWS refuses.
        """
        return is_there(self.stacks[stack_name])

    @cached_property
    def cdk_settings(self) -> dict[str, Any]:
        """The project's `cdk.json`; empty where there is none that can be read."""
        try:
            settings: dict[str, Any] = json.loads((self.root / "cdk.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return settings

    @property
    def qualifier(self) -> str:
        """What the bootstrap's resources have in their names."""
        return str(self.cdk_settings.get("context", {}).get(_QUALIFIER_CONTEXT, _QUALIFIER))
