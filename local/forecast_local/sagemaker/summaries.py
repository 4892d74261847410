"""Variants in the shape of DescribeEndpoint."""

from collections.abc import Mapping
from typing import Any

from moto.core.utils import utcnow

from forecast_local.sagemaker.variant_limits import production_variants, shadow_variants

Variants = dict[str, dict[str, Any]]


def summary_of(variant: Mapping[str, Any], image: str) -> dict[str, Any]:
    """Return a variant with its initial size.

    Args:
        variant: The variant of the endpoint configuration.
        image: The image of its model.
    """
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
        summary["CurrentServerlessConfig"] = dict(variant["ServerlessConfig"])
        summary["DesiredServerlessConfig"] = dict(variant["ServerlessConfig"])
        return summary
    count = int(variant["InitialInstanceCount"])
    return {**summary, "CurrentInstanceCount": count, "DesiredInstanceCount": count}


def production_summaries(config: Mapping[str, Any], images: Mapping[str, str]) -> Variants:
    """Return the variants that answer, by name."""
    return {
        item["VariantName"]: summary_of(item, images[item["VariantName"]])
        for item in production_variants(config)
    }


def shadow_summaries(config: Mapping[str, Any], images: Mapping[str, str]) -> Variants:
    """Return the variants that get copies, by name."""
    return {
        item["VariantName"]: summary_of(item, images[item["VariantName"]])
        for item in shadow_variants(config)
    }


def retain(new: Variants, old: Mapping[str, Mapping[str, Any]], request: Mapping[str, Any]) -> None:
    """Put what ``RetainAllVariantProperties`` keeps of the old variants into the new ones.

    Args:
        new: The variants of the new configuration; changed in place.
        old: The variants as they are.
        request: Parameters of UpdateEndpoint.
    """
    if not request.get("RetainAllVariantProperties"):
        return
    listed = request.get("ExcludeRetainedVariantProperties") or []
    excluded = {item["VariantPropertyType"] for item in listed}
    for name, summary in new.items():
        for kind in ("InstanceCount", "Weight"):
            desired = f"Desired{kind}"
            if desired not in excluded and desired in old.get(name, {}):
                summary[desired] = summary[f"Current{kind}"] = old[name][desired]


def counts_of(variants: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return the instances of the variants that have some."""
    return {
        name: int(summary["DesiredInstanceCount"])
        for name, summary in variants.items()
        if "DesiredInstanceCount" in summary
    }


def rollout_counts(variants: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return what the steps of a rollout are counted in: instances, at least one a variant."""
    known = counts_of(variants)
    return {name: max(known.get(name, 1), 1) for name in variants}


def capture_summary(capture: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return ``DataCaptureConfig`` in the shape of DescribeEndpoint."""
    if capture is None:
        return None
    enabled = bool(capture.get("EnableCapture", True))
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
        "DestinationS3Uri": capture["DestinationS3Uri"],
        "KmsKeyId": capture.get("KmsKeyId", ""),
    }
