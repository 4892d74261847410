"""The MLflow model registry: with `remote_store`, all of this project that imports MLflow.

MLflow costs seconds to import, so it is imported inside functions, when a registry is really asked.
"""

from __future__ import annotations

import logging
import re
import warnings
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from forecast_packaging.documents import readable
from forecast_packaging.errors import ModelError, RegistryError
from forecast_packaging.progress import no_progress
from forecast_packaging.registry.local_store import LocalStore
from forecast_packaging.registry.registered import RegisteredVersion
from forecast_packaging.registry.run_record import describe_run
from forecast_packaging.registry.tracking import (
    PATIENT,
    PROMPT,
    QUIET,
    Location,
    environment,
    local_path,
    why_it_failed,
)
from forecast_packaging.registry.transfer import transfer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

    from forecast_packaging.progress import Progress

CANDIDATE_TAG = "candidate_run_id"
"""Default tag of a model version that names the run it is a candidate of."""

_REGISTERED_META = "registered_model_meta"
_NOT_FOUND = "RESOURCE_DOES_NOT_EXIST"
_SHOWN_NAMES = 12


class Registry:
    """An MLflow model registry and the tracking server beside it.

    Args:
        tracking_uri: `sqlite:///…`, `http(s)://…`, a folder or `file:…`, or a database URI.
        base: Folder that relative paths in the URI start at.

    Raises:
        RegistryError: The database file or folder does not exist, or is not MLflow's. Nothing is
            created: MLflow itself would make an empty registry there.
    """

    def __init__(self, tracking_uri: str, base: Path) -> None:
        self._location = Location.parse(tracking_uri, base)
        self._base = base
        self._location.check()

    def resolve_alias(self, name: str, alias: str) -> RegisteredVersion:
        """The version that an alias points to now.

        Raises:
            RegistryError: No such model or alias, or the registry cannot be reached.
        """
        with self._asking() as client:
            aliases = self._aliases(client, name)
            if alias not in aliases:
                known = _listed(aliases, "aliases")
                raise RegistryError(
                    f"model {name!r} has no alias {alias!r} in {self._location.shown}; {known}"
                )
            version = client.get_model_version(name, aliases[alias])
        return self._version(version, alias)

    def move_alias(self, name: str, alias: str, version: str, run_id: str) -> str | None:
        """Let an alias point to a version.

        Args:
            name: The registered model.
            alias: The alias.
            version: The version's number.
            run_id: The run that must have made it.

        Returns:
            The version that it pointed to before; None when it was not there.

        Raises:
            RegistryError: No such model or version, the version is another run's, or the registry
                cannot be reached or changed.
        """
        found = self.resolve_version(name, version)
        found.check_run(run_id, self._location.shown)
        with self._asking() as client:
            before = self._aliases(client, name).get(alias)
            if before != found.version:
                client.set_registered_model_alias(name, alias, found.version)
        return before

    def resolve_version(self, name: str, version: str) -> RegisteredVersion:
        """A version by its number.

        Raises:
            RegistryError: No such model or version, or the registry cannot be reached.
        """
        if not re.fullmatch(r"[1-9][0-9]{0,8}", version):
            raise RegistryError(f"expected a model version such as 16, got {version!r}")
        with self._asking() as client:
            self._aliases(client, name)
            found = self._search(client, name)
        for candidate in found:
            if str(candidate.version) == version:
                return self._version(candidate)
        known = _listed([str(item.version) for item in found], "versions")
        raise RegistryError(
            f"model {name!r} has no version {version} in {self._location.shown}; {known}"
        )

    def resolve_candidate(
        self,
        name: str,
        run_id: str,
        *,
        run_id_tag: str = CANDIDATE_TAG,
        approved_tag: tuple[str, str] | None = None,
    ) -> RegisteredVersion:
        """The newest version that a run made or that is tagged as its candidate.

        A version matches when its tag `run_id_tag`, or its own run id, is `run_id`. One run
        can be registered more than once; the highest version number is the latest decision.

        Args:
            name: The registered model.
            run_id: The run id asked for.
            run_id_tag: Tag of the version that holds the candidate's run id.
            approved_tag: Tag and value that the version must carry; None asks for no approval.

        Raises:
            RegistryError: No version matches, or none of those that match is approved.
        """
        with self._asking() as client:
            self._aliases(client, name)
            found = self._search(client, name)
        matching = [v for v in found if run_id in {v.tags.get(run_id_tag), v.run_id}]
        if not matching:
            raise RegistryError(
                f"no version of model {name!r} in {self._location.shown} has the run id or the "
                f"tag {run_id_tag} {run_id!r}"
            )
        approved = [v for v in matching if _has_tag(v, approved_tag)]
        if not approved:
            key, value = approved_tag or ("", "")
            numbers = ", ".join(str(v.version) for v in matching)
            raise RegistryError(
                f"run {run_id!r} is version {numbers} of model {name!r}, which is not approved: "
                f"expected the tag {key}={value}"
            )
        return self._version(approved[-1])

    def download(
        self, version: RegisteredVersion, into: Path, parts: Path, progress: Progress = no_progress
    ) -> None:
        """Write the snapshot of a version: `model/`, the run's `artifacts/`, and `run.json`.

        Args:
            version: The version.
            into: An existing, empty folder.
            parts: A folder for what has arrived, on the same file system. With the one of an
                interrupted download this one goes on where that one stopped.
            progress: Told the bytes downloaded.

        Raises:
            RegistryError: The registry or its file store cannot be reached.
            ModelError: The model holds links or unsafe names, or is no MLflow model.
        """
        with self._asking() as client:
            source = client.get_model_version_download_uri(version.name, version.version)
            if source.startswith("models:/m-"):
                source = client.get_logged_model(source.removeprefix("models:/")).artifact_location
            run = client.get_run(version.run_id)
        shown = f"version {version.version} of model {version.name!r}"
        fetch = partial(self._fetch, parts=parts, progress=progress)
        (into / "model").mkdir()
        fetch(source, "", into / "model", shown=shown)
        (into / "model" / _REGISTERED_META).unlink(missing_ok=True)
        if not (into / "model" / "MLmodel").is_file():
            raise ModelError(f"{shown} has no MLmodel file: it is not an MLflow model")
        artifacts = str(run.info.artifact_uri)
        fetch(artifacts, "artifacts", into, shown=f"the run of {shown}")
        (into / "run.json").write_bytes(readable(describe_run(run)))

    def _aliases(self, client: MlflowClient, name: str) -> dict[str, str]:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415  # see the module

        try:
            return {k: str(v) for k, v in client.get_registered_model(name).aliases.items()}
        except MlflowException as error:
            if error.error_code != _NOT_FOUND:
                raise
        names = [model.name for model in client.search_registered_models(max_results=100)]
        known = _listed(names, "models")
        raise RegistryError(f"there is no model {name!r} in {self._location.shown}; {known}")

    def _search(self, client: MlflowClient, name: str) -> list[ModelVersion]:
        # A name with a quote cannot stand in the filter language; MLflow allows one all the same.
        quote = '"' if "'" in name else "'"
        query = f"name={quote}{name}{quote}"
        page = client.search_model_versions(query)
        found = list(page)
        while page.token:
            page = client.search_model_versions(query, page_token=page.token)
            found.extend(page)
        return sorted(found, key=lambda version: int(version.version))

    def _version(self, found: ModelVersion, alias: str | None = None) -> RegisteredVersion:
        if not found.run_id:
            raise RegistryError(
                f"version {found.version} of model {found.name!r} names no run, so its data and "
                "metrics are unknown: register the model from the run that trained it"
            )
        return RegisteredVersion(found.name, str(found.version), found.run_id, alias)

    @contextmanager
    def _asking(self) -> Iterator[MlflowClient]:
        """A client whose failures become sentences and whose questions end within seconds."""
        with _quiet(), environment(PROMPT):
            from mlflow import MlflowClient  # noqa: PLC0415  # see the module

            with self._as_sentences():
                yield MlflowClient(self._location.uri, self._location.uri)

    @contextmanager
    def _as_sentences(self) -> Iterator[None]:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415  # see the module
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415  # MLflow needs it for databases

        try:
            yield
        except (MlflowException, SQLAlchemyError, OSError, ImportError, ValueError) as error:
            why = why_it_failed(error, self._location.secrets)
            raise RegistryError(f"the model registry {self._location.shown} {why}") from None

    def _fetch(
        self, root: str, path: str, into: Path, *, parts: Path, shown: str, progress: Progress
    ) -> None:
        """Bring the files at `path` below an artifact root; a missing sub-folder is no files."""
        bring = partial(transfer, path=path, into=into, parts=parts, shown=shown, progress=progress)
        folder = local_path(root, self._base)
        if folder is not None:
            bring(LocalStore(folder))
            return
        with _quiet(), environment(PATIENT), self._as_sentences():
            from forecast_packaging.registry.remote_store import remote_store  # noqa: PLC0415

            bring(remote_store(root, self._location.uri))


def _has_tag(version: ModelVersion, tag: tuple[str, str] | None) -> bool:
    return tag is None or version.tags.get(tag[0]) == tag[1]


def _listed(names: Collection[str], what: str) -> str:
    shown = list(names)[-_SHOWN_NAMES:]
    if not shown:
        return f"it has no {what}"
    more = "…, " if len(names) > len(shown) else ""
    return f"its {what} are {more}{', '.join(shown)}"


@contextmanager
def _quiet() -> Iterator[None]:
    """MLflow without its progress bars, its usage reports, its hints and its log lines."""
    with environment(QUIET), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow  # noqa: F401, PLC0415  # it sets up its logging, which comes before ours

        loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
        levels = [logger.level for logger in loggers]
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
