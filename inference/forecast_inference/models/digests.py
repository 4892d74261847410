"""Digests: a file of the archive is read only when its SHA-256 is the recorded one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from forecast_inference.errors import ArtifactError

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_inference.models.info import ModelInfo


def verify_file(model_dir: Path, name: str, info: ModelInfo) -> Path:
    """The path of a file of the archive whose SHA-256 is the recorded one.

    Raises:
        ArtifactError: the file is missing, lies outside the archive or is not the recorded one.
    """
    path = (model_dir / name).resolve()
    if not path.is_relative_to(model_dir.resolve()) or not path.is_file():
        raise ArtifactError(f"{name} is missing from the model archive")
    expected = info.digests.get(name)
    if expected is None:
        raise ArtifactError(f"model-info.json records no digest of {name}")
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != expected.removeprefix("sha256:"):
        raise ArtifactError(
            f"{name} has sha256 {found}, expected {expected}: the archive is damaged"
        )
    return path


def verify_data(model_dir: Path, info: ModelInfo) -> None:
    """Verify every recorded file of the model and its artifacts, the model's own files apart.

    ``load_model`` verifies those, which are digested only once so. The files of the code are left
    out: an image may compile them, and they run before they could be verified.

    Raises:
        ArtifactError: as ``verify_file``.
    """
    own = {model.file for model in info.models}
    for name in info.digests:
        if name.startswith(("artifacts/", "model/")) and name not in own:
            verify_file(model_dir, name, info)
