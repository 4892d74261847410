"""The `forecast` command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from forecast_config import ForecastError
from forecast_operations.commands import config, endpoints, local, monitoring
from forecast_operations.commands.capacity import capacity_command
from forecast_operations.commands.check import check_command
from forecast_operations.commands.compare import compare_command
from forecast_operations.commands.cost import cost_command
from forecast_operations.commands.dashboard import dashboard_command
from forecast_operations.commands.deploy import deploy_command
from forecast_operations.commands.history import history_command
from forecast_operations.commands.init import init_command
from forecast_operations.commands.inventory import inventory_command
from forecast_operations.commands.invoke import invoke_command
from forecast_operations.commands.logs import logs_command
from forecast_operations.commands.package import package_command
from forecast_operations.commands.plan import plan_command
from forecast_operations.commands.preflight import preflight_command
from forecast_operations.commands.promote import promote_command
from forecast_operations.commands.prune import prune_command
from forecast_operations.commands.resolve import resolve_command
from forecast_operations.commands.rollback import rollback_command
from forecast_operations.commands.serve import serve_command
from forecast_operations.commands.show import show_command
from forecast_operations.commands.start import start_command
from forecast_operations.commands.status import status_command
from forecast_operations.commands.stop import stop_command
from forecast_operations.commands.verify import verify_command
from forecast_operations.console import err

if TYPE_CHECKING:
    from collections.abc import Callable

INTERRUPTED = 130

app = typer.Typer(
    name="forecast",
    help="Put a forecasting model from MLflow into production on Amazon SageMaker.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_COMMANDS: dict[str, dict[str, Callable[..., None] | typer.Typer]] = {
    "Begin": {
        "init": init_command,
        "config": config.app,
        "local": local.app,
    },
    "Build": {
        "resolve": resolve_command,
        "package": package_command,
        "serve": serve_command,
        "invoke": invoke_command,
    },
    "Before a deployment": {
        "preflight": preflight_command,
        "plan": plan_command,
        "cost": cost_command,
        "check": check_command,
        "inventory": inventory_command,
    },
    "Deploy": {
        "deploy": deploy_command,
        "verify": verify_command,
        "history": history_command,
        "show": show_command,
        "rollback": rollback_command,
        "compare": compare_command,
        "promote": promote_command,
    },
    "Operate": {
        "status": status_command,
        "endpoints": endpoints.app,
        "logs": logs_command,
        "monitoring": monitoring.app,
        "stop": stop_command,
        "start": start_command,
        "prune": prune_command,
        "capacity": capacity_command,
        "dashboard": dashboard_command,
    },
}
for _panel, _commands in _COMMANDS.items():
    for _name, _command in _commands.items():
        if isinstance(_command, typer.Typer):
            app.add_typer(_command, name=_name, rich_help_panel=_panel)
        else:
            app.command(_name, rich_help_panel=_panel)(_command)


def main() -> None:
    """Run the command; a mistake of the user's is one sentence and an exit code, no traceback."""
    try:
        app()
    except ForecastError as error:
        err.print(f"error: {error}", markup=False)
        sys.exit(error.exit_code)
    except SystemExit as end:
        # Typer has taken the interruption for itself.
        if end.code == INTERRUPTED:
            err.print("interrupted; it can be run again")
        raise
