"""An endpoint as a template describes it: its mode, its variants, and which of them scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Template = dict[str, Any]
Mode = Literal["realtime", "serverless", "async"]

ENDPOINT = "AWS::SageMaker::Endpoint"
ENDPOINT_CONFIG = "AWS::SageMaker::EndpointConfig"
SCALABLE_TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
SCALING_POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"

_UPDATE_POLICIES = ("BlueGreenUpdatePolicy", "RollingUpdatePolicy")


@dataclass(frozen=True)
class Hosted:
    """An endpoint in a template.

    Attributes:
        logical_id: Its logical id.
        name: The name that clients call.
        mode: How it serves.
        variants: Instance type by name of each production variant; None for serverless.
        warm: Names of the serverless variants with provisioned concurrency.
        scaled: Names of the variants with a scalable target.
        guarded: Whether it changes by a blue/green or rolling policy.
        weights: Weight in the template by name of each production variant.
        keeps_weights: Whether an update keeps the weights that were there before it.
        shadows: Names of the shadow variants.
    """

    logical_id: str
    name: str
    mode: Mode
    variants: Mapping[str, str | None]
    warm: frozenset[str]
    scaled: frozenset[str]
    guarded: bool
    weights: Mapping[str, float]
    keeps_weights: bool
    shadows: frozenset[str]


def hosted_in(template: Template) -> Hosted | None:
    """The endpoint of a template; None when it has none whose configuration is in it too."""
    for logical_id, endpoint in resources_of(template, ENDPOINT):
        properties = endpoint.get("Properties", {})
        config_id = referred_id(properties.get("EndpointConfigName"))
        config = template["Resources"].get(config_id, {}).get("Properties")
        if config is None:
            continue
        name = properties.get("EndpointName")
        policies = properties.get("DeploymentConfig", {})
        return Hosted(
            logical_id=logical_id,
            name=str(name),
            **_described(config),
            scaled=frozenset(
                variant
                for _, target in resources_of(template, SCALABLE_TARGET)
                if (variant := scaled_variant(target, str(name))) is not None
            ),
            guarded=any(policy in policies for policy in _UPDATE_POLICIES),
            keeps_weights=_keeps_weights(properties),
        )
    return None


def serving(hosted: Hosted, configuration: Mapping[str, Any]) -> Hosted:
    """An endpoint of a template that serves another configuration than the template's.

    Args:
        hosted: The endpoint in the template.
        configuration: The answer of DescribeEndpointConfig, whose members are called as those of
            `AWS::SageMaker::EndpointConfig`.
    """
    return replace(hosted, **_described(configuration))


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


def _described(config: Mapping[str, Any]) -> dict[str, Any]:
    variants = config["ProductionVariants"]
    return {
        "mode": mode_of(config),
        "variants": {each["VariantName"]: each.get("InstanceType") for each in variants},
        "warm": frozenset(
            each["VariantName"]
            for each in variants
            if each.get("ServerlessConfig", {}).get("ProvisionedConcurrency")
        ),
        "weights": {each["VariantName"]: each.get("InitialVariantWeight", 1) for each in variants},
        "shadows": frozenset(
            each["VariantName"] for each in config.get("ShadowProductionVariants") or ()
        ),
    }


def _keeps_weights(properties: Mapping[str, Any]) -> bool:
    excluded = properties.get("ExcludeRetainedVariantProperties", ())
    return bool(properties.get("RetainAllVariantProperties")) and not any(
        each["VariantPropertyType"] == "DesiredWeight" for each in excluded
    )
