"""`forecast package`: build the archive that each environment runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Column, Table

from forecast_operations.console import byte_progress, out, print_json
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentsArgument,
    JsonOption,
    chosen,
    warn_of_support,
)
from forecast_packaging.building.environment import package_for
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

    The same locked version gives the same bytes for every environment.
    """
    settings, wanted = chosen(config, environments)
    packaged: dict[str, PackagedModel] = {}
    for name, environment in wanted.items():
        warn_of_support(environment)
        with byte_progress(f"packing for {name}") as report:
            packaged[name] = package_for(settings, environment, progress=report)
    if as_json:
        documents = (f'"{name}": {model.model_dump_json()}' for name, model in packaged.items())
        print_json("{" + ", ".join(documents) + "}")
        return
    out.print(_table(packaged, settings.root))


def _table(packaged: Mapping[str, PackagedModel], root: Path) -> Table:
    """What was packed for each environment, and what a person should know of it."""
    table = Table(
        "environment",
        "version",
        Column("archive", overflow="fold"),
        "bytes",
        "digest",
        "formats",
        Column("loading runs code", overflow="fold"),
        Column("compilation", overflow="fold"),
    )
    for name, model in packaged.items():
        summary = summarize_archive(model.archive)
        table.add_row(
            name,
            model.model.version,
            str(model.archive.relative_to(root)),
            f"{model.archive.stat().st_size:,}",
            model.archive_digest.removeprefix("sha256:")[:12],
            ", ".join(summary.formats),
            f"yes: {', '.join(summary.pickles)}" if summary.pickles else "no",
            summary.compilation or "not asked for",
        )
    return table
