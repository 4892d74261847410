"""Cloud assemblies: what the CDK synthesized, and a copy in which one template is another."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError
from forecast_operations.synthesis import templates

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_operations.synthesis.hosted import Template

_MANIFEST = "manifest.json"


def read_template(assembly: Path, stack: str) -> Template:
    """The template of a stack in an assembly.

    Raises:
        ForecastError: The assembly has no such stack, or what it has is no template.
    """
    path = assembly / f"{stack}.template.json"
    if not path.is_file():
        raise ForecastError(f"{assembly} has no stack {stack}; synthesize it first")
    return templates.read_template(path)


def protection_in(assembly: Path, stack: str) -> bool | None:
    """Whether a stack is to have termination protection; None when the assembly does not say."""
    try:
        artifacts = _read(assembly / _MANIFEST)["artifacts"]
        return bool(artifacts[stack]["properties"].get("terminationProtection", False))
    except (OSError, ValueError, KeyError):
        return None


def account_of(assembly: Path, stack: str) -> str | None:
    """Account that a stack was synthesized for; None when that is left to the credentials.

    The configuration names it or a context flag does, so that only the assembly is sure.
    """
    environment = _read(assembly / _MANIFEST)["artifacts"][stack]["environment"]
    account = str(environment).removeprefix("aws://").partition("/")[0]
    return account if account.isdigit() else None


def with_template(assembly: Path, stack: str, template: Template, folder: Path) -> Path:
    """A copy of an assembly in which a stack has another template.

    The CLI uploads a template under the hash in the assembly, and not at all when something is
    there already: the hash is made anew.

    Args:
        assembly: What was synthesized.
        stack: The stack.
        template: Its template in the copy.
        folder: Where the copy is made; what is there is replaced.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(assembly, folder, symlinks=True)
    content = json.dumps(template, indent=1)
    digest = hashlib.sha256(content.encode()).hexdigest()
    (folder / f"{stack}.template.json").write_text(content, encoding="utf-8")
    manifest = _read(folder / _MANIFEST)
    properties = manifest["artifacts"][stack]["properties"]
    url = properties["stackTemplateAssetObjectUrl"]
    old = url.rpartition("/")[2].removesuffix(".json")
    properties["stackTemplateAssetObjectUrl"] = url.replace(old, digest)
    _write(folder / _MANIFEST, manifest)
    assets_file = folder / f"{stack}.assets.json"
    assets = _read(assets_file)
    asset = assets["files"].pop(old)
    for destination in asset["destinations"].values():
        destination["objectKey"] = destination["objectKey"].replace(old, digest)
    assets["files"][digest] = asset
    _write(assets_file, assets)
    return folder


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
