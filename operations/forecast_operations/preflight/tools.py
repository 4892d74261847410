"""What this machine deploys with: the CDK CLI, Node and, for an own image, Docker."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from forecast_config.settings import OwnImage
from forecast_operations.preflight.finding import failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forecast_operations.preflight.finding import Finding
    from forecast_operations.preflight.surroundings import Surroundings

_ANSWER_SECONDS = 60
_CDK = "cdk cli"
_NODE = "node"
_SETUP = "make setup"


def look_at_tools(around: Surroundings) -> Iterator[Finding]:
    """Whether the pinned CDK CLI, a Node that it runs on and Docker are at hand."""
    installed = _read(around.root / "node_modules" / "aws-cdk" / "package.json")
    yield _check_cdk(around.root, installed)
    yield _check_node(installed)
    if isinstance(around.settings.image, OwnImage):
        yield _check_docker()


def _check_cdk(root: Path, installed: dict[str, Any]) -> Finding:
    package = _read(root / "package.json")
    wanted = {**package.get("dependencies", {}), **package.get("devDependencies", {})}
    pinned = wanted.get("aws-cdk")
    found = installed.get("version") or _answer_of("cdk")
    if found is None:
        return failed(_CDK, "none", f"version {pinned}" if pinned else "any", _SETUP)
    version = found.split()[0]
    if pinned is None:
        return ok(_CDK, version, "any version: package.json pins none")
    if version != pinned:
        return failed(_CDK, f"version {version}", f"version {pinned}, as package.json says", _SETUP)
    return ok(_CDK, f"version {version}", f"version {pinned}")


def _check_node(installed: dict[str, Any]) -> Finding:
    needed = str(installed.get("engines", {}).get("node", "any version"))
    found = _answer_of("node")
    if found is None:
        return failed(_NODE, "none", needed, f"{_SETUP}, and put .venv/bin into PATH")
    least, major = (re.search(r"\d+", text) for text in (needed, found))
    if least and major and int(major[0]) < int(least[0]):
        return failed(_NODE, found, needed, f"{_SETUP}, and put .venv/bin into PATH")
    return ok(_NODE, found, needed)


def _check_docker() -> Finding:
    # CDK_DOCKER names another program that builds images (AWS CDK developer guide).
    program = os.environ.get("CDK_DOCKER", "docker")
    expected = "a program that builds the image (image.kind: own)"
    if shutil.which(program) is None:
        advice = "install Docker, or name what takes its place in CDK_DOCKER (finch, podman)"
        return failed("docker", f"no {program}", expected, advice)
    if _answer_of(program) is None:
        advice = f"start {program}; see what it says: {program} --version"
        return warning("docker", f"{program} gives no answer", expected, advice)
    return ok("docker", program, expected)


def _answer_of(program: str) -> str | None:
    """What a program says of its version; None when it is not there or does not answer."""
    path = shutil.which(program)
    if path is None:
        return None
    try:
        done = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def _read(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return document
