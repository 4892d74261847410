"""How a new project gets this library: the installed version, or wherever else it is."""

from __future__ import annotations

import json
import re
from importlib.metadata import distribution, version
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urlparse

from packaging.requirements import InvalidRequirement, Requirement

from forecast_config import ForecastError

DISTRIBUTION = "forecast-endpoint"
_EXTRAS = "local,models"
_ADDRESS = re.compile(r"^(https|file|git\+(https|ssh|file))://\S+$")
_PLAIN = re.compile(r"^(git\+)?(http|git)://")


def requirement_of(library: str | None) -> str:
    """The line of a requirements file that installs this library.

    Args:
        library: A folder or wheel, an address or a git reference; None for wherever the installed
            library came from: a folder, a commit, an address, or else an index, in its version.

    Raises:
        ForecastError: It is none of these, or an address that anybody on the way could answer for.
    """
    name = f"{DISTRIBUTION}[{_EXTRAS}]"
    if library is None:
        library = _origin()
    if library is None:
        return f"{name}=={version(DISTRIBUTION)}"
    if _PLAIN.match(library):
        raise ForecastError(
            "--library: expected an address that nobody on the way can change, such as "
            f"https://… or git+https://…, got '{library}'"
        )
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


def warning_of(requirement: str) -> str | None:
    """What a project must be told of the place that the library comes from; None for nothing."""
    name, _, address = requirement.partition(" @ ")
    if not address:
        return (
            f"requirements.txt asks a package index for {name}, and nobody owns that name on PyPI, "
            "where anybody could publish something else under it: give --library, or have pip ask "
            "no index but your own (PIP_INDEX_URL)"
        )
    if address.startswith(("file:", "git+file:")):
        return (
            f"requirements.txt installs the library from {address}, which no other machine and no "
            "runner of a pipeline can reach: give --library a git reference or the https address "
            "of a wheel before you share the project"
        )
    return None


def _origin() -> str | None:
    """Where the installed library came from; None for a package index, or a place that is gone."""
    text = distribution(DISTRIBUTION).read_text("direct_url.json")
    if text is None:
        return None
    document = json.loads(text)
    url: str = document["url"]
    control = document.get("vcs_info")
    if control is not None:
        inside = document.get("subdirectory")
        part = "" if inside is None else f"#subdirectory={inside}"
        return f"{control['vcs']}+{url}@{control['commit_id']}{part}"
    if url.startswith("file:"):
        return url if Path(unquote(urlparse(url).path)).exists() else None
    return url


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
