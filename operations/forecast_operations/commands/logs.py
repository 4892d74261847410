"""`forecast logs`: what the containers of an endpoint wrote, or its heartbeat."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_config import load_environments
from forecast_operations.console import out, say
from forecast_operations.deployed.place import Place
from forecast_operations.moments import parse_since
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentArgument,
)
from forecast_operations.watching.logs import Wanted, follow, nothing_found, read_events

if TYPE_CHECKING:
    from forecast_operations.cloud.refusals import CloudError
    from forecast_operations.watching.logs import LogEvent

_POLL_SECONDS = 2.0


def logs_command(
    environment: EnvironmentArgument,
    since: Annotated[
        str,
        typer.Option(
            help="How far back: 30m, 2h, 1d; or since when: 2027-01-04T08:00 (UTC, or with an "
            "offset: 2027-01-04T16:00+08:00)."
        ),
    ] = "30m",
    pattern: Annotated[
        str | None,
        typer.Option(
            "--filter", help="A filter pattern of CloudWatch Logs: a word, '{ $.rows > 9 }'."
        ),
    ] = None,
    variant: Annotated[str | None, typer.Option(help="Lines of this variant only.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    follow_on: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")
    ] = False,
    errors: Annotated[
        bool, typer.Option("--errors", help="Refused requests and problems only.")
    ] = False,
    heartbeat: Annotated[
        bool, typer.Option("--heartbeat", help="What the heartbeat's function wrote instead.")
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="The lines as they were written.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document a line: time, stream, message.")
    ] = False,
) -> None:
    """Show what an endpoint's containers wrote, each line with its time in UTC, variant, instance.

    The exit code is 0, also when nothing was written; a sentence then says where was looked.
    """
    now = datetime.now(UTC)
    begin = parse_since(since, now)
    project, named = load_environments(config, [environment])
    place = Place.of(named[environment], project)
    wanted = Wanted(heartbeat=heartbeat, variant=variant, pattern=pattern, errors=errors)
    found = 0
    events = (
        follow(place, wanted, begin, lambda: time.sleep(_POLL_SECONDS), _refused)
        if follow_on
        else read_events(place, wanted, begin)
    )
    try:
        for event in events:
            found += 1
            _show(event, raw=raw, as_json=as_json)
    except KeyboardInterrupt:
        # How a person ends following; nothing was interrupted.
        if not follow_on:
            raise
    if not found:
        say(nothing_found(place, wanted, begin))


def _refused(error: CloudError) -> None:
    say(f"not read at {datetime.now(UTC):%H:%M:%S} UTC, trying again: {error}")


def _show(event: LogEvent, *, raw: bool, as_json: bool) -> None:
    if as_json:
        document = {
            "time": event.at.isoformat(timespec="milliseconds"),
            "stream": event.stream,
            "message": event.message if event.document is None else event.document,
        }
        out.print(json.dumps(document, ensure_ascii=False), markup=False)
        return
    if raw:
        out.print(event.message, markup=False)
        return
    from forecast_operations.watching.log_lines import lines_of  # noqa: PLC0415

    for line in lines_of(event):
        out.print(line)
