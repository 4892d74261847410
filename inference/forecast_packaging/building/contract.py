"""The contract check: what an archive must prove before it is accepted."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from forecast_packaging.building.archive import unpack_archive
from forecast_packaging.building.sandbox import run_in_sandbox
from forecast_packaging.documents import read_json
from forecast_packaging.errors import ContractError, ModelError
from forecast_packaging.progress import no_progress
from forecast_packaging.publishing.golden import GOLDEN_FILE, alike, recorded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from forecast_packaging.manifest import FileEntry
    from forecast_packaging.progress import Progress

INFO_FILE = "model-info.json"
INFO_VERSION = 2
COMPILATION_FILE = "artifacts/compilation.json"
REQUIREMENTS_FILE = "code/requirements.txt"
VENDOR_FOLDER = "code/vendor/"
TOLERANCE = 1e-6
"""Relative difference allowed between two answers to the same request."""

PICKLE_SUFFIXES = frozenset({".joblib", ".pickle", ".pkl", ".skops"})
"""Model files whose loading runs code from them."""

_PICKLE_MARK = 0x80
_SHOWN_PATHS = 5


def check_archive(
    archive: Path,
    expected_members: Iterable[str],
    scratch: Path,
    libraries: Mapping[str, str],
    progress: Progress = no_progress,
    *,
    staged: Path | None = None,
) -> None:
    """Accept an archive, or say which check it failed.

    It is unpacked strictly; its members are exactly those expected, with the sizes and digests of
    `model-info.json`, each where its kind belongs; its code compiles; it says so if loading it
    runs code from the model; and its model, loaded in a separate process by the code of the
    archive alone, answers the golden requests as recorded.

    Args:
        archive: The `model.tar.gz`.
        expected_members: Paths of all members.
        scratch: An existing folder for the extracted files; the caller removes it.
        libraries: Libraries that must be installed here in exactly this version.
        progress: Told how far the check is.
        staged: Folder of the files that the archive was made from, to which members that equal
            them are linked; without it they are written again.

    Raises:
        ContractError: A check failed.
    """
    root = scratch / "contract"
    root.mkdir()
    entries = unpack_archive(archive, root, progress, staged=staged)
    _check_members(root, entries, expected_members)
    _check_code(root, entries)
    progress("predict", 0, 0)
    requests = _read(root / GOLDEN_FILE)["requests"]
    answers = answer_requests(root, requests, scratch, libraries)
    for request, answer in zip(requests, answers, strict=True):
        if not alike(answer, request["answer"], TOLERANCE):
            raise ContractError(
                f"the model answers its golden request {request['name']!r} differently the second "
                "time"
            )


def open_archive(archive: Path, into: Path, progress: Progress = no_progress) -> dict[str, Any]:
    """Extract an archive whose members are exactly those of its `model-info.json`.

    Args:
        archive: The `model.tar.gz`.
        into: An existing, empty folder.
        progress: Told how far it is.

    Returns:
        The content of `model-info.json`.

    Raises:
        ContractError: The archive is damaged, its members are others, or stand where their kind
            does not belong.
    """
    entries = unpack_archive(archive, into, progress)
    info: dict[str, Any] = _read(into / INFO_FILE)
    _check_members(into, entries, {INFO_FILE, *info["files"]})
    return info


def answer_requests(
    root: Path,
    requests: Sequence[Mapping[str, Any]],
    scratch: Path,
    libraries: Mapping[str, str],
) -> list[Any]:
    """What the model of an extracted archive answers, loaded in a process of its own.

    Args:
        root: The extracted archive.
        requests: Requests with `name`, `content_type`, `accept`, `body` and `status`.
        scratch: An existing folder for the process's files.
        libraries: Libraries that must be installed here in exactly this version.

    Returns:
        The recorded answer of each request.

    Raises:
        ContractError: The model does not load, or a request has another status than it should.
    """
    task = {
        "do": "answer",
        "root": str(root.absolute()),
        "requests": [dict(request) for request in requests],
        "libraries": dict(libraries),
    }
    try:
        answers = run_in_sandbox(task, scratch)["answers"]
    except ContractError as error:
        raise ContractError(f"the model does not answer its golden requests: {error}") from None
    for request, answer in zip(requests, answers, strict=True):
        if answer["status"] != request["status"]:
            raise ContractError(_unexpected(request, answer))
    return [recorded(answer["body"], answer["content_type"]) for answer in answers]


def _unexpected(request: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    said = answer["body"]
    if answer["status"] != 200:  # noqa: PLR2004  # HTTP's OK
        error = recorded(answer["body"], answer["content_type"])["error"]
        place = ", ".join(f"{key} {error[key]}" for key in ("row", "feature") if key in error)
        said = f"{error['code']}: {error['message']}{f' ({place})' if place else ''}"
    failure = f" {answer['failure']}" if answer["failure"] else ""
    return (
        f"the golden request {request['name']!r} is answered with {answer['status']}, expected "
        f"{request['status']}: {said}{failure}"
    )


def _check_members(
    root: Path, entries: Iterable[FileEntry], expected_members: Iterable[str]
) -> None:
    """Refuse an extracted archive that lacks a member, has one too many, or a changed one."""
    found = {entry.path: entry for entry in entries}
    expected = set(expected_members)
    _refuse("the archive lacks", expected - found.keys())
    _refuse("the archive holds the unexpected", found.keys() - expected)
    info = _read(root / INFO_FILE)
    recorded_files = info["files"]
    _refuse("model-info.json lacks", expected - recorded_files.keys() - {INFO_FILE})
    _refuse("model-info.json names the unexpected", recorded_files.keys() - expected)
    changed = {
        path
        for path, file in recorded_files.items()
        if (file["size"], file["sha256"]) != (found[path].size, found[path].sha256)
    }
    _refuse("model-info.json has another digest of", changed)
    _refuse("the archive holds what does not belong there:", set(_misplaced(info, found)))
    if not info["runs_code_on_load"]:
        _refuse(
            "model-info.json says that loading runs no code, and these are pickles:",
            {model["file"] for model in info["models"] if is_pickle(root / model["file"])},
        )


def is_pickle(path: Path) -> bool:
    """Whether loading a model file would run code from it, by its name or its first byte.

    No model format that is data starts with the byte that opens a pickle of protocol 2 or later.
    """
    with path.open("rb") as file:
        return path.suffix.lower() in PICKLE_SUFFIXES or file.read(1) == bytes([_PICKLE_MARK])


def _misplaced(info: Mapping[str, Any], paths: Iterable[str]) -> Iterator[str]:
    """Members that are no part of the layout: what is imported, loaded or installed is known."""
    models = {model["file"] for model in info["models"]}
    for path in paths:
        place = PurePosixPath(path)
        if path.startswith(VENDOR_FOLDER):
            belongs = bool(info["vendored"])
        elif place.parts[0] == "code":
            belongs = path in {"code/inference.py", REQUIREMENTS_FILE} or (
                path.startswith("code/forecast_inference/") and place.suffix == ".py"
            )
        elif place.parts[0] == "model":
            belongs = path in models
        else:
            belongs = path == INFO_FILE or place.parts[0] == "artifacts"
        if not belongs:
            yield path


def _refuse(what: str, paths: set[str]) -> None:
    if paths:
        shown = sorted(paths)[:_SHOWN_PATHS]
        more = f" and {len(paths) - len(shown)} more" if len(paths) > len(shown) else ""
        raise ContractError(f"{what} {', '.join(shown)}{more}")


def _check_code(root: Path, entries: Iterable[FileEntry]) -> None:
    """Refuse code of ours that does not compile; vendored code may be for another Python."""
    for entry in entries:
        path = entry.path
        if path.startswith("code/") and path.endswith(".py") and not path.startswith(VENDOR_FOLDER):
            try:
                compile((root / path).read_bytes(), path, "exec", dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                raise ContractError(f"{path} does not compile: {error}") from None


def _read(path: Path) -> Any:
    try:
        return read_json(path, path.name)
    except (ModelError, OSError) as error:
        raise ContractError(f"the archive's {path.name} cannot be read: {error}") from None
