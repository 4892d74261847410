"""`forecast status`: environments at a glance, once or again and again."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_config import ForecastError, load_environments
from forecast_operations.console import out, print_document
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentsArgument,
    JsonOption,
)

if TYPE_CHECKING:
    from forecast_operations.deployed.place import Place


def status_command(
    environments: EnvironmentsArgument = None,
    every: Annotated[
        float, typer.Option(min=1, max=3600, help="Seconds between two looks with --watch.")
    ] = 10,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Look again and again, until Ctrl-C.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show endpoint, alarms, traffic, heartbeat, scaling and last deployments of environments.

    What the credentials do not allow is one line that names the permission. The exit code is 0
    when every endpoint is in service with what was deployed, nothing is in alarm and nothing is
    stopped, and 1 else.
    """
    # With the models of the records, which no other command needs to wait for.
    from forecast_operations.deployed.place import Place  # noqa: PLC0415
    from forecast_operations.watching.document import of_statuses  # noqa: PLC0415
    from forecast_operations.watching.reading import read_all  # noqa: PLC0415
    from forecast_operations.watching.screen import draw  # noqa: PLC0415

    project, wanted = load_environments(config, environments)
    places = [Place.of(settings, project) for settings in wanted.values()]
    if watch:
        if as_json:
            raise ForecastError("--watch is for people, --json for programs; give one of them")
        _watch(places, every)
        return
    statuses = read_all(places)
    if as_json:
        print_document(of_statuses(statuses))
    else:
        out.print(draw(statuses), soft_wrap=False)
    if any(status.troubles for status in statuses):
        raise typer.Exit(1)


def _watch(places: list[Place], every: float) -> None:
    from rich.console import Group, RenderableType  # noqa: PLC0415
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from forecast_operations.cloud.refusals import (  # noqa: PLC0415
        CloudError,
        CredentialsError,
        NotAllowedError,
    )
    from forecast_operations.watching.reading import read_all  # noqa: PLC0415
    from forecast_operations.watching.screen import draw  # noqa: PLC0415

    last: RenderableType = ""
    read = datetime.now(UTC)
    try:
        with Live(console=out, auto_refresh=False, screen=out.is_terminal) as live:
            while True:
                try:
                    last = picture = draw(read_all(places))
                    read = datetime.now(UTC)
                except (CredentialsError, NotAllowedError):
                    raise
                except CloudError as error:
                    why = Text(f"not read since {read:%H:%M:%S} UTC: {error}", style="yellow")
                    picture = Group(why, last)
                live.update(picture, refresh=True)
                time.sleep(every)
    except KeyboardInterrupt:
        # How a person ends it; nothing was interrupted.
        return
