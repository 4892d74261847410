"""Tags that say which model version, run, data and code a resource was made from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aws_cdk import Tags

if TYPE_CHECKING:
    from constructs import IConstruct

    from forecast_config.packaged import PackagedModel

TAG_VALUE_LIMIT = 256
"""Characters of a tag's value (SageMaker API reference, Tag)."""

_NOT_ALLOWED = re.compile(r"[^\w .:/=+\-@]")


def lineage_tags(packaged_model: PackagedModel) -> dict[str, str]:
    """Lineage of a packed model as tags; what is not known is left out.

    Characters that a tag cannot hold become `-`, and a value is cut at 256 characters.
    """
    model = packaged_model.model
    lineage = {
        "model_name": model.name,
        "model_version": model.version,
        "run_id": model.run_id,
        "data_version": model.data_version,
        "code_reference": model.code_reference,
        "model_digest": model.model_digest,
        "archive_digest": packaged_model.archive_digest,
    }
    return {
        key: _NOT_ALLOWED.sub("-", value)[:TAG_VALUE_LIMIT]
        for key, value in lineage.items()
        if value is not None
    }


def tag_lineage(resource: IConstruct, packaged_model: PackagedModel) -> None:
    """Put a packed model's lineage on a resource."""
    for key, value in lineage_tags(packaged_model).items():
        Tags.of(resource).add(key, value)


def tag_challenger(resource: IConstruct, packaged_model: PackagedModel) -> None:
    """Put on a resource which model is compared with the one that its other tags tell of."""
    lineage = lineage_tags(packaged_model)
    for key in ("model_version", "run_id", "model_digest"):
        Tags.of(resource).add(f"challenger_{key}", lineage[key])
