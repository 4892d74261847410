"""Requirements: which of the libraries a model was logged with it needs to be served."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forecast_packaging.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forecast_packaging.formats.parts import ServedBundle


SAME_LIBRARY = {"xgboost-cpu": "xgboost"}
"""Distributions that are another one under a second name.

`xgboost-cpu` is `xgboost` without its GPU libraries and installs the same module; AWS's XGBoost
image knows it as `xgboost`, and pip would install the second name over the first.
"""

NOT_SERVED = frozenset(
    {"ipykernel", "ipython", "mlflow", "mlflow-skinny", "mlflow-tracing", "pytest", "rich", "skops"}
)
"""Distributions that MLflow lists because they were there at training; no model is made of them."""

_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:\[[A-Za-z0-9,._ -]*\])?\s*"
    r"==\s*(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*)"
)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def read_pins(path: Path) -> dict[str, str | None]:
    """The libraries in MLflow's `requirements.txt`: version by normalized name.

    Returns:
        Sorted by name; None for a library whose version the line does not pin.

    Raises:
        ModelError: No such file, a line that is a URL, a path or an option, or two versions of
            one library.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ModelError(
            "the model has no readable requirements.txt: log it with its pip requirements"
        ) from None
    pins: dict[str, str | None] = {}
    for line in lines:
        text = line.split(" #", 1)[0].strip()
        if text and not text.startswith("#"):
            _add(pins, text)
    return dict(sorted(pins.items()))


def serving_pins(
    pins: Mapping[str, str | None], served: ServedBundle, *, dataframe: bool
) -> dict[str, str]:
    """The exact versions that the container must have.

    A data file (XGBoost, LightGBM, CatBoost, ONNX) is read by its library alone, which brings what
    it needs itself; pinning more would make an AWS image replace its own numpy at start. A pickled
    model may hold objects of any library it was logged with: all but the tools around
    training are kept.

    Args:
        pins: What `read_pins` gave.
        served: The model files.
        dataframe: Whether the model is given a pandas DataFrame.

    Raises:
        ModelError: A library that is needed is missing, or its version is not pinned.
    """
    needed = {*served.libraries, "pandas"} if dataframe else set(served.libraries)
    if served.runs_code:
        needed.update(name for name in pins if name not in NOT_SERVED | served.unused)
    for name in sorted(needed):
        if pins.get(name) is None:
            given = "without an exact version" if name in pins else "not at all"
            raise ModelError(
                f"the model's requirements.txt names {name} {given}, expected {name}==<version>: "
                "log the model again with exact pip requirements"
            )
    return {name: str(pins[name]) for name in sorted(needed)}


def render(pins: dict[str, str]) -> bytes:
    """The content of `code/requirements.txt`."""
    return "".join(f"{name}=={version}\n" for name, version in sorted(pins.items())).encode()


def _add(pins: dict[str, str | None], text: str) -> None:
    match = _PIN.fullmatch(text)
    name = match["name"] if match else _unpinned_name(text)
    name = re.sub(r"[-_.]+", "-", name).lower()
    name = SAME_LIBRARY.get(name, name)
    version = match["version"] if match else None
    known = pins.get(name)
    if known is not None and version is not None and known != version:
        raise ModelError(
            f"the model's requirements.txt asks for {name} in two versions, {known} and {version}"
        )
    pins[name] = version if known is None else known


def _unpinned_name(text: str) -> str:
    match = _NAME.match(text)
    if text.startswith("-") or "/" in text or "@" in text or match is None:
        raise ModelError(
            f"the model's requirements.txt has the line {text!r}, expected <name>==<version>: log "
            "the model again with exact pip requirements"
        )
    return match[0]
