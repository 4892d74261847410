"""Small wheels, made by hand so that each part of one can be made wrong."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def record_line(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}\n"


def make_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    tag: str = "py3-none-any",
    requires: Iterable[str] = (),
    files: Mapping[str, bytes] | None = None,
    record: str | None = None,
    extra: Iterable[tuple[zipfile.ZipInfo, bytes]] = (),
) -> Path:
    """A wheel whose RECORD names its files, unless another is given.

    `extra` members are written as they are, and named in RECORD neither.
    """
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    stated = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {r}" for r in requires)]
    metadata = "\n".join(["Metadata-Version: 2.1", *stated, "", ""]).encode()
    content = {
        f"{module}/__init__.py": f"VERSION = {version!r}\n".encode(),
        **(files or {}),
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    if record is None:
        record = "".join(record_line(*each) for each in content.items()) + f"{info}/RECORD,,\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{module}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in {**content, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(member, data)
        for member_info, data in extra:
            archive.writestr(member_info, data)
    return path
