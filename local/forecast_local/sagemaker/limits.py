"""The limits of a model and of a request's shape that SageMaker's API enforces.

Sources: the pages of CreateModel, UpdateEndpoint and VariantProperty in the SageMaker API
reference. Those of variants and of deployments have modules of their own.
"""

from collections.abc import Mapping
from typing import Any

from moto.sagemaker.exceptions import ValidationError

from forecast_local import shapes

# A list and no set: a variant's values may be objects, which have no hash.
_SOLD_NOT_ENUMERATED = ["ml.t3.medium", "ml.t3.large", "ml.t3.xlarge", "ml.t3.2xlarge"]


def check_shape(operation: str, request: Mapping[str, Any]) -> None:
    """Refuse a request that violates lengths, ranges, patterns or enumerations of the API.

    Instance types that AWS sells for hosting but does not enumerate pass: whether its API takes
    them is not known here.
    """
    checked = dict(request)
    for kind in ("ProductionVariants", "ShadowProductionVariants"):
        if kind in checked:
            checked[kind] = [
                {key: value for key, value in variant.items() if value not in _SOLD_NOT_ENUMERATED}
                for variant in checked[kind]
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


def exclusion_error(request: Mapping[str, Any]) -> str | None:
    """Return why ``ExcludeRetainedVariantProperties`` is refused, or None when it is not."""
    listed = request.get("ExcludeRetainedVariantProperties") or []
    if all(item["VariantPropertyType"] != "DataCaptureConfig" for item in listed):
        return None
    return (
        "VariantPropertyType DataCaptureConfig is not currently supported in "
        "ExcludeRetainedVariantProperties."
    )
