"""`forecast config`: check the configuration and keep its editor schema current."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads the annotations
from typing import Annotated

import typer

from forecast_config import ForecastError, load_config
from forecast_config.schema import schema_text
from forecast_operations.console import out, print_json
from forecast_operations.options import DEFAULT_CONFIG, ConfigOption

app = typer.Typer(no_args_is_help=True, help="Check the configuration.")


@app.command()
def check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Read the configuration and report everything that is wrong with it at once."""
    settings = load_config(config)
    out.print(f"{config} is valid: {', '.join(settings.environments)}")


@app.command()
def schema(
    write: Annotated[
        Path | None, typer.Option(help="File to write it to instead of printing it.")
    ] = None,
) -> None:
    """Print the JSON schema that editors check the configuration with."""
    if write is None:
        print_json(schema_text())
        return
    try:
        write.write_text(schema_text(), encoding="utf-8")
    except OSError as error:
        raise ForecastError(f"cannot write {write}: {error.strerror}") from None
    out.print(f"wrote {write}")
