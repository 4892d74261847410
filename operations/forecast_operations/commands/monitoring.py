"""`forecast monitoring`: whether the alarms of an environment tell anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from forecast_config import ForecastError, load_environments
from forecast_operations.console import out, print_document
from forecast_operations.deployed.alarms import alarms_of, mute, telling, unmute
from forecast_operations.deployed.live import check_account
from forecast_operations.deployed.place import Place
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentArgument,
    JsonOption,
    YesOption,
    confirm,
)

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_operations.deployed.alarms import WatchedAlarm

app = typer.Typer(
    help="Turn the actions of an environment's alarms on and off.", no_args_is_help=True
)


@app.command("start")
def start_command(
    environment: EnvironmentArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    as_json: JsonOption = False,
) -> None:
    """Turn the actions of all alarms on: what is in alarm tells with its next change of state."""
    place, alarms = _alarms(config, environment)
    check_account(place.live, place.settings.account)
    unmute(place.cloud, telling(alarms))
    _show(alarms_of(place), place, as_json=as_json)


@app.command("stop")
def stop_command(
    environment: EnvironmentArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Turn the actions of all alarms off: their states go on changing, and nobody is told."""
    place, alarms = _alarms(config, environment)
    check_account(place.live, place.settings.account)
    muting = telling(alarms)
    consequences = [
        place.where,
        f"nobody is told when {place.endpoint_name} fails",
        "what undoes a rollout goes on doing so: SageMaker looks at states, not at actions",
        "a deployment that changes an alarm turns it on again",
        f"the way back: forecast monitoring start {environment}",
    ]
    confirm(f"mute {len(muting)} alarms of {place.endpoint_name}", consequences, yes=yes)
    mute(place.cloud, muting)
    _show(alarms_of(place), place, as_json=as_json)


@app.command("status")
def status_command(
    environment: EnvironmentArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show which alarms are muted and which are in alarm.

    The exit code is 0 when none is either, and 1 else.
    """
    place, alarms = _alarms(config, environment)
    _show(alarms, place, as_json=as_json)
    if any((alarm.muted and not alarm.scales) or alarm.state == "ALARM" for alarm in alarms):
        raise typer.Exit(1)


def _alarms(config: Path, environment: str) -> tuple[Place, tuple[WatchedAlarm, ...]]:
    project, named = load_environments(config, [environment])
    place = Place.of(named[environment], project)
    alarms = alarms_of(place)
    if not alarms:
        raise ForecastError(
            f"{place.endpoint_name} has no alarms in {place.settings.region}; deploy it first: "
            f"forecast deploy {environment}"
        )
    return place, alarms


def _show(alarms: tuple[WatchedAlarm, ...], place: Place, *, as_json: bool) -> None:
    if as_json:
        print_document({"endpoint_name": place.endpoint_name, "alarms": alarms})
        return
    for alarm in alarms:
        told = "scales" if alarm.scales else "muted" if alarm.muted else "on"
        kind = "incident" if alarm.composite else "alarm"
        out.print(f"{alarm.state:<17} {told:<6} {kind:<8} {alarm.name}", markup=False)
