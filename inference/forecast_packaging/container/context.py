"""The build context of an own image: the same files for the same libraries, on any machine."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from forecast_packaging.libraries.store import requirement_line
from forecast_packaging.manifest import digest_of, scan
from forecast_packaging.workspace import publish_folder, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_config import LockedWheel
    from forecast_config.settings import OwnImage

_BASE_ARGUMENT = "ARG BASE_IMAGE="


def write_context(root: Path, image: OwnImage, wheels: dict[str, LockedWheel]) -> Path:
    """The folder that `docker build` makes an own image from, below `.forecast/images`.

    Args:
        root: The project's root.
        image: Python and base of the image.
        wheels: Everything that is installed, by distribution.

    Returns:
        The folder, named by the digest of its content.
    """
    home = root / ".forecast" / "images"
    shipped = files("forecast_packaging").joinpath("container")
    requirements = "".join(requirement_line(name, each) for name, each in sorted(wheels.items()))
    content = {
        "Dockerfile": _with_base(shipped.joinpath("Dockerfile").read_text("utf-8"), image),
        "requirements.txt": requirements,
        "serve": shipped.joinpath("serve").read_text("utf-8"),
    }
    with workspace(home) as scratch:
        folder = scratch / "context"
        folder.mkdir()
        for name, text in content.items():
            (folder / name).write_text(text, encoding="utf-8")
        digest = digest_of(scan(folder, "the build context"))
        target = home / digest.removeprefix("sha256:")
        publish_folder(folder, target)
    return target


def base_image(image: OwnImage) -> str:
    """The image that an own image starts from."""
    tag = f"python:{image.python}-slim-bookworm"
    return tag if image.base_digest is None else f"{tag}@{image.base_digest}"


def _with_base(dockerfile: str, image: OwnImage) -> str:
    lines = dockerfile.splitlines(keepends=True)
    (place,) = (number for number, line in enumerate(lines) if line.startswith(_BASE_ARGUMENT))
    lines[place] = f"{_BASE_ARGUMENT}{base_image(image)}\n"
    return "".join(lines)
