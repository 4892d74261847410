"""The plan of an archive: everything that a snapshot says about how its model is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_config import LockedModel
from forecast_packaging.declarations.example import choose_example
from forecast_packaging.declarations.profile import read_profile
from forecast_packaging.declarations.schema import build_feature_schema, signature_digest
from forecast_packaging.declarations.serving import SERVING_FILE, read_serving
from forecast_packaging.declarations.signature import read_mlmodel
from forecast_packaging.errors import ModelError
from forecast_packaging.formats.choose import choose_parts
from forecast_packaging.libraries.requirements import read_pins, serving_pins
from forecast_packaging.publishing.clients import CLIENTS_FOLDER
from forecast_packaging.registry.snapshot import ARTIFACTS_FOLDER, MODEL_FOLDER, Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forecast_packaging.formats.parts import ServedBundle
    from forecast_packaging.manifest import FileEntry

MADE_ARTIFACTS = (
    "compilation.json",
    "feature_schema.json",
    "golden_requests.json",
    "input_example.json",
    "metrics.json",
    "openapi.json",
)
"""Files below `artifacts/` that packaging makes, so that a run cannot log them."""


@dataclass(frozen=True)
class ArchivePlan:
    """What goes into an archive, apart from the runtime.

    Attributes:
        bundle: The model files and how they are read.
        schema: The feature schema.
        example: The request that proves the archive.
        metrics: The run's metrics.
        pins: The libraries that the model was logged with; None where no version is pinned.
        libraries: Versions of Python and of what the container must have, as far as they are
            known before the model is loaded.
        artifacts: The other files of the run by their path in the archive.
        entries: What is known of every file of the snapshot, by its place on disk.
        data_version: Version of the training data.
        code_reference: Code that trained the model.
        trained_at: When its run began, in UTC; None where that was not noted.
    """

    bundle: ServedBundle
    schema: Mapping[str, Any]
    example: Mapping[str, Any]
    metrics: Mapping[str, float | None]
    pins: Mapping[str, str | None]
    libraries: Mapping[str, str]
    artifacts: Mapping[str, Path]
    entries: Mapping[Path, FileEntry]
    data_version: str | None
    code_reference: str | None
    trained_at: str | None


def plan_archive(snapshot: Snapshot) -> ArchivePlan:
    """The plan that a snapshot makes.

    Raises:
        ModelError: The model cannot be served as it was logged; the message says what to log.
    """
    model = read_mlmodel(snapshot.folder / MODEL_FOLDER)
    declared = read_serving(snapshot.folder)
    schema = build_feature_schema(model, declared, read_profile(snapshot.folder))
    bundle = choose_parts(snapshot, model, declared, schema["columns"])
    pins = read_pins(snapshot.folder / MODEL_FOLDER / "requirements.txt")
    needed = serving_pins(pins, bundle, dataframe=bundle.inputs == ("dataframe",))
    return ArchivePlan(
        bundle=bundle,
        schema=schema,
        example=choose_example(snapshot, model, declared),
        metrics=snapshot.run["metrics"],
        pins=pins,
        libraries={"python": model.python_version, **needed},
        artifacts=_other_artifacts(snapshot, {part.source for part in bundle.parts}),
        entries={snapshot.folder / entry.path: entry for entry in snapshot.entries},
        data_version=snapshot.run["data_version"],
        code_reference=snapshot.run["code_reference"],
        trained_at=snapshot.run.get("trained_at"),
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
        runs_code_on_load=plan.bundle.runs_code,
        cloudpickled=plan.bundle.cloudpickled,
        formats=sorted(plan.bundle.flavors),
        data_version=plan.data_version,
        code_reference=plan.code_reference,
        trained_at=plan.trained_at,
    )


def _other_artifacts(snapshot: Snapshot, served: set[Path]) -> dict[str, Path]:
    """What else the run logged; a model file is packed once, where models are."""
    paths = sorted(
        path
        for path in snapshot.paths
        if path.startswith(f"{ARTIFACTS_FOLDER}/")
        and path != SERVING_FILE
        and snapshot.folder / path not in served
    )
    for path in paths:
        if path.removeprefix(f"{ARTIFACTS_FOLDER}/") in MADE_ARTIFACTS or path.startswith(
            f"{CLIENTS_FOLDER}/"
        ):
            raise ModelError(
                f"the run logged {path}, which packaging makes: log it by another name"
            )
    return {path: snapshot.folder / path for path in paths}
