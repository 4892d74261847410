"""An endpoint: which configuration it serves, with how many instances, and how it changes."""

import random
import threading
from collections.abc import Mapping
from typing import Any

from moto.core.utils import utcnow
from moto.sagemaker.models import FakeEndpoint

from forecast_local.sagemaker.fleet import Fleet, ModelServer

Variants = Mapping[str, dict[str, Any]]


def _summary(variant: Mapping[str, Any], image: str) -> dict[str, Any]:
    """Return a variant in the shape of DescribeEndpoint, with its initial size."""
    weight = float(variant.get("InitialVariantWeight", 1.0))
    summary: dict[str, Any] = {
        "VariantName": variant["VariantName"],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "DeployedImages": [
            {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": utcnow()}
        ],
    }
    if "ServerlessConfig" in variant:
        summary["CurrentServerlessConfig"] = variant["ServerlessConfig"]
        summary["DesiredServerlessConfig"] = variant["ServerlessConfig"]
        return summary
    count = int(variant["InitialInstanceCount"])
    return {**summary, "CurrentInstanceCount": count, "DesiredInstanceCount": count}


class HostedEndpoint(FakeEndpoint):
    """An endpoint with a fleet of model servers.

    Args:
        name: Endpoint name.
        arn: Its ARN.
        config: Request that created its configuration.
        images: Image of each variant.
        deployment: ``DeploymentConfig``, kept and described.
        tags: Its tags.
    """

    def __init__(
        self,
        *,
        name: str,
        arn: str,
        config: Mapping[str, Any],
        images: Mapping[str, str],
        deployment: Mapping[str, Any] | None,
        tags: list[dict[str, str]],
    ) -> None:
        # moto's own initialiser is in service at once and knows no deployment configuration.
        self.endpoint_name = name
        self.arn = arn
        self.config = config
        self.endpoint_config_name = config["EndpointConfigName"]
        self.variants: dict[str, dict[str, Any]] = {
            item["VariantName"]: _summary(item, images[item["VariantName"]])
            for item in config["ProductionVariants"]
        }
        self.deployment = deployment
        self.tags = tags
        self.endpoint_status = "Creating"
        self.reason: str | None = None
        self.pending: str | None = None
        self.creation_time = self.last_modified_time = utcnow()
        self._fleet: Fleet | None = None
        self._lock = threading.RLock()

    def is_created(self) -> bool:
        """Whether it exists; moto's own CloudFormation would ask."""
        return True

    @property
    def response_object(self) -> dict[str, Any]:
        """The answer of DescribeEndpoint."""
        with self._lock:
            answer = {
                "EndpointName": self.endpoint_name,
                "EndpointArn": self.arn,
                "EndpointConfigName": self.endpoint_config_name,
                "ProductionVariants": list(self.variants.values()),
                "EndpointStatus": self.endpoint_status,
                "CreationTime": self.creation_time,
                "LastModifiedTime": self.last_modified_time,
                "FailureReason": self.reason,
                "LastDeploymentConfig": self.deployment,
                "DataCaptureConfig": self._capture_summary(),
            }
            if self.pending is not None:
                answer["PendingDeploymentSummary"] = {"EndpointConfigName": self.pending}
            return {key: value for key, value in answer.items() if value is not None}

    @property
    def capture(self) -> Mapping[str, Any] | None:
        """``DataCaptureConfig`` of the configuration that is served; an update retains none."""
        found: Mapping[str, Any] | None = self.config.get("DataCaptureConfig")
        return found

    def _capture_summary(self) -> dict[str, Any] | None:
        if self.capture is None:
            return None
        enabled = bool(self.capture.get("EnableCapture", True))
        return {
            "EnableCapture": enabled,
            "CaptureStatus": "Started" if enabled else "Stopped",
            "CurrentSamplingPercentage": self.capture["InitialSamplingPercentage"],
            "DestinationS3Uri": self.capture["DestinationS3Uri"],
            "KmsKeyId": self.capture.get("KmsKeyId", ""),
        }

    def next_variants(
        self, config: Mapping[str, Any], images: Mapping[str, str], request: Mapping[str, Any]
    ) -> dict[str, dict[str, Any]]:
        """Return the variants after an update, with what ``RetainAllVariantProperties`` keeps.

        Args:
            config: Request that created the new configuration.
            images: Image of each of its variants.
            request: Parameters of UpdateEndpoint.
        """
        excluded = _excluded(request)
        found = {}
        for item in config["ProductionVariants"]:
            name = item["VariantName"]
            summary = _summary(item, images[name])
            old = self.variants.get(name)
            if old is not None and request.get("RetainAllVariantProperties"):
                for kind in ("InstanceCount", "Weight"):
                    if f"Desired{kind}" not in excluded and f"Desired{kind}" in old:
                        summary[f"Desired{kind}"] = old[f"Desired{kind}"]
                        summary[f"Current{kind}"] = old[f"Desired{kind}"]
            found[name] = summary
        return found

    def begin_update(self, config_name: str) -> None:
        """Enter the state Updating."""
        with self._lock:
            self.endpoint_status, self.pending, self.reason = "Updating", config_name, None
            self.last_modified_time = utcnow()

    def begin_deletion(self) -> Fleet | None:
        """Enter the state Deleting and hand over the fleet to stop."""
        with self._lock:
            self.endpoint_status = "Deleting"
            fleet, self._fleet = self._fleet, None
            return fleet

    def enter_service(self, fleet: Fleet) -> None:
        """Serve with the first fleet."""
        with self._lock:
            self._fleet, self.endpoint_status = fleet, "InService"
            self.last_modified_time = utcnow()

    def switch(
        self,
        fleet: Fleet,
        *,
        config: Mapping[str, Any],
        variants: Variants,
        deployment: Mapping[str, Any] | None,
    ) -> None:
        """Serve with a new fleet, then stop the old one."""
        with self._lock:
            old, self._fleet = self._fleet, fleet
            self.config, self.endpoint_config_name = config, config["EndpointConfigName"]
            self.variants, self.deployment = dict(variants), deployment
            self.endpoint_status, self.pending = "InService", None
            self.last_modified_time = utcnow()
        if old is not None:
            old.stop()

    def fail(self, reason: str) -> None:
        """Give up a deployment: the old fleet goes on serving, without one the endpoint failed."""
        with self._lock:
            self.endpoint_status = "Failed" if self._fleet is None else "InService"
            self.reason, self.pending = reason, None
            self.last_modified_time = utcnow()

    def resize(self, change: Mapping[str, Any]) -> None:
        """Change weight and instance count of a variant, as far as they are given."""
        with self._lock:
            variant = self.variants[change["VariantName"]]
            for kind in ("Weight", "InstanceCount"):
                value = change.get(f"Desired{kind}")
                if value is not None:
                    variant[f"Desired{kind}"] = variant[f"Current{kind}"] = value

    def choose_server(self, variant: str | None) -> tuple[str, ModelServer, int]:
        """Choose who answers an invocation.

        Args:
            variant: The variant asked for, or None for one by weight.

        Returns:
            Name of the variant, its server, and its number of instances.

        Raises:
            LookupError: If the endpoint does not serve or has no such variant.
        """
        with self._lock:
            if self._fleet is None:
                raise LookupError(f"Endpoint {self.endpoint_name} is {self.endpoint_status}")
            if variant is None:
                names = list(self.variants)
                weights = [float(self.variants[name]["CurrentWeight"]) for name in names]
                variant = random.choices(names, weights)[0] if any(weights) else names[0]  # noqa: S311 - traffic, not secrets
            if variant not in self.variants:
                raise LookupError(f"Variant {variant} of endpoint {self.endpoint_name} not found")
            count = int(self.variants[variant].get("CurrentInstanceCount", 1))
            return variant, self._fleet.server(variant), max(count, 1)


def _excluded(request: Mapping[str, Any]) -> set[str]:
    listed = request.get("ExcludeRetainedVariantProperties") or []
    return {item["VariantPropertyType"] for item in listed}
