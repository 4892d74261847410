"""`forecast local`: an AWS on this machine."""

from __future__ import annotations

import shlex
from pathlib import Path  # noqa: TC003  # typer reads the annotations
from typing import Annotated, Any

import typer

from forecast_config import ForecastError, load_config
from forecast_operations.console import out
from forecast_operations.options import DEFAULT_CONFIG, ConfigOption

app = typer.Typer(no_args_is_help=True, help="Run an AWS on this machine, without an account.")


def _lifecycle() -> Any:
    """The module of the local AWS, which is an extra of the installation.

    Raises:
        ForecastError: The extra is not installed.
    """
    try:
        from forecast_local import lifecycle  # noqa: PLC0415  # moto is heavy, and optional
    except ModuleNotFoundError as error:
        raise ForecastError(
            f"the local AWS needs {error.name}; install this project with its extra 'local'"
        ) from None
    return lifecycle


def _root(config: Path) -> Path:
    return load_config(config).root


@app.command()
def up(
    config: ConfigOption = DEFAULT_CONFIG,
    port: Annotated[
        int | None, typer.Option(min=1024, max=65535, help="Port; a free one when not given.")
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(help="Seconds of a rollout's waiting times that pass in one second (300)."),
    ] = None,
) -> None:
    """Start it, or say where it runs already."""
    local = _lifecycle().up(_root(config), port, speed=speed)
    out.print(f"the local AWS listens on {local.endpoint_url}")
    out.print('point your tools at it with: eval "$(forecast local env)"')


@app.command()
def down(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Stop it and its model servers; what was deployed there is gone."""
    stopped = _lifecycle().down(_root(config))
    out.print("the local AWS is stopped" if stopped else "the local AWS was not running")


@app.command()
def status(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Say whether it runs; the exit code is 0 only then."""
    local = _lifecycle().status(_root(config))
    if local is None:
        out.print("the local AWS is not running; start it with: forecast local up")
        raise typer.Exit(1)
    out.print(f"the local AWS listens on {local.endpoint_url} (process {local.pid})")
    out.print(f"its log is {local.log}")


@app.command()
def env(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Print the variables that point the CDK CLI, the AWS CLI and boto3 at it.

    The default region is that of the first environment.
    """
    settings = load_config(config)
    local = _lifecycle().status(settings.root)
    if local is None:
        raise ForecastError("the local AWS is not running; start it with: forecast local up")
    region = next(iter(settings.environments.values())).region
    for name, value in sorted(local.environment(region=region).items()):
        out.print(f"export {name}={shlex.quote(value)}", markup=False)
