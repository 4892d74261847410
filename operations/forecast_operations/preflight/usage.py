"""What the endpoints of a region use of its quotas."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forecast_operations.deployed.live import variants_in
from forecast_operations.deployed.statuses import GOING, is_broken

if TYPE_CHECKING:
    from forecast_operations.deployed.live import Live


@dataclass(frozen=True)
class Usage:
    """Capacity that endpoints hold.

    Attributes:
        instances: Instances by type.
        concurrency: Requests at once that serverless variants may answer, all together.
    """

    instances: Counter[str] = field(default_factory=Counter)
    concurrency: int = 0

    def __add__(self, other: Usage) -> Usage:
        """The capacity of both."""
        return Usage(self.instances + other.instances, self.concurrency + other.concurrency)


def usage_of(live: Live, endpoint: dict[str, Any]) -> Usage:
    """What one endpoint holds.

    A fleet that is growing counts as large as it is going to be.

    Args:
        live: What is deployed.
        endpoint: The answer of DescribeEndpoint.

    Raises:
        CloudError: AWS refuses.
    """
    # An endpoint whose creation failed names no variants.
    variants = [variant for variant, _ in variants_in(endpoint)]
    config = live.endpoint_config(endpoint["EndpointConfigName"]) if variants else None
    if config is None:
        return Usage()
    types = {each["VariantName"]: each.get("InstanceType") for each, _ in variants_in(config)}
    instances: Counter[str] = Counter()
    concurrency = 0
    for variant in variants:
        instance_type = types.get(variant["VariantName"])
        if instance_type is not None:
            counts = (variant.get(f"{when}InstanceCount", 0) for when in ("Current", "Desired"))
            instances[instance_type] += max(counts)
        concurrency += variant.get("CurrentServerlessConfig", {}).get("MaxConcurrency", 0)
    return Usage(instances, concurrency)


def usage_besides(live: Live, name: str) -> Usage:
    """What all endpoints of the region but one hold.

    Args:
        live: What is deployed.
        name: The endpoint that is left out.

    Raises:
        CloudError: AWS refuses.
    """
    used = Usage()
    for listed in live.cloud.pages("sagemaker", "list_endpoints", "Endpoints"):
        status = listed["EndpointStatus"]
        if listed["EndpointName"] == name or is_broken(status) or status == GOING:
            continue
        endpoint = live.endpoint(listed["EndpointName"])
        if endpoint is not None:
            used += usage_of(live, endpoint)
    return used
