"""`forecast resolve`: pin the model version that each environment runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from forecast_config import read_lock
from forecast_operations.console import byte_progress, out, print_json
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentsArgument,
    JsonOption,
    chosen,
    warn_of_support,
)
from forecast_packaging import Alias, resolve, shown_uri, write_lock
from forecast_packaging.building.environment import select
from forecast_packaging.libraries.provision import Provision

if TYPE_CHECKING:
    from forecast_config import LockedModel
    from forecast_packaging import Selector


def resolve_command(
    environments: EnvironmentsArgument = None,
    config: ConfigOption = DEFAULT_CONFIG,
    alias: Annotated[
        str | None, typer.Option(help="Alias to look up instead of the configured one.")
    ] = None,
    version: Annotated[
        str | None, typer.Option("--model-version", help="Version to pin, whatever its aliases.")
    ] = None,
    candidate: Annotated[
        str | None, typer.Option("--candidate-run-id", help="Pin the version of this run.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Look the model up in the registry and pin it in models.lock.json, beside the configuration.

    Every environment is looked up by its own alias unless told otherwise.
    """
    settings, wanted = chosen(config, environments)
    asked = select(settings, model_version=version, model_alias=alias, candidate_run_id=candidate)
    before = read_lock(settings.lock_path).environments
    found: dict[str, LockedModel] = {}
    known: dict[Selector, LockedModel] = {}
    for name, environment in wanted.items():
        selector = asked or Alias(environment.model_alias)
        if selector not in known:
            title = f"asking {shown_uri(settings.model.tracking_uri)} for {settings.model.name}"
            with byte_progress(title) as report:
                known[selector] = resolve(
                    root=settings.root,
                    tracking_uri=settings.model.tracking_uri,
                    name=settings.model.name,
                    selector=selector,
                    progress=report,
                )
        with byte_progress(f"finding what the image of {name} lacks") as report:
            report("wheels", 0, 0)
            provision = Provision(settings.root, environment, settings.serving)
            found[name] = provision.pin(known[selector], before.get(name))
        warn_of_support(environment)
    for name, model in found.items():
        lock = write_lock(settings.lock_path, name, model)
    if as_json:
        print_json(lock.model_dump_json(indent=2, include={"environments": set(found)}))
        return
    out.print(_table(before, found))
    out.print(f"pinned in {settings.lock_path}")


def _table(before: dict[str, LockedModel], found: dict[str, LockedModel]) -> Table:
    model = Column("model", overflow="fold")
    table = Table("environment", model, "version", "was", "run", "digest")
    for name, locked in found.items():
        was = before.get(name)
        table.add_row(
            name,
            locked.name,
            locked.version,
            "-" if was is None else "unchanged" if was == locked else was.version,
            locked.run_id[:8],
            locked.model_digest.removeprefix("sha256:")[:12],
        )
    return table
