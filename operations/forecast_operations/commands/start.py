"""`forecast start`: the way back from an emergency stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config import load_environments
from forecast_operations.console import out, print_document, say
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentArgument,
    JsonOption,
    YesOption,
    confirm,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.stopping.start import Start


def start_command(
    environment: EnvironmentArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring a stopped environment back exactly as it was: counts, bounds, policies, alarms.

    It can be interrupted and run again. The exit code is 0 when everything is as it was.
    """
    # With the models of what is noted, which no other command needs to wait for.
    from forecast_operations.deployed.live import check_account  # noqa: PLC0415
    from forecast_operations.deployed.place import Place  # noqa: PLC0415
    from forecast_operations.stopping.start import carry_out_start, plan_start  # noqa: PLC0415

    project, named = load_environments(config, [environment])
    settings = named[environment]
    place = Place.of(settings, project)
    check_account(place.live, settings.account)
    start = plan_start(place)
    doing = f"start {settings.endpoint.name} again"
    confirm(doing, [place.where, *consequences(start)], yes=yes)
    carry_out_start(start, say)
    if as_json:
        print_document(start.before)
    else:
        out.print(f"{settings.endpoint.name} is as it was", markup=False)


def consequences(start: Start) -> Iterator[str]:
    """What comes back, one sentence each."""
    from forecast_operations.stopping.before import is_outdated  # noqa: PLC0415

    before, endpoint = start.before, start.before.endpoint
    yield f"stopped by {before.caller} at {before.at:%Y-%m-%d %H:%M} UTC ({before.how})"
    if endpoint is not None and start.state is None:
        yield f"the endpoint is created with {endpoint.config}; its instances cost from then on"
    elif endpoint is not None and start.state is not None and start.state.config != endpoint.config:
        yield f"the endpoint serves {start.state.config} by now, and keeps it"
    made_anew = is_outdated(before, start.state)
    if made_anew:
        yield "it was made anew since: its counts, and what scales by now, stay as deployed"
    counts = {} if endpoint is None or made_anew else endpoint.counts
    if counts:
        yield f"instances: {', '.join(f'{name} {count}' for name, count in counts.items())}"
    for target in () if made_anew else before.targets:
        yield f"{target.resource_id} scales from {target.minimum} to {target.maximum} again"
    if not made_anew and any(target.actions for target in before.targets):
        yield "these are the bounds as of the stop, until the next scheduled action changes them"
    if before.muted:
        yield f"{len(before.muted)} alarms notify again"
    if before.schedules:
        yield "the schedules of its off hours are switched on"
