"""How a new project gets this library: the installed version, or wherever else it is."""

from __future__ import annotations

import re
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from forecast_config import ForecastError

DISTRIBUTION = "forecast-endpoint"
_EXTRAS = "local,models"
_ADDRESS = re.compile(r"^(https?|file|git\+[a-z]+)://\S+$")


def requirement_of(library: str | None) -> str:
    """The line of a requirements file that installs this library.

    Args:
        library: A folder or wheel, an address or a git reference; None pins the version that is
            installed here.

    Raises:
        ForecastError: It is none of these.
    """
    name = f"{DISTRIBUTION}[{_EXTRAS}]"
    if library is None:
        return f"{name}=={version(DISTRIBUTION)}"
    address = library
    if not _ADDRESS.match(library):
        path = Path(library).expanduser()
        if not path.exists():
            raise ForecastError(
                "--library: expected a folder or wheel that exists, an https address, or a git "
                f"reference such as git+https://example.com/forecast.git@v1, got '{library}'"
            )
        address = path.resolve().as_uri()
    line = f"{name} @ {address}"
    try:
        Requirement(line)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        raise ForecastError(f"--library: cannot be required as '{address}': {reason}") from None
    return line


def own_file(name: str) -> str:
    """Text of a file that this project and every new one have in common."""
    return files("forecast_operations").joinpath("starting", "own", name).read_text("utf-8")


def pinned(package: str) -> str:
    """The line that pins a tool of this project's own tests.

    Raises:
        LookupError: This project pins no such tool.
    """
    for line in own_file("requirements-dev.txt").splitlines():
        if line.partition("==")[0].strip() == package:
            return line.strip()
    raise LookupError(package)
