"""`forecast stop`: an emergency stop of an environment, with its way back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from forecast_config import ForecastError, load_environments
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

    from forecast_operations.stopping.stop import Stop


HowOption = Annotated[
    Literal["scale", "reject", "delete"],
    typer.Option(
        help="scale: to the environment's minimum; reject: refuse requests at the front door; "
        "delete: without its endpoint."
    ),
]


def stop_command(
    environment: EnvironmentArgument,
    how: HowOption,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Stop an environment in an emergency; `forecast start` brings back exactly what was.

    It can be interrupted and run again. The exit code is 0 when the environment is stopped.
    """
    # With the models of what is noted, which no other command needs to wait for.
    from forecast_operations.deployed.live import check_account  # noqa: PLC0415
    from forecast_operations.deployed.place import Place  # noqa: PLC0415
    from forecast_operations.stopping.stop import (  # noqa: PLC0415
        carry_out_stop,
        look_again,
        plan_stop,
    )

    project, named = load_environments(config, [environment])
    settings = named[environment]
    if how == "reject":
        raise ForecastError(_no_front_door(environment))
    place = Place.of(settings, project)
    check_account(place.live, settings.account)
    stop = plan_stop(place, how, datetime.now(UTC))
    name = settings.endpoint.name
    doing = f"bring {name} to its minimum" if how == "scale" else f"delete the endpoint {name}"
    confirm(doing, [place.where, *consequences(stop)], yes=yes)
    stop = look_again(stop, say)
    carry_out_stop(stop, say)
    if as_json:
        print_document(stop.before)
    else:
        out.print(
            f"{name} is stopped; bring it back with: forecast start {environment}", markup=False
        )


def consequences(stop: Stop) -> Iterator[str]:
    """What a stop does, and how it is undone, one sentence each."""
    environment, before = stop.place.settings.name, stop.before
    if stop.outdated is not None:
        yield (
            f"the endpoint was made anew after the stop of {stop.outdated.at:%Y-%m-%d %H:%M} UTC: "
            f"the note of it is outdated; its {len(stop.outdated.muted)} alarms notify again "
            "before, and its schedules go on"
        )
    if before.how == "scale":
        yield from _of_scaling(stop)
    else:
        if stop.state is not None:
            yield "every request fails from then on, until it is back: minutes"
        if before.targets:
            scaled = ", ".join(target.resource_id.rpartition("/")[2] for target in before.targets)
            yield f"the scaling of {scaled} goes with it, and comes back with it"
        yield (
            f"{len(before.muted)} alarms are muted, so that nobody is called; the heartbeat goes "
            "on asking, and finds nothing"
        )
        yield "stack, model, configuration and archive stay: nothing is built again"
    if before.schedules:
        yield (
            "the schedules of its off hours are switched off until it is started again, or they "
            "would make it anew with all of its instances"
        )
    if any(target.actions for target in before.targets):
        yield (
            "forecast start brings back the bounds of now; what scheduled actions would have "
            "changed meanwhile comes with the next of them"
        )
    yield f"the way back: forecast start {environment}"


def _of_scaling(stop: Stop) -> Iterator[str]:
    from forecast_operations.stopping.stop import smaller  # noqa: PLC0415

    state = stop.state
    known = {each.name: each for each in (() if state is None else state.answering)}
    for change in smaller(state, stop.floor):
        variant = change["VariantName"]
        count = known[variant].desired
        count = known[variant].warm if count is None else count
        yield (
            f"{variant} goes from {count} to {stop.floor}: what is more than that can serve is "
            "late or refused"
        )
    shadows = [each.name for each in (() if state is None else state.variants) if each.shadow]
    if shadows:
        yield f"shadow variants keep their instances: {', '.join(shadows)}"
    if stop.targets:
        yield "nothing scales meanwhile: dynamic and scheduled scaling are suspended"
    yield f"alarms go on; mute them with: forecast monitoring stop {stop.place.settings.name}"


def _no_front_door(environment: str) -> str:
    return (
        f"{environment} has no front door at which requests could be refused: clients call "
        "SageMaker itself (sagemaker:InvokeEndpoint); take that permission from their roles, or "
        f"give up answering: forecast stop {environment} --how delete; or cost only: forecast stop "
        f"{environment} --how scale"
    )
