"""Summaries: what an archive says of itself, read without unpacking it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_packaging.building.archive import MAX_UNPACKED_BYTES
from forecast_packaging.building.contract import COMPILATION_FILE, INFO_FILE
from forecast_packaging.building.inflate import GzipReader
from forecast_packaging.building.tar_reader import read_members
from forecast_packaging.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forecast_packaging.building.tar_reader import Member

PICKLED = "sklearn"
"""The flavor of files whose loading runs code from them."""


@dataclass(frozen=True)
class ArchiveSummary:
    """What a person wants to know of an archive.

    Attributes:
        formats: The flavor of each model file, each once, in the order of the files.
        pickles: Model files whose loading runs code from them.
        compilation: What became of the compilation; None when none was asked for.
        vendored: Libraries that travel in the archive: version by name.
    """

    formats: tuple[str, ...]
    pickles: tuple[str, ...]
    compilation: str | None
    vendored: dict[str, str]


def summarize_archive(archive: Path) -> ArchiveSummary:
    """The summary of an archive that passed its contract check.

    Members are sorted, and the model's files are the last: they are not read.

    Raises:
        ContractError: The archive is damaged.
    """
    documents = _read_documents(archive, {INFO_FILE, COMPILATION_FILE})
    info, report = documents[INFO_FILE], documents.get(COMPILATION_FILE)
    models = info["models"]
    return ArchiveSummary(
        formats=tuple(dict.fromkeys(model["flavor"] for model in models)),
        pickles=tuple(model["file"] for model in models if model["flavor"] == PICKLED),
        compilation=None if report is None else _outcome(report),
        vendored=dict(info["vendored"]),
    )


def read_info(archive: Path) -> dict[str, Any]:
    """The content of `model-info.json` of an archive that passed its contract check.

    Raises:
        ContractError: The archive is damaged.
    """
    info: dict[str, Any] = _read_documents(archive, {INFO_FILE})[INFO_FILE]
    return info


def read_file(archive: Path, path: str) -> bytes | None:
    """The content of one small file of an archive that passed its contract check; None for none.

    Members are sorted, and nothing behind the file is read.

    Raises:
        ContractError: The archive is damaged.
    """
    for member, content in _members(archive):
        if member.path == path:
            return b"".join(content)
        if member.path.encode() > path.encode():
            break
    return None


def _outcome(report: dict[str, Any]) -> str:
    return "accepted" if report["accepted"] else f"not taken: {report['reason']}"


def _read_documents(archive: Path, wanted: set[str]) -> dict[str, Any]:
    documents: dict[str, Any] = {}
    for member, content in _members(archive):
        if member.path in wanted:
            documents[member.path] = _parse(archive, b"".join(content))
        if member.path == INFO_FILE:
            break
    if INFO_FILE not in documents:
        raise ContractError(f"{archive.name} holds no {INFO_FILE}")
    return documents


def _parse(archive: Path, content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError as error:
        raise ContractError(f"{archive.name} cannot be read: {error}") from None


def _members(archive: Path) -> Iterator[tuple[Member, Iterator[bytes]]]:
    try:
        with archive.open("rb") as file:
            yield from read_members(GzipReader(file, MAX_UNPACKED_BYTES, _ignore))
    except (OSError, ValueError) as error:
        raise ContractError(f"{archive.name} cannot be read: {error}") from None


def _ignore(_: int) -> None:
    pass
