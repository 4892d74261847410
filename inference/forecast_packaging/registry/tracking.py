"""Tracking URIs: where a registry is, how to ask it without waiting, and why it did not answer."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from forecast_packaging.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

QUIET = {
    # This project only reads; it is MLflow's place to stop new data from going into a file store.
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
"""Environment variables under which MLflow neither draws, nor reports home, nor refuses."""

PROMPT = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
"""Environment for questions: two tries of at most ten seconds each."""

PATIENT = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "120", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
"""Environment for files: a server may first have to fetch a large one from its own store."""

_SQLITE = "sqlite:///"
_DATABRICKS = {"databricks", "databricks-uc", "uc"}
_SECRET_OPTION = re.compile(r"pass|pwd|secret|token|key", re.IGNORECASE)
_DRIVERS = {"MySQLdb": "mysqlclient"}
_LONGEST_REASON = 200


@dataclass(frozen=True)
class Location:
    """Where a registry is.

    Attributes:
        uri: The URI that MLflow is given; its paths are absolute.
        shown: The URI for messages, without a user's name or password.
        path: The database file or folder, when the registry is on this machine.
        secrets: What must not stand in a message, in every way of writing it.
    """

    uri: str
    shown: str
    path: Path | None
    secrets: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, tracking_uri: str, base: Path) -> Location:
        """The location that a tracking URI names, its relative path starting at `base`.

        Raises:
            RegistryError: The URI cannot be read.
        """
        if tracking_uri.startswith(_SQLITE):
            file, mark, options = tracking_uri.removeprefix(_SQLITE).partition("?")
            path = base.absolute() / file
            return cls(f"{_SQLITE}{path}{mark}{options}", tracking_uri, path)
        folder = local_path(tracking_uri, base)
        if folder is not None:
            return cls(folder.as_uri(), tracking_uri, folder)
        return cls(tracking_uri, shown_uri(tracking_uri), None, _secrets(tracking_uri))

    def check(self) -> None:
        """Refuse a local registry that is not there.

        MLflow creates the database or the folder it is given, and then finds nothing in it.

        Raises:
            RegistryError: The file or folder is missing, or is not a registry of MLflow.
        """
        if self.path is None:
            return
        if not self.path.exists():
            raise RegistryError(
                f"the model registry {self.shown} cannot be reached: there is no {self.path}"
            )
        if self.uri.startswith(_SQLITE) and not _has_models(self.path):
            raise RegistryError(
                f"the model registry {self.shown} cannot be read: {self.path} is not a database "
                "of MLflow"
            )


def local_path(uri: str, base: Path) -> Path | None:
    """The path that a URI without a scheme or with `file:` names; None for any other URI.

    Raises:
        RegistryError: The URI cannot be read.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise RegistryError(
            f"{shown_uri(uri)} is not a URI, expected one such as https://mlflow.example.com"
        ) from None
    if uri in _DATABRICKS:
        return None
    if parts.scheme == "":
        return base.absolute() / uri
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return base.absolute() / unquote(parts.path)
    return None


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """This process's environment with variables set for the time of a call.

    A variable that is set already is left as it is: whoever set it knows the registry.
    """
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def shown_uri(uri: str) -> str:
    """A tracking URI for messages: without a user's name, a password, or options."""
    scheme, mark, rest = uri.partition("://")
    if not mark or uri.startswith(_SQLITE):
        return uri
    # A password may hold any of these characters unquoted, so its end is the last @ of all.
    return f"{scheme}://{re.split('[?#]', rest.rpartition('@')[2], maxsplit=1)[0]}"


def why_it_failed(error: BaseException, secrets: Collection[str] = ()) -> str:
    """The rest of a sentence that begins with the registry's name: what went wrong there.

    Args:
        error: What was raised.
        secrets: What must not stand in the sentence.
    """
    chain = list(_causes(error))
    if isinstance(error, ImportError) and error.name:
        package = _DRIVERS.get(error.name, error.name)
        return f"needs the package {package}; install it"
    names = {type(cause).__name__ for cause in chain}
    for cause in reversed(chain):
        if isinstance(cause, OSError) and cause.strerror:
            return f"cannot be reached: {cause.strerror.lower()}"
    if type(error) is ValueError:
        return "cannot be reached: its URI cannot be read"  # the text may quote a part of it
    text = _without_secrets_in(" ".join(str(error).split()), secrets)
    if "database schema" in text:
        return (
            "was written by another version of MLflow than the one installed here: install that "
            "version, or upgrade a copy of the registry with: mlflow db upgrade"
        )
    if any("Timeout" in name for name in names) or re.search(r"timed? ?out", text, re.IGNORECASE):
        return "cannot be reached: it did not answer in time"
    if len(text) > _LONGEST_REASON:
        text = f"{text[:_LONGEST_REASON]}…"
    return f"answered with an error: {text}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        reason = next((arg for arg in current.args if isinstance(arg, BaseException)), None)
        current = current.__cause__ or current.__context__ or reason


def _has_models(path: Path) -> bool:
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'model_versions'"
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            return bool(connection.execute(query).fetchone()[0])
    except sqlite3.Error:
        return False


def _secrets(uri: str) -> frozenset[str]:
    """The password of a URI, and its options that sound like one."""
    rest = uri.partition("://")[2]
    password = rest.rpartition("@")[0].partition(":")[2]
    options = parse_qsl(rest.rpartition("@")[2].partition("?")[2])
    found = {value for name, value in options if _SECRET_OPTION.search(name)} | {password}
    plain = set(map(unquote, found))
    return frozenset({*found, *plain, *(quote(value, safe="") for value in plain)} - {""})


def _without_secrets_in(text: str, secrets: Collection[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return re.sub(r"(://)[^/\s@]+@", r"\1", text)
