"""The plan of an archive: everything that a snapshot says about how its model is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_config import LockedModel
from forecast_packaging.declarations.example import choose_example
from forecast_packaging.declarations.schema import build_feature_schema, signature_digest
from forecast_packaging.declarations.serving import SERVING_FILE, read_serving
from forecast_packaging.declarations.signature import read_mlmodel
from forecast_packaging.errors import ModelError
from forecast_packaging.formats.flavors import ServedModel, choose_served_model
from forecast_packaging.libraries.requirements import read_pins, serving_pins
from forecast_packaging.registry.snapshot import ARTIFACTS_FOLDER, MODEL_FOLDER, Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MADE_ARTIFACTS = (
    "expected_output.json",
    "feature_schema.json",
    "input_example.json",
    "metrics.json",
)
"""Files below `artifacts/` that packaging makes, so that a run cannot log them."""


@dataclass(frozen=True)
class ArchivePlan:
    """What goes into an archive, apart from the runtime.

    Attributes:
        served: The model file and how it is read.
        schema: The feature schema.
        example: The request that proves the archive.
        metrics: The run's metrics.
        pins: The libraries that the model was logged with; None where no version is pinned.
        libraries: Versions of Python and of what the container must have, as far as they are
            known before the model is loaded.
        artifacts: The other files of the run by their path in the archive.
        data_version: Version of the training data.
        code_reference: Code that trained the model.
    """

    served: ServedModel
    schema: Mapping[str, Any]
    example: Mapping[str, Any]
    metrics: Mapping[str, float | None]
    pins: Mapping[str, str | None]
    libraries: Mapping[str, str]
    artifacts: Mapping[str, Path]
    data_version: str | None
    code_reference: str | None


def plan_archive(snapshot: Snapshot) -> ArchivePlan:
    """The plan that a snapshot makes.

    Raises:
        ModelError: The model cannot be served as it was logged; the message says what to log.
    """
    model = read_mlmodel(snapshot.folder / MODEL_FOLDER)
    serving = read_serving(snapshot.folder)
    schema = build_feature_schema(model, serving)
    served = choose_served_model(snapshot, model)
    pins = read_pins(snapshot.folder / MODEL_FOLDER / "requirements.txt")
    needed = serving_pins(pins, served, dataframe=served.inputs == ("dataframe",))
    return ArchivePlan(
        served=served,
        schema=schema,
        example=choose_example(snapshot, model, serving),
        metrics=snapshot.run["metrics"],
        pins=pins,
        libraries={"python": model.python_version, **needed},
        artifacts=_other_artifacts(snapshot),
        data_version=snapshot.run["data_version"],
        code_reference=snapshot.run["code_reference"],
    )


def lock_of(
    snapshot: Snapshot,
    plan: ArchivePlan,
    *,
    name: str,
    version: str,
    run_id: str,
    alias: str | None,
) -> LockedModel:
    """The lock entry of a version."""
    return LockedModel(
        name=name,
        version=version,
        alias=alias,
        run_id=run_id,
        model_digest=snapshot.digest,
        signature_digest=signature_digest(plan.schema),
        libraries=dict(plan.libraries),
        data_version=plan.data_version,
        code_reference=plan.code_reference,
    )


def _other_artifacts(snapshot: Snapshot) -> dict[str, Path]:
    paths = sorted(
        path
        for path in snapshot.paths
        if path.startswith(f"{ARTIFACTS_FOLDER}/") and path != SERVING_FILE
    )
    for made in MADE_ARTIFACTS:
        if f"{ARTIFACTS_FOLDER}/{made}" in paths:
            raise ModelError(
                f"the run logged artifacts/{made}, which packaging makes: log it by another name"
            )
    return {path: snapshot.folder / path for path in paths}
