"""`forecast resolve`: pin the model version that each environment runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from forecast_config import load_environments, read_lock
from forecast_operations.console import byte_progress, out, print_json, warn
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentsArgument,
    JsonOption,
    warn_of,
)
from forecast_packaging import Alias, resolve, shown_uri, write_lock
from forecast_packaging.building.environment import select, select_challenger, sharing
from forecast_packaging.libraries.provision import Provision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_config import EnvironmentSettings, ForecastConfig, LockedModel, ModelsLock
    from forecast_packaging import Selector


_SAME_VERSION = ("name", "version", "run_id", "model_digest")


AliasOption = Annotated[
    str | None, typer.Option(help="Alias to look up instead of the configured one.")
]
VersionOption = Annotated[
    str | None, typer.Option("--model-version", help="Version to pin, whatever its aliases.")
]
CandidateOption = Annotated[
    str | None, typer.Option("--candidate-run-id", help="Pin the version of this run.")
]
RepackOption = Annotated[
    bool,
    typer.Option("--repack", help="Let go of the archive that a promotion or return locked."),
]


def resolve_command(
    environments: EnvironmentsArgument = None,
    config: ConfigOption = DEFAULT_CONFIG,
    alias: AliasOption = None,
    version: VersionOption = None,
    candidate: CandidateOption = None,
    *,
    repack: RepackOption = False,
    as_json: JsonOption = False,
) -> None:
    """Look the model up in the registry and pin it in models.lock.json, beside the configuration.

    Every environment is looked up by its own alias unless told otherwise, and its challenger, where
    a rollout compares with one, as its rollout says. An archive that is locked, as it was verified
    elsewhere or before, stays locked as long as its version does.
    """
    project, wanted = load_environments(config, environments)
    asked = select(project, model_version=version, model_alias=alias, candidate_run_id=candidate)
    before = read_lock(project.lock_path)
    found, challengers = _look_up(project, wanted, asked, before, repack=repack)
    for name, model in found.items():
        lock = write_lock(project.lock_path, name, model, challengers.get(name), planned=before)
    if as_json:
        chosen_names = {"environments": set(found), "challengers": set(challengers)}
        print_json(lock.model_dump_json(indent=2, include=chosen_names))
        return
    table = _table()
    for name, model in found.items():
        _add_row(table, name, "champion", model, before.environments.get(name))
        if name in challengers:
            _add_row(table, name, "challenger", challengers[name], before.challengers.get(name))
    out.print(table)
    out.print(f"pinned in {project.lock_path}")


def _look_up(
    project: ForecastConfig,
    wanted: Mapping[str, EnvironmentSettings],
    asked: Selector | None,
    before: ModelsLock,
    *,
    repack: bool,
) -> tuple[dict[str, LockedModel], dict[str, LockedModel]]:
    """Champions and challengers by environment, before anything is written."""
    search = _Search(project)
    found: dict[str, LockedModel] = {}
    challengers: dict[str, LockedModel] = {}
    for name, settings in wanted.items():
        was = before.environments.get(name)
        found[name] = search.pinned(settings, asked or Alias(settings.model_alias), was)
        if was is not None and not repack:
            found[name] = _with_archive(found[name], was)
        if asked is None:
            _warn_of_alias(project, settings, found[name], was)
        challenger = select_challenger(settings)
        if challenger is not None:
            known = before.challengers.get(name)
            challengers[name] = search.pinned(settings, challenger, known)
        warn_of(settings)
    return found, challengers


class _Search:
    """A registry that is asked once for what several environments run."""

    def __init__(self, project: ForecastConfig) -> None:
        self._project = project
        self._known: dict[Selector, LockedModel] = {}

    def pinned(
        self, settings: EnvironmentSettings, selector: Selector, before: LockedModel | None
    ) -> LockedModel:
        """A version with the wheels that an environment's image lacks."""
        project = self._project
        if selector not in self._known:
            title = f"asking {shown_uri(project.model.tracking_uri)} for {project.model.name}"
            with byte_progress(title) as report:
                self._known[selector] = resolve(
                    root=project.root,
                    tracking_uri=project.model.tracking_uri,
                    name=project.model.name,
                    selector=selector,
                    progress=report,
                )
        with byte_progress(f"finding what the image of {settings.name} lacks") as report:
            report("wheels", 0, 0)
            provision = Provision(project.root, settings, project.serving)
            return provision.pin(self._known[selector], before)


def _warn_of_alias(
    project: ForecastConfig,
    settings: EnvironmentSettings,
    found: LockedModel,
    was: LockedModel | None,
) -> None:
    """Say that an alias may have been moved for another environment than this one."""
    name, alias = settings.name, settings.model_alias
    others = sharing(project, name, alias)
    if was is None or was.version == found.version or not others:
        return
    warn(
        f"{name} follows the alias '{alias}' from version {was.version} to "
        f"{found.version}, which may be meant for {' or '.join(others)}, as they have the same "
        f"one; to keep {name} as it was: forecast resolve {name} --model-version {was.version}"
    )


def _with_archive(found: LockedModel, was: LockedModel) -> LockedModel:
    """A lock entry with the archive that was locked for the same version before."""
    same = all(getattr(found, key) == getattr(was, key) for key in _SAME_VERSION)
    return found.model_copy(update={"archive_digest": was.archive_digest}) if same else found


def _table() -> Table:
    model = Column("model", overflow="fold")
    return Table("environment", "role", model, "version", "was", "run", "digest")


def _add_row(
    table: Table, name: str, role: str, locked: LockedModel, was: LockedModel | None
) -> None:
    table.add_row(
        name,
        role,
        locked.name,
        locked.version,
        "-" if was is None else "unchanged" if was == locked else was.version,
        locked.run_id[:8],
        locked.model_digest.removeprefix("sha256:")[:12],
    )
