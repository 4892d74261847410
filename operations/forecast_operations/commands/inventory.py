"""`forecast inventory`: what is stored where, encrypted with what, and for how long."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forecast_config import ForecastError, load_environments
from forecast_operations.console import out, print_document, print_json, write_text
from forecast_operations.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from forecast_operations.storing.inventory import read_inventory
from forecast_operations.storing.report import as_markdown, as_table, with_markdown
from forecast_operations.synthesis.templates import templates_of

SYNTH_OUTPUT = Path("cdk.out")

TemplatesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="TEMPLATE...|ENV", help="Templates in JSON, or an environment after a cdk synth."
    ),
]


def inventory_command(
    templates: TemplatesArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    folder: Annotated[
        Path, typer.Option("--cdk-out", help="Where `cdk synth` puts an environment's templates.")
    ] = SYNTH_OUTPUT,
    write: Annotated[
        Path | None,
        typer.Option("--write", "-w", help="File to write the Markdown to, behind its mark."),
    ] = None,
    *,
    as_json: JsonOption = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
) -> None:
    """List what templates store: where, encrypted with what, for how long, and what outlives them.

    It is read from the templates alone: what an escape hatch changed shows, and what is of a type
    that is not known here is listed as "unknown: check".
    """
    if as_json and markdown:
        raise typer.BadParameter("expected one of --json and --markdown, got both")
    records = read_inventory(_paths(templates, config, folder))
    if write is not None:
        write_text(write, with_markdown(_read(write), records))
        out.print(f"wrote {write}", markup=False)
    elif as_json:
        print_document(records)
    elif markdown:
        print_json(as_markdown(records))
    else:
        out.print(as_table(records))


def _read(page: Path) -> str:
    """What stands on a page that is written anew; nothing when there is none."""
    try:
        return page.read_text(encoding="utf-8") if page.is_file() else ""
    except OSError as error:
        raise ForecastError(f"cannot read {page}: {error.strerror}") from None


def _paths(given: list[str], config: Path, folder: Path) -> list[Path]:
    """The files that are meant: those named, and those of the environments named."""
    paths: list[Path] = []
    for each in given:
        path = Path(each)
        if path.suffix == ".json" or path.is_file():
            paths.append(path)
            continue
        settings = next(iter(load_environments(config, [each])[1].values()))
        paths += templates_of(settings, folder)
    return paths
