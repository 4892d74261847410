"""Compilation: the model converted to ONNX, kept only when it answers as the original does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_packaging.building.sandbox import run_in_sandbox
from forecast_packaging.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forecast_config.settings import ServingSettings

TIMEOUT_SECONDS = 1800
"""How long a conversion and its comparison may take, in seconds."""


@dataclass(frozen=True)
class Compilation:
    """The outcome of a compilation; it replaces the whole model or nothing of it.

    The compiled model takes an array, runs no code when it is loaded, and needs ONNX Runtime only.

    Attributes:
        report: What was done, or why it was not; `accepted` says whether the model is kept.
        models: The files' entries of `model-info.json`; empty unless it is.
        files: The files by their path in the archive.
        libraries: Versions of what reads them, by distribution.
    """

    report: Mapping[str, Any]
    models: list[dict[str, Any]]
    files: Mapping[str, Path]
    libraries: dict[str, str]


def compile_bundle(
    stage_folder: Path, scratch: Path, serving: ServingSettings
) -> Compilation | None:
    """The model of an archive that answers, compiled as the settings ask.

    Args:
        stage_folder: The archive's content, `model-info.json` with it.
        scratch: An existing folder; the compiled files stay in it.
        serving: Whether to compile, and how far the answers may differ.

    Returns:
        None when no compilation is asked for.

    Raises:
        ContractError: This environment lacks what compiles, or the process failed.
    """
    if serving.compile == "none":
        return None
    target = scratch / "compiled"
    target.mkdir()
    task = {
        "do": "compile",
        "root": str(stage_folder.absolute()),
        "target": str(target.absolute()),
        "relative": serving.compile_relative_tolerance,
        "absolute": serving.compile_absolute_tolerance,
        "libraries": {},
    }
    try:
        result = run_in_sandbox(task, scratch, TIMEOUT_SECONDS)
    except ContractError as error:
        raise ContractError(f"the model cannot be compiled: {error}") from None
    models = result["models"]
    version = result["report"]["libraries"]["onnxruntime"]
    return Compilation(
        report=result["report"],
        models=models,
        files={entry["file"]: target / entry["file"] for entry in models},
        libraries={"onnxruntime": version} if models else {},
    )
