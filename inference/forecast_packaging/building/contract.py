"""The contract check: what an archive must prove before it is accepted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from forecast_packaging.building.archive import unpack_archive
from forecast_packaging.building.sandbox import run_in_sandbox
from forecast_packaging.documents import read_json
from forecast_packaging.errors import ContractError, ModelError
from forecast_packaging.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from forecast_packaging.manifest import FileEntry
    from forecast_packaging.progress import Progress

INFO_FILE = "model-info.json"
TOLERANCE = 1e-6
"""Relative difference allowed between two answers to the same request."""

_SIGNIFICANT_DIGITS = 9
_SHOWN_PATHS = 5


def check_archive(
    archive: Path,
    expected_members: Iterable[str],
    scratch: Path,
    libraries: Mapping[str, str],
    progress: Progress = no_progress,
) -> None:
    """Accept an archive, or say which check it failed.

    It is unpacked strictly; its members are exactly those expected, with the sizes and digests of
    `model-info.json`; its code compiles; and its model, loaded in a separate process by the code
    of the archive alone, answers the input example as recorded.

    Args:
        archive: The `model.tar.gz`.
        expected_members: Paths of all members.
        scratch: An existing folder for the extracted files; the caller removes it.
        libraries: Libraries that must be installed here in exactly this version.
        progress: Told how far the check is.

    Raises:
        ContractError: A check failed.
    """
    root = scratch / "contract"
    root.mkdir()
    entries = unpack_archive(archive, root, progress)
    check_members(root, entries, expected_members)
    _check_code(root, entries)
    progress("predict", 0, 0)
    answer = answer_example(root, scratch, libraries)
    recorded = _read(root / "artifacts" / "expected_output.json")
    if not _alike(answer, recorded):
        raise ContractError("the model answers its input example differently the second time")


def open_archive(archive: Path, into: Path) -> dict[str, Any]:
    """Extract an archive whose members are exactly those of its `model-info.json`.

    Args:
        archive: The `model.tar.gz`.
        into: An existing, empty folder.

    Returns:
        The content of `model-info.json`.

    Raises:
        ContractError: The archive is damaged, or its members are others.
    """
    entries = unpack_archive(archive, into)
    info: dict[str, Any] = _read(into / INFO_FILE)
    check_members(into, entries, {INFO_FILE, *info["files"]})
    return info


def check_members(
    root: Path, entries: Iterable[FileEntry], expected_members: Iterable[str]
) -> None:
    """Refuse an extracted archive that lacks a member, has one too many, or a changed one.

    Raises:
        ContractError: The members differ from those expected or from `model-info.json`.
    """
    found = {entry.path: entry for entry in entries}
    expected = set(expected_members)
    _refuse("the archive lacks", expected - found.keys())
    _refuse("the archive holds the unexpected", found.keys() - expected)
    recorded = _read(root / INFO_FILE)["files"]
    _refuse("model-info.json lacks", expected - recorded.keys() - {INFO_FILE})
    _refuse("model-info.json names the unexpected", recorded.keys() - expected)
    changed = {
        path
        for path, file in recorded.items()
        if (file["size"], file["sha256"]) != (found[path].size, found[path].sha256)
    }
    _refuse("model-info.json has another digest of", changed)


def answer_example(root: Path, scratch: Path, libraries: Mapping[str, str]) -> dict[str, Any]:
    """What the model of an extracted archive answers to its input example.

    The time of the answer is left out and numbers are rounded to nine significant digits, more
    than a float32 has: the last bits of a double depend on the processor.

    Returns:
        `{"predictions": [...]}`.

    Raises:
        ContractError: The model does not load, or does not answer.
    """
    task = {"do": "predict", "root": str(root.absolute()), "libraries": dict(libraries)}
    try:
        answer = run_in_sandbox(task, scratch)["answer"]
    except ContractError as error:
        raise ContractError(f"the model does not answer its input example: {error}") from None
    for prediction in answer["predictions"]:
        del prediction["prediction_timestamp"]
    rounded: dict[str, Any] = _rounded(answer)
    return rounded


def _refuse(what: str, paths: set[str]) -> None:
    if paths:
        shown = sorted(paths)[:_SHOWN_PATHS]
        more = f" and {len(paths) - len(shown)} more" if len(paths) > len(shown) else ""
        raise ContractError(f"{what} {', '.join(shown)}{more}")


def _check_code(root: Path, entries: Iterable[FileEntry]) -> None:
    for entry in entries:
        if entry.path.startswith("code/") and entry.path.endswith(".py"):
            try:
                compile((root / entry.path).read_bytes(), entry.path, "exec", dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                raise ContractError(f"{entry.path} does not compile: {error}") from None


def _read(path: Path) -> Any:
    try:
        return read_json(path, path.name)
    except (ModelError, OSError) as error:
        raise ContractError(f"the archive's {path.name} cannot be read: {error}") from None


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{_SIGNIFICANT_DIGITS}g}")
    return value


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE**2)
    return bool(one == other)
