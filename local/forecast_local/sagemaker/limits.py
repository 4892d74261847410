"""The limits of SageMaker hosting that its API enforces and its request model does not state.

Sources: the pages of CreateEndpointConfig, CreateEndpoint, UpdateEndpoint, BlueGreenUpdatePolicy,
RollingUpdatePolicy, TrafficRoutingConfig and VariantProperty in the SageMaker API reference.
"""

import math
from collections.abc import Mapping
from typing import Any

from moto.sagemaker.exceptions import ValidationError

from forecast_local import shapes

MAX_VARIANTS = 10
CANARY_PERCENT = (0, 50)
LINEAR_PERCENT = (10, 50)
ROLLING_PERCENT = (5, 50)
_SERVERLESS_STEP_MIB = 1024
_DEFAULT_EXECUTION_SECONDS = 28800
# A list and no set: a variant's values may be objects, which have no hash.
_SOLD_NOT_ENUMERATED = ["ml.t3.medium", "ml.t3.large", "ml.t3.xlarge", "ml.t3.2xlarge"]


def check_shape(operation: str, request: Mapping[str, Any]) -> None:
    """Refuse a request that violates lengths, ranges, patterns or enumerations of the API.

    Instance types that AWS sells for hosting but does not enumerate pass: whether its API takes
    them is not known here.
    """
    checked = dict(request)
    if "ProductionVariants" in checked:
        checked["ProductionVariants"] = [
            {key: value for key, value in variant.items() if value not in _SOLD_NOT_ENUMERATED}
            for variant in checked["ProductionVariants"]
        ]
    message = shapes.constraint_error("sagemaker", operation, checked)
    if message is not None:
        raise ValidationError(message=message)


def check_container(request: Mapping[str, Any]) -> None:
    """Refuse a model that is not one container with one archive or one prefix of files."""
    containers = request.get("Containers") or []
    if len(containers) > 1 or bool(containers) == ("PrimaryContainer" in request):
        raise ValidationError(
            message="the local AWS runs exactly one container for a model: give PrimaryContainer, "
            "or Containers with one member"
        )
    container = containers[0] if containers else request["PrimaryContainer"]
    if "Image" not in container:
        raise ValidationError(message="the local AWS needs a model with an Image")
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if (source is None) == ("ModelDataUrl" not in container):
        raise ValidationError(message="A container needs either ModelDataUrl or ModelDataSource.")
    _check_model_data_source(source)


def _check_model_data_source(source: Mapping[str, Any] | None) -> None:
    """Refuse what S3ModelDataSource of the API reference excludes, and what is not run here."""
    kind = None if source is None else (source["S3DataType"], source["CompressionType"])
    if kind not in {None, ("S3Object", "Gzip"), ("S3Prefix", "None")}:
        raise ValidationError(
            message="the local AWS reads model data of S3DataType S3Object and CompressionType "
            f"Gzip, or of S3Prefix and None, got {kind}"
        )
    if source is not None and (kind == ("S3Prefix", "None")) != source["S3Uri"].endswith("/"):
        raise ValidationError(
            message=f"S3Uri: a prefix ends with a forward slash and an object does not, got "
            f"{source['S3Uri']} for S3DataType {source['S3DataType']}"
        )


def check_variants(request: Mapping[str, Any]) -> None:
    """Refuse production variants that cannot be deployed."""
    variants = request["ProductionVariants"]
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) != len(names):
        raise ValidationError(message=f"Duplicate variant names in {names}.")
    if len(variants) > MAX_VARIANTS:
        raise ValidationError(message=f"At most {MAX_VARIANTS} variants, got {len(variants)}.")
    if request.get("ShadowProductionVariants"):
        raise ValidationError(message="the local AWS has no shadow variants")
    if request.get("AsyncInferenceConfig"):
        raise ValidationError(message="the local AWS has no asynchronous inference")
    for variant in variants:
        _check_variant(variant)
        if "ServerlessConfig" in variant and _captures(request):
            raise ValidationError(message="Data capture is not supported for serverless endpoints.")


