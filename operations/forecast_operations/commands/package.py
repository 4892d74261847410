"""`forecast package`: build the archive that each environment runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.table import Column, Table

from forecast_config import load_environments, locked_model, read_lock
from forecast_operations.console import byte_progress, out, print_json
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentsArgument,
    JsonOption,
    warn_of,
)
from forecast_operations.records.fetching import provide
from forecast_packaging.building.environment import package_challenger_for
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
    settings, wanted = load_environments(config, environments)
    packaged: dict[str, PackagedModel] = {}
    challengers: dict[str, PackagedModel] = {}
    for name, environment in wanted.items():
        warn_of(environment)
        with byte_progress(f"packing for {name}") as report:
            lock = locked_model(read_lock(settings.lock_path), name, settings.lock_path)
            packaged[name] = provide(settings, environment, lock, report)
            challenger = package_challenger_for(settings, environment, report)
        if challenger is not None:
            challengers[name] = challenger
    if as_json:
        environment_models = {name: _document(model) for name, model in packaged.items()}
        for name, challenger in challengers.items():
            environment_models[name]["challenger"] = _document(challenger)
        print_json(json.dumps(environment_models))
        return
    out.print(_table(packaged, challengers, settings.root))


def _document(model: PackagedModel) -> dict[str, Any]:
    return model.model_dump(mode="json")


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
