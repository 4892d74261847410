"""What an endpoint serves at a time, and who of it answers a request."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forecast_local.sagemaker.fleet import Fleet, ModelServer
from forecast_local.sagemaker.summaries import Variants


@dataclass(frozen=True)
class Generation:
    """A configuration that an endpoint serves, is about to serve, or served.

    Attributes:
        config: Request that created the endpoint configuration.
        variants: Its production variants in the shape of DescribeEndpoint.
        shadows: Its shadow variants.
        deployment: ``DeploymentConfig`` that it was deployed with.
        fleet: Its model servers; None before they have started.
    """

    config: Mapping[str, Any]
    variants: Variants
    shadows: Variants
    deployment: Mapping[str, Any] | None = None
    fleet: Fleet | None = None

    @property
    def name(self) -> str:
        """Name of the endpoint configuration."""
        return str(self.config["EndpointConfigName"])


@dataclass(frozen=True)
class Route:
    """Who answers an invocation.

    Attributes:
        variant: Name of the variant.
        server: Its model server.
        instances: Its number of instances, at least 1.
        max_concurrency: Requests that a serverless variant answers at once; None for instances.
        provisioned_concurrency: Warm requests of a serverless variant; None when it has none.
        config: Request that created the configuration it belongs to.
        shadow: Where a copy of the request goes, if it goes anywhere.
    """

    variant: str
    server: ModelServer
    instances: int
    config: Mapping[str, Any]
    max_concurrency: int | None = None
    provisioned_concurrency: int | None = None
    shadow: "Route | None" = None


def weighted_choice(variants: Variants) -> str:
    """Choose a variant by the weights."""
    names = list(variants)
    weights = [float(variants[name]["CurrentWeight"]) for name in names]
    return random.choices(names, weights)[0] if any(weights) else names[0]  # noqa: S311 - traffic, not secrets


def route_to(generation: Generation, variant: str) -> Route:
    """Return who answers for a variant, and where a copy goes."""
    assert generation.fleet is not None  # noqa: S101 - a generation without one gets no requests
    summary = generation.variants[variant]
    serverless = summary.get("CurrentServerlessConfig", {})
    return Route(
        variant=variant,
        server=generation.fleet.server(variant),
        instances=max(int(summary.get("CurrentInstanceCount", 1)), 1),
        config=generation.config,
        max_concurrency=serverless.get("MaxConcurrency"),
        provisioned_concurrency=serverless.get("ProvisionedConcurrency"),
        shadow=_shadow(generation, summary),
    )


def _shadow(generation: Generation, production: Mapping[str, Any]) -> Route | None:
    """Choose whether a request is copied: the weights' ratio is the share of the copies.

    SageMaker developer guide, "Shadow variants".
    """
    assert generation.fleet is not None  # noqa: S101 - see _route
    for name, summary in generation.shadows.items():
        weight = float(production["CurrentWeight"])
        share = 1.0 if not weight else float(summary["CurrentWeight"]) / weight
        if random.random() < share:  # noqa: S311 - sampling
            count = max(int(summary.get("CurrentInstanceCount", 1)), 1)
            server = generation.fleet.server(name)
            return Route(name, server, count, generation.config)
    return None
