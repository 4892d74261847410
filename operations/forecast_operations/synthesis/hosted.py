"""An endpoint as a template describes it: its mode, its variants, and which of them scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from forecast_operations.synthesis.templates import flatten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Template = dict[str, Any]
Mode = Literal["realtime", "serverless", "async"]

ENDPOINT = "AWS::SageMaker::Endpoint"
ENDPOINT_CONFIG = "AWS::SageMaker::EndpointConfig"
SCALABLE_TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
SCALING_POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"

_UPDATE_POLICIES = ("BlueGreenUpdatePolicy", "RollingUpdatePolicy")

Retained = Literal["DesiredWeight", "DesiredInstanceCount"]
"""What an update may keep of a variant, as `ExcludeRetainedVariantProperties` calls it."""


@dataclass(frozen=True)
class Hosted:
    """An endpoint in a template.

    Attributes:
        logical_id: Its logical id.
        name: The name that clients call.
        properties: Its properties.
        config: The properties of its configuration, or the answer of DescribeEndpointConfig, whose
            members are called the same.
        scaled: Names of the variants with a scalable target.
    """

    logical_id: str
    name: str
    properties: Mapping[str, Any]
    config: Mapping[str, Any]
    scaled: frozenset[str]

    @property
    def mode(self) -> Mode:
        """How it serves."""
        return mode_of(self.config)

    @property
    def variants(self) -> dict[str, str | None]:
        """Instance type by name of each production variant; None for serverless."""
        return {each["VariantName"]: each.get("InstanceType") for each in self._production}

    @property
    def warm(self) -> frozenset[str]:
        """Names of the serverless variants with provisioned concurrency."""
        return frozenset(
            each["VariantName"]
            for each in self._production
            if each.get("ServerlessConfig", {}).get("ProvisionedConcurrency")
        )

    @property
    def weights(self) -> dict[str, float]:
        """Weight in its configuration by name of each production variant."""
        return {
            each["VariantName"]: each.get("InitialVariantWeight", 1) for each in self._production
        }

    @property
    def shadows(self) -> frozenset[str]:
        """Names of the shadow variants."""
        shadows = self.config.get("ShadowProductionVariants") or ()
        return frozenset(each["VariantName"] for each in shadows)

    @property
    def deployment_config(self) -> Mapping[str, Any]:
        """How it changes: policy, alarms; nothing where it changes all at once and unguarded."""
        found: Mapping[str, Any] = self.properties.get("DeploymentConfig", {})
        return found

    @property
    def guarded(self) -> bool:
        """Whether it changes by a blue/green or rolling policy."""
        return any(policy in self.deployment_config for policy in _UPDATE_POLICIES)

    @property
    def rollback_alarms(self) -> tuple[str, ...]:
        """Names of the alarms that undo a rollout."""
        rollback = self.deployment_config.get("AutoRollbackConfiguration", {})
        return tuple(flatten(each["AlarmName"]) for each in rollback.get("Alarms", ()))

    @property
    def timeout_seconds(self) -> int | None:
        """Time after which a rollout that has not ended is undone; None without a policy."""
        for policy in _UPDATE_POLICIES:
            limit = self.deployment_config.get(policy, {}).get("MaximumExecutionTimeoutInSeconds")
            if limit is not None:
                return int(limit)
        return None

    def keeps(self, what: Retained) -> bool:
        """Whether an update keeps what there was of each variant before it."""
        excluded = self.properties.get("ExcludeRetainedVariantProperties") or ()
        return bool(self.properties.get("RetainAllVariantProperties")) and not any(
            each["VariantPropertyType"] == what for each in excluded
        )

    @property
    def _production(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.config["ProductionVariants"]
        return found


def hosted_in(template: Template | None) -> Hosted | None:
    """The endpoint of a template; None when it has none whose configuration is in it too."""
    if template is None:
        return None
    for logical_id, endpoint in resources_of(template, ENDPOINT):
        properties = endpoint.get("Properties", {})
        config_id = referred_id(properties.get("EndpointConfigName"))
        config = template["Resources"].get(config_id, {}).get("Properties")
        if config is None:
            continue
        name = str(properties.get("EndpointName"))
        scaled = (scaled_variant(each, name) for _, each in resources_of(template, SCALABLE_TARGET))
        return Hosted(
            logical_id=logical_id,
            name=name,
            properties=properties,
            config=config,
            scaled=frozenset(variant for variant in scaled if variant is not None),
        )
    return None


def serving(hosted: Hosted, configuration: Mapping[str, Any]) -> Hosted:
    """An endpoint of a template that serves another configuration than the template's.

    Args:
        hosted: The endpoint in the template.
        configuration: The answer of DescribeEndpointConfig.
    """
    return replace(hosted, config=configuration)


def resources_of(template: Template, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Logical id and definition of each resource of a type."""
    for logical_id, resource in template.get("Resources", {}).items():
        if resource.get("Type") == kind:
            yield logical_id, resource


def scaled_variant(target: Mapping[str, Any], endpoint_name: str) -> str | None:
    """Name of the variant that a scalable target scales; None when it is of another endpoint."""
    resource_id = target.get("Properties", {}).get("ResourceId")
    prefix = f"endpoint/{endpoint_name}/variant/"
    if isinstance(resource_id, str) and resource_id.startswith(prefix):
        return resource_id.removeprefix(prefix)
    return None


def referred_id(value: Any) -> str | None:
    """Logical id that a `Ref` or `Fn::GetAtt` names; None for anything else."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    if "Ref" in value:
        return str(value["Ref"])
    attribute = value.get("Fn::GetAtt")
    if isinstance(attribute, str):
        return attribute.partition(".")[0]
    return str(attribute[0]) if attribute else None


def mode_of(config: Mapping[str, Any]) -> Mode:
    """How a configuration serves.

    Args:
        config: The answer of DescribeEndpointConfig, or the properties of its resource.
    """
    if config.get("AsyncInferenceConfig") is not None:
        return "async"
    serverless = any("ServerlessConfig" in variant for variant in config["ProductionVariants"])
    return "serverless" if serverless else "realtime"
