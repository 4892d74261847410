"""`forecast config`: check the configuration and keep its editor schema current."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads the annotations
from typing import Annotated, Any

import typer
import yaml

from forecast_config import load_config, load_environments
from forecast_config.reference import reference_text
from forecast_config.schema import schema_text
from forecast_config.settings.environment import OF_THE_FILE
from forecast_operations.console import out, print_document, print_json, write_text
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentsArgument,
    JsonOption,
    warn_of,
)

app = typer.Typer(no_args_is_help=True, help="Check the configuration.")


@app.command()
def check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Read the configuration and report everything that is wrong with it at once."""
    settings = load_config(config)
    for environment in settings.environments.values():
        warn_of(environment)
    out.print(f"{config} is valid: {', '.join(settings.environments)}")


@app.command()
def show(
    environments: EnvironmentsArgument = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    as_json: JsonOption = False,
) -> None:
    """Print the settings that environments have once every default is laid under them."""
    _, wanted = load_environments(config, environments)
    document = {
        name: _kind_first(settings.model_dump(mode="json", exclude=set(OF_THE_FILE)))
        for name, settings in wanted.items()
    }
    if as_json:
        print_document(document)
        return
    text = yaml.safe_dump({"environments": document}, sort_keys=False, allow_unicode=True)
    out.print(text.rstrip("\n"), markup=False)


def _kind_first(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    kind = {"kind": value["kind"]} if "kind" in value else {}
    return kind | {key: _kind_first(each) for key, each in value.items() if key != "kind"}


@app.command()
def docs(
    write: Annotated[
        Path | None, typer.Option(help="File to write it to instead of printing it.")
    ] = None,
) -> None:
    """Print the reference of every key, as Markdown."""
    _give(reference_text(), write)


@app.command()
def schema(
    write: Annotated[
        Path | None, typer.Option(help="File to write it to instead of printing it.")
    ] = None,
) -> None:
    """Print the JSON schema that editors check the configuration with."""
    _give(schema_text(), write)


def _give(text: str, write: Path | None) -> None:
    """Print a document, or write it to a file.

    Raises:
        ForecastError: The file cannot be written.
    """
    if write is None:
        print_json(text)
        return
    write_text(write, text)
    out.print(f"wrote {write}")
