"""The limits of the variants of an endpoint configuration, by the mode that they serve in.

Sources: SageMaker API reference, CreateEndpointConfig and ProductionVariantServerlessConfig;
SageMaker developer guide, "Deploy models with Amazon SageMaker Serverless Inference" (feature
exclusions), "Shadow variants" and "Asynchronous inference".
"""

from collections.abc import Mapping
from typing import Any

from moto.sagemaker.exceptions import ValidationError

MAX_VARIANTS = 10
MAX_SERVERLESS_CONCURRENCY = 200
_SERVERLESS_STEP_MIB = 1024
_INFERENTIA_1 = "ml.inf1."

Request = Mapping[str, Any]


def production_variants(config: Request) -> list[dict[str, Any]]:
    """Return the variants that answer."""
    return list(config["ProductionVariants"])


def shadow_variants(config: Request) -> list[dict[str, Any]]:
    """Return the variants that get copies of requests."""
    return list(config.get("ShadowProductionVariants") or [])


def all_variants(config: Request) -> list[dict[str, Any]]:
    """Return every variant that a model server runs for."""
    return [*production_variants(config), *shadow_variants(config)]


def is_serverless(config: Request) -> bool:
    """Whether a variant has no instances of its own."""
    return any("ServerlessConfig" in variant for variant in all_variants(config))


def is_async(config: Request) -> bool:
    """Whether requests are answered by way of S3."""
    return bool(config.get("AsyncInferenceConfig"))


def serving_mode(config: Request) -> str:
    """Return ``serverless``, ``async`` or ``realtime``."""
    if is_serverless(config):
        return "serverless"
    return "async" if is_async(config) else "realtime"


def falls_back(config: Request) -> bool:
    """Whether instances exclude deployment policies, so that all traffic moves at once.

    SageMaker developer guide, "Deployment guardrails: Exclusions".
    """
    return any(
        str(variant.get("InstanceType", "")).startswith(_INFERENTIA_1)
        for variant in all_variants(config)
    )


def check_variants(request: Request) -> None:
    """Refuse variants that cannot be deployed, alone or beside each other."""
    variants = all_variants(request)
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) != len(names):
        raise ValidationError(message=f"Duplicate variant names in {names}.")
    if len(variants) > MAX_VARIANTS:
        raise ValidationError(message=f"At most {MAX_VARIANTS} variants, got {len(variants)}.")
    for variant in variants:
        _check_capacity(variant)
    if is_serverless(request):
        _check_serverless(request)
    if is_async(request):
        _check_async(request)
    if shadow_variants(request):
        _check_shadow(request)


def check_serverless_model(variant: Request, model: Request) -> None:
    """Refuse a model that a serverless variant cannot run.

    Args:
        variant: The variant.
        model: Request that created its model.
    """
    if "ServerlessConfig" not in variant:
        return
    for key, text in (
        ("VpcConfig", "VPC configuration"),
        ("EnableNetworkIsolation", "Network isolation"),
    ):
        if model.get(key):
            raise ValidationError(
                message=f"{text} is not supported for serverless endpoints, got it for model "
                f"{model['ModelName']} of variant {variant['VariantName']}."
            )


def _check_capacity(variant: Request) -> None:
    name = variant["VariantName"]
    if "ServerlessConfig" in variant:
        _check_serverless_capacity(name, variant)
        return
    for key in ("InstanceType", "InitialInstanceCount"):
        if key not in variant:
            raise ValidationError(message=f"{key} is required for the variant {name}.")


def _check_serverless_capacity(name: str, variant: Request) -> None:
    settings = variant["ServerlessConfig"]
    memory = int(settings["MemorySizeInMB"])
    if memory % _SERVERLESS_STEP_MIB:
        raise ValidationError(
            message=f"MemorySizeInMB of variant {name} must be a multiple of "
            f"{_SERVERLESS_STEP_MIB}, got {memory}."
        )
    for key in ("InstanceType", "InitialInstanceCount", "VolumeSizeInGB"):
        if key in variant:
            raise ValidationError(
                message=f"Variant {name} has both ServerlessConfig and instances: {key}."
            )
    highest = int(settings["MaxConcurrency"])
    if highest > MAX_SERVERLESS_CONCURRENCY:
        raise ValidationError(
            message=f"MaxConcurrency of variant {name} must be at most "
            f"{MAX_SERVERLESS_CONCURRENCY}, got {highest}."
        )
    provisioned = int(settings.get("ProvisionedConcurrency", 0))
    if provisioned > highest:
        raise ValidationError(
            message=f"ProvisionedConcurrency of variant {name} must be at most its MaxConcurrency "
            f"{highest}, got {provisioned}."
        )


def _check_serverless(request: Request) -> None:
    if len(all_variants(request)) > 1:
        raise ValidationError(
            message="Multiple variants are not supported for serverless endpoints."
        )
    if bool(request.get("DataCaptureConfig", {}).get("EnableCapture", False)):
        raise ValidationError(message="Data capture is not supported for serverless endpoints.")
    for key in ("KmsKeyId", "VpcConfig", "AsyncInferenceConfig"):
        if request.get(key):
            raise ValidationError(message=f"{key} is not supported for serverless endpoints.")


def _check_async(request: Request) -> None:
    if len(production_variants(request)) > 1:
        raise ValidationError(
            message="Asynchronous inference supports exactly one production variant, got "
            f"{len(production_variants(request))}."
        )
    output = request["AsyncInferenceConfig"]["OutputConfig"]
    for key in ("S3OutputPath", "S3FailurePath"):
        if key in output and not str(output[key]).startswith(("s3://", "https://")):
            raise ValidationError(message=f"{key} must be an S3 URI, got {output[key]}.")


def _check_shadow(request: Request) -> None:
    production, shadows = production_variants(request), shadow_variants(request)
    if len(production) != 1 or len(shadows) != 1:
        raise ValidationError(
            message="A shadow variant needs exactly one production variant and one shadow variant, "
            f"got {len(production)} and {len(shadows)}."
        )
    if is_serverless(request) or is_async(request) or falls_back(request):
        raise ValidationError(
            message="Shadow variants are supported for real-time endpoints only: not for "
            "serverless, asynchronous or Inf1 endpoints."
        )
