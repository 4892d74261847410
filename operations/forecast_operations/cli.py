"""The `forecast` command."""

from __future__ import annotations

import sys

import typer

from forecast_config import ForecastError
from forecast_operations.commands import config, local
from forecast_operations.commands.capacity import capacity_command
from forecast_operations.commands.check import check_command
from forecast_operations.commands.dashboard import dashboard_command
from forecast_operations.commands.deploy import deploy_command
from forecast_operations.commands.inventory import inventory_command
from forecast_operations.commands.invoke import invoke_command
from forecast_operations.commands.package import package_command
from forecast_operations.commands.resolve import resolve_command
from forecast_operations.commands.serve import serve_command
from forecast_operations.console import err

INTERRUPTED = 130

app = typer.Typer(
    name="forecast",
    help="Put a forecasting model from MLflow into production on Amazon SageMaker.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("resolve")(resolve_command)
app.command("package")(package_command)
app.command("deploy")(deploy_command)
app.command("check")(check_command)
app.command("capacity")(capacity_command)
app.command("serve")(serve_command)
app.command("invoke")(invoke_command)
app.command("dashboard")(dashboard_command)
app.command("inventory")(inventory_command)
app.add_typer(local.app, name="local")
app.add_typer(config.app, name="config")


def main() -> None:
    """Run the command; a mistake of the user's is one sentence and an exit code, no traceback."""
    try:
        app()
    except ForecastError as error:
        err.print(f"error: {error}", markup=False)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        err.print("interrupted; it can be run again")
        sys.exit(INTERRUPTED)
