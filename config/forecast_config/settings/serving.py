"""How the model is packed and answers: the same in every environment."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from forecast_config.settings.base import Settings


class ServingSettings(Settings):
    """What packaging does with the model, and how its code answers.

    It holds for all environments: the archive proven in one is the archive that runs in the next.
    """

    compile: Literal["none", "onnx"] = "none"
    """Whether the model is converted to ONNX; the original is kept unless the answers agree."""

    compile_relative_tolerance: Annotated[float, Field(gt=0, lt=1)] = 1e-4
    """Relative difference allowed between the answers of the original and the compiled model."""

    compile_absolute_tolerance: Annotated[float, Field(ge=0)] = 1e-6
    """Absolute difference allowed besides, in the unit of the output."""

    codec: Literal["standard", "fast"] = "standard"
    """The JSON reader and writer: Python's own, or msgspec, which travels in the archive."""

    row_errors: Literal["refuse_request", "report_rows"] = "refuse_request"
    """Whether one wrong row refuses its request, or gets an error in place of its prediction."""

    model_data: Literal["auto", "archive", "prefix"] = "auto"
    """How an instance fetches the model: model.tar.gz, single files, or what is faster."""