def _check_variant(variant: Mapping[str, Any]) -> None:
    name = variant["VariantName"]
    if "ServerlessConfig" in variant:
        memory = int(variant["ServerlessConfig"]["MemorySizeInMB"])
        if memory % _SERVERLESS_STEP_MIB:
            raise ValidationError(
                message=f"MemorySizeInMB of variant {name} must be a multiple of "
                f"{_SERVERLESS_STEP_MIB}, got {memory}."
            )
        if "InstanceType" in variant or "InitialInstanceCount" in variant:
            raise ValidationError(
                message=f"Variant {name} has both ServerlessConfig and instances."
            )
        return
    for key in ("InstanceType", "InitialInstanceCount"):
        if key not in variant:
            raise ValidationError(message=f"{key} is required for the variant {name}.")


def _captures(request: Mapping[str, Any]) -> bool:
    return bool(request.get("DataCaptureConfig", {}).get("EnableCapture", False))


def exclusion_error(request: Mapping[str, Any]) -> str | None:
    """Return why ``ExcludeRetainedVariantProperties`` is refused, or None when it is not."""
    listed = request.get("ExcludeRetainedVariantProperties") or []
    if all(item["VariantPropertyType"] != "DataCaptureConfig" for item in listed):
        return None
    return (
        "VariantPropertyType DataCaptureConfig is not currently supported in "
        "ExcludeRetainedVariantProperties."
    )


def check_deployment(deployment: Mapping[str, Any] | None, counts: Mapping[str, int]) -> None:
    """Refuse a deployment configuration that could not be carried out.

    Args:
        deployment: ``DeploymentConfig`` of the request.
        counts: Instances of each variant that will be replaced.
    """
    if deployment is None:
        return
    blue_green = deployment.get("BlueGreenUpdatePolicy")
    rolling = deployment.get("RollingUpdatePolicy")
    if blue_green is not None and rolling is not None:
        raise ValidationError(
            message="You can specify either BlueGreenUpdatePolicy or RollingUpdatePolicy, not both."
        )
    if blue_green is not None:
        _check_blue_green(blue_green, counts)
    if rolling is not None:
        _check_rolling(rolling, counts)


def _check_blue_green(policy: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    routing = policy["TrafficRoutingConfiguration"]
    kind, wait = routing["Type"], int(routing["WaitIntervalInSeconds"])
    steps = {"CANARY": ("CanarySize", CANARY_PERCENT), "LINEAR": ("LinearStepSize", LINEAR_PERCENT)}
    for step_kind, (key, limits) in steps.items():
        if kind == step_kind and key not in routing:
            raise ValidationError(message=f"{key} is required for traffic routing of type {kind}.")
        if kind != step_kind and key in routing:
            raise ValidationError(message=f"{key} is not allowed for traffic routing {kind}.")
        if kind == step_kind:
            _check_capacity(key, routing[key], limits, counts)
    termination = int(policy.get("TerminationWaitInSeconds", 0))
    _check_duration(policy, wait + termination)


def _check_rolling(policy: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    _check_capacity("MaximumBatchSize", policy["MaximumBatchSize"], ROLLING_PERCENT, counts)
    _check_duration(policy, int(policy["WaitIntervalInSeconds"]))


def _check_duration(policy: Mapping[str, Any], waits: int) -> None:
    limit = int(policy.get("MaximumExecutionTimeoutInSeconds", _DEFAULT_EXECUTION_SECONDS))
    if limit <= waits:
        raise ValidationError(
            message=f"MaximumExecutionTimeoutInSeconds {limit} must be larger than the sum of the "
            f"waiting times {waits}."
        )


def _check_capacity(
    key: str, size: Mapping[str, Any], limits: tuple[int, int], counts: Mapping[str, int]
) -> None:
    kind, value = size["Type"], int(size["Value"])
    low, high = limits
    if kind == "CAPACITY_PERCENT" and not low <= value <= high:
        raise ValidationError(
            message=f"{key} must be between {low} and {high} percent of the variant's capacity, "
            f"got {value}."
        )
    for variant, count in counts.items():
        instances = value if kind == "INSTANCE_COUNT" else math.ceil(count * value / 100)
        if instances * 100 > high * count:
            raise ValidationError(
                message=f"{key} of {value} ({kind}) is {instances} of the {count} instance(s) of "
                f"variant {variant}: more than {high} percent."
            )


def check_same_variants(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Refuse an update with a deployment policy that changes the names of the variants."""
    if set(old) != set(new):
        raise ValidationError(
            message=f"Variant names must be the same in both endpoint configurations, got "
            f"{sorted(old)} and {sorted(new)}."
        )
