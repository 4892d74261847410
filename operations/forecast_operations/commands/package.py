"""`forecast package`: build the archive that each environment runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Column, Table

from forecast_config import load_environments
from forecast_operations.console import byte_progress, out, print_document
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentsArgument,
    JsonOption,
    warn_of,
)
from forecast_operations.updates.pinned import provide_pinned
from forecast_packaging.building.environment import package_challenger_for, package_for
from forecast_packaging.building.summary import summarize_archive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forecast_config import PackagedModel


def package_command(
    environments: EnvironmentsArgument = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    as_json: JsonOption = False,
) -> None:
    """Build model.tar.gz from the locked version and check it; nothing is done when it is there.

    The same locked version gives the same bytes for every environment. Where a rollout compares
    with a challenger, its archive is built too. An archive that the lock pins, and that is not
    here, is fetched from the bucket that it was published into.
    """
    project, wanted = load_environments(config, environments)
    packaged: dict[str, PackagedModel] = {}
    challengers: dict[str, PackagedModel] = {}
    for name, settings in wanted.items():
        warn_of(settings)
        provide_pinned(project, settings, context=())
        with byte_progress(f"packing for {name}") as report:
            packaged[name] = package_for(project, settings, progress=report)
            challenger = package_challenger_for(project, settings, report)
        if challenger is not None:
            challengers[name] = challenger
    if as_json:
        print_document(_document(packaged, challengers))
        return
    out.print(_table(packaged, challengers, project.root))


def _document(
    packaged: Mapping[str, PackagedModel], challengers: Mapping[str, PackagedModel]
) -> dict[str, Any]:
    document = {name: model.model_dump(mode="json") for name, model in packaged.items()}
    for name, challenger in challengers.items():
        document[name]["challenger"] = challenger.model_dump(mode="json")
    return document


def _table(
    packaged: Mapping[str, PackagedModel], challengers: Mapping[str, PackagedModel], root: Path
) -> Table:
    """What was packed for each environment, and what a person should know of it."""
    table = Table(
        "environment",
        "role",
        "version",
        Column("archive", overflow="fold"),
        "bytes",
        "digest",
        "formats",
        Column("loading runs code", overflow="fold"),
        Column("compilation", overflow="fold"),
    )
    rows = [
        (name, role, models[name])
        for name in packaged
        for role, models in (("champion", packaged), ("challenger", challengers))
        if name in models
    ]
    for name, role, model in rows:
        summary = summarize_archive(model.archive)
        table.add_row(
            name,
            role,
            model.model.version,
            str(model.archive.relative_to(root)),
            f"{model.archive.stat().st_size:,}",
            model.archive_digest.removeprefix("sha256:")[:12],
            ", ".join(summary.formats),
            f"yes: {', '.join(summary.pickles)}" if summary.pickles else "no",
            summary.compilation or "not asked for",
        )
    return table
