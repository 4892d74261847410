"""An endpoint: which configuration it serves, with how many instances, and how it changes."""

import random
import threading
from collections.abc import Mapping
from typing import Any

from moto.core.utils import utcnow
from moto.sagemaker.models import FakeEndpoint

from forecast_local.sagemaker.fleet import Fleet
from forecast_local.sagemaker.generation import Generation, Route, route_to, weighted_choice
from forecast_local.sagemaker.rollout import Shift
from forecast_local.sagemaker.summaries import Variants, capture_summary


class HostedEndpoint(FakeEndpoint):
    """An endpoint with a fleet of model servers, and a second one while it is updated.

    Args:
        name: Endpoint name.
        arn: Its ARN.
        generation: What it shall serve first.
        tags: Its tags.
    """

    def __init__(
        self, *, name: str, arn: str, generation: Generation, tags: list[dict[str, str]]
    ) -> None:
        # moto's own initialiser is in service at once and knows no deployment configuration.
        self.endpoint_name = name
        self.arn = arn
        self.tags = tags
        self.endpoint_status = "Creating"
        self.reason: str | None = None
        self.creation_time = self.last_modified_time = utcnow()
        self._live = generation
        self._next: Generation | None = None
        self._shift: Shift | None = None
        self._shift_time = self._update_time = self.creation_time
        self._lock = threading.RLock()

    def is_created(self) -> bool:
        """Whether it exists; moto's own CloudFormation would ask."""
        return True

    @property
    def is_settled(self) -> bool:
        """Whether no transition is under way."""
        return self.endpoint_status in {"InService", "Failed"}

    @property
    def config(self) -> Mapping[str, Any]:
        """Request that created the configuration that is served."""
        return self._live.config

    @property
    def endpoint_config_name(self) -> str:  # type: ignore[override] # moto sets it once
        """Name of the configuration that is served."""
        return self._live.name

    @property
    def variants(self) -> Variants:
        """The production variants that are served, in the shape of DescribeEndpoint."""
        return self._live.variants

    @property
    def deployment(self) -> Mapping[str, Any] | None:
        """``DeploymentConfig`` of the last deployment that succeeded."""
        return self._live.deployment

    @property
    def pending_deployment(self) -> Mapping[str, Any] | None:
        """``DeploymentConfig`` of the update that is under way."""
        return None if self._next is None else self._next.deployment

    @property
    def capture(self) -> Mapping[str, Any] | None:
        """``DataCaptureConfig`` of the configuration that is served; an update retains none."""
        found: Mapping[str, Any] | None = self.config.get("DataCaptureConfig")
        return found

    @property
    def response_object(self) -> dict[str, Any]:
        """The answer of DescribeEndpoint."""
        with self._lock:
            answer = {
                "EndpointName": self.endpoint_name,
                "EndpointArn": self.arn,
                "EndpointConfigName": self.endpoint_config_name,
                "ProductionVariants": list(self._live.variants.values()),
                "ShadowProductionVariants": list(self._live.shadows.values()) or None,
                "EndpointStatus": self.endpoint_status,
                "CreationTime": self.creation_time,
                "LastModifiedTime": self.last_modified_time,
                "FailureReason": self.reason,
                "LastDeploymentConfig": self.deployment,
                "DataCaptureConfig": capture_summary(self.capture),
                "AsyncInferenceConfig": self.config.get("AsyncInferenceConfig"),
                "PendingDeploymentSummary": self._pending_summary(),
            }
            return {key: value for key, value in answer.items() if value is not None}

    def _pending_summary(self) -> dict[str, Any] | None:
        if self._next is None:
            return None
        status = "Creating" if self._shift is None else self._shift.status
        shares = {} if self._shift is None else self._shift.shares
        variants = [
            {
                **summary,
                "CurrentWeight": summary["DesiredWeight"] * shares.get(name, 0.0),
                "VariantStatus": [{"Status": status, "StartTime": self._shift_time}],
            }
            for name, summary in self._next.variants.items()
        ]
        return {
            "EndpointConfigName": self._next.name,
            "ProductionVariants": variants,
            "StartTime": self._update_time,
        }

    def begin_update(self, generation: Generation) -> None:
        """Enter the state Updating."""
        with self._lock:
            self.endpoint_status, self._next, self.reason = "Updating", generation, None
            self._shift = None
            self.last_modified_time = self._update_time = self._shift_time = utcnow()

    def begin_deletion(self) -> Fleet | None:
        """Enter the state Deleting and hand over the fleet to stop."""
        with self._lock:
            self.endpoint_status = "Deleting"
            fleet = self._live.fleet
            self._live = Generation(self.config, self.variants, self._live.shadows)
            return fleet

    def enter_service(self, generation: Generation) -> None:
        """Serve with the first fleet."""
        with self._lock:
            self._live, self.endpoint_status = generation, "InService"
            self.last_modified_time = utcnow()

    def shift(self, generation: Generation, shift: Shift) -> None:
        """Give the new fleet its share of the requests."""
        with self._lock:
            self._next, self._shift, self._shift_time = generation, shift, utcnow()

    def begin_rollback(self) -> None:
        """Give all requests to the old fleet again."""
        with self._lock:
            self.endpoint_status, self._shift = "RollingBack", None
            self.last_modified_time = utcnow()

    def switch(self, generation: Generation) -> None:
        """Serve with the new fleet alone, then stop the old one."""
        with self._lock:
            old, self._live = self._live, generation
            self.endpoint_status, self._next, self._shift = "InService", None, None
            self.last_modified_time = utcnow()
        if old.fleet is not None:
            old.fleet.stop()

    def fail(self, reason: str) -> None:
        """Give up a deployment: the old fleet goes on serving, without one the endpoint failed."""
        with self._lock:
            self.endpoint_status = "Failed" if self._live.fleet is None else "InService"
            self.reason, self._next, self._shift = reason, None, None
            self.last_modified_time = utcnow()

    def resize(self, change: Mapping[str, Any]) -> None:
        """Change weight, instance count or provisioned concurrency of a variant, where given."""
        with self._lock:
            variant = self.variants[change["VariantName"]]
            for kind in ("Weight", "InstanceCount"):
                value = change.get(f"Desired{kind}")
                if value is not None:
                    variant[f"Desired{kind}"] = variant[f"Current{kind}"] = value
            serverless = change.get("ServerlessUpdateConfig")
            if serverless is not None:
                changed = {**variant["CurrentServerlessConfig"], **serverless}
                variant["CurrentServerlessConfig"] = variant["DesiredServerlessConfig"] = changed

    def running(self) -> list[tuple[str, str, int, int | None]]:
        """Return configuration, variant, instances and process id of every model server."""
        with self._lock:
            generations = [self._live, *([self._next] if self._next is not None else [])]
            return [
                (
                    generation.name,
                    name,
                    int(summary.get("CurrentInstanceCount", 0)),
                    generation.fleet.server(name).pid,
                )
                for generation in generations
                if generation.fleet is not None
                for name, summary in {**generation.variants, **generation.shadows}.items()
            ]

    def route(self, variant: str | None = None) -> Route:
        """Choose who answers an invocation.

        Args:
            variant: The variant asked for, or None for one by weight.

        Raises:
            LookupError: If the endpoint does not serve or has no such variant.
        """
        with self._lock:
            if self._live.fleet is None:
                raise LookupError(f"Endpoint {self.endpoint_name} is {self.endpoint_status}")
            chosen = weighted_choice(self.variants) if variant is None else variant
            if chosen not in self.variants:
                raise LookupError(f"Variant {variant} of endpoint {self.endpoint_name} not found")
            generation = self._live
            if self._next is not None and self._shift is not None:
                share = self._shift.shares.get(chosen, 0.0)
                if chosen in self._next.variants and random.random() < share:  # noqa: S311 - traffic, not secrets
                    generation = self._next
            return route_to(generation, chosen)
