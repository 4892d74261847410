"""`forecast endpoints`: those of the configuration and others, asked, described and deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_config import ForecastError, load_config
from forecast_operations.console import byte_progress, err, out, print_json
from forecast_operations.options import (
    DEFAULT_CONFIG,
    AcceptOption,
    ConfigOption,
    ContentTypeOption,
    JsonOption,
    RequestFileOption,
    YesOption,
    confirm,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_config import ForecastConfig
    from forecast_operations.endpoints.listing import Listed

app = typer.Typer(help="List, describe, ask and delete endpoints.", no_args_is_help=True)

EndpointArgument = Annotated[
    str, typer.Argument(metavar="NAME|ENV", help="An endpoint, or an environment.")
]
RegionOption = Annotated[
    list[str] | None,
    typer.Option("--region", help="Look in this region; else in those of the environments."),
]


@app.command("list")
def list_command(
    region: RegionOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    everywhere: Annotated[
        bool, typer.Option("--all", help="Look in every region of allowed_regions.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List the endpoints of the configuration, and what else is in their regions.

    The exit code is 0, whatever state they are in; forecast status judges that.
    """
    from forecast_operations.endpoints.listing import list_endpoints  # noqa: PLC0415
    from forecast_operations.endpoints.table import lines_of  # noqa: PLC0415

    project = load_config(config)
    regions = list(project.allowed_regions) if everywhere else _regions(project, region)
    listed = list_endpoints(project.environments, regions)
    if as_json:
        _print(listed)
    else:
        for line in lines_of(listed, datetime.now(UTC), out.width):
            out.print(line, markup=False)


@app.command("describe")
def describe_command(
    name: EndpointArgument,
    region: RegionOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    as_json: JsonOption = False,
) -> None:
    """Describe one endpoint: what it serves, with what, since when, and what is remarkable."""
    from forecast_operations.deployed.endpoint import read_endpoint  # noqa: PLC0415
    from forecast_operations.endpoints.listing import Listed, find_stray, look_at  # noqa: PLC0415
    from forecast_operations.endpoints.listing import place_of as place_of_name  # noqa: PLC0415

    project = load_config(config)
    place = place_of_name(project, name)
    if place is not None:
        found = look_at(place)
    else:
        live = find_stray(name, _regions(project, region))
        found = Listed(None, name, live.cloud.region, read_endpoint(live, name))
    if as_json:
        _print(found)
    else:
        _description(found, datetime.now(UTC))


@app.command("invoke")
def invoke_command(  # noqa: PLR0917 - typer names them on the command line
    name: EndpointArgument,
    file: RequestFileOption = None,
    content_type: ContentTypeOption = None,
    accept: AcceptOption = "application/json",
    region: RegionOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    example: Annotated[
        bool, typer.Option("--example", help="Send the example that was packed with the model.")
    ] = False,
) -> None:
    """Send one request to an endpoint; the answer alone goes to standard output.

    The exit code is 0 for an answer, and 1 for a refusal or when nobody answers.
    """
    from forecast_operations.commands.invoke import read_request, write_answer  # noqa: PLC0415
    from forecast_operations.endpoints.asking import ask_endpoint  # noqa: PLC0415
    from forecast_operations.endpoints.example import example_request  # noqa: PLC0415
    from forecast_operations.endpoints.listing import find_stray, place_of  # noqa: PLC0415

    project = load_config(config)
    place = place_of(project, name)
    if not example:
        body, headers = read_request(file, content_type, accept)
    elif place is None or file is not None:
        raise ForecastError("--example: expected an environment's endpoint, and no --file")
    else:
        with byte_progress(f"packing for {place.settings.name}") as report:
            body, of_example = example_request(project, place.settings, report)
        headers = {"Content-Type": of_example, "Accept": accept}
    if place is not None:
        answer = ask_endpoint(place.cloud, place.endpoint_name, body, headers)
    else:
        live = find_stray(name, _regions(project, region))
        answer = ask_endpoint(live.cloud, name, body, headers)
    write_answer(answer)


@app.command("delete")
def delete_command(
    name: EndpointArgument,
    region: RegionOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    with_models: Annotated[
        bool,
        typer.Option(
            "--with-models",
            help="Of an endpoint that is none of the configuration's: its configuration and models "
            "too, unless something else uses them.",
        ),
    ] = False,
    yes: YesOption = False,
) -> None:
    """Delete an endpoint: one of the configuration with its stack, another one by itself.

    The exit code is 0 when it is gone.
    """
    from forecast_operations.deployed.live import check_account  # noqa: PLC0415
    from forecast_operations.endpoints import deletion as deletions  # noqa: PLC0415
    from forecast_operations.endpoints.consequences import consequences  # noqa: PLC0415
    from forecast_operations.endpoints.listing import find_stray, place_of  # noqa: PLC0415

    project = load_config(config)
    place = place_of(project, name)
    planned: deletions.OwnDeletion | deletions.StrayDeletion
    if place is not None:
        check_account(place.live, place.settings.account)
        planned, name = deletions.plan_own(place), place.endpoint_name
    else:
        live = find_stray(name, _regions(project, region))
        deletions.check_accounts(live, project.environments.values())
        planned = deletions.plan_stray(live, name, with_models=with_models)
    confirm(f"delete the endpoint {name}", list(consequences(planned)), yes=yes)

    def say(step: str) -> None:
        err.print(step, markup=False)

    if isinstance(planned, deletions.OwnDeletion):
        deletions.carry_out_own(planned, say)
    else:
        deletions.carry_out_stray(planned, say)
    out.print(f"{name} is gone", markup=False)


def _regions(project: ForecastConfig, given: list[str] | None) -> list[str]:
    return given or list(dict.fromkeys(each.region for each in project.environments.values()))


def _print(value: Listed | Sequence[Listed]) -> None:
    from forecast_operations.documents import as_json as write  # noqa: PLC0415
    from forecast_operations.documents import plain  # noqa: PLC0415
    from forecast_operations.endpoints.listing import Listed  # noqa: PLC0415

    if isinstance(value, Listed):
        print_json(write({**plain(value), "remark": value.remark}))
    else:
        print_json(write([{**plain(each), "remark": each.remark} for each in value]))


def _description(each: Listed, now: datetime) -> None:
    from forecast_operations.endpoints.table import versions  # noqa: PLC0415
    from forecast_operations.watching.moments import ago  # noqa: PLC0415
    from forecast_operations.watching.screen import in_words  # noqa: PLC0415

    state = each.state
    rows = [
        ("endpoint", each.name),
        ("environment", each.environment or "none of this configuration"),
        ("region", each.region),
        ("version", versions(each) or "unknown"),
        ("deployed", each.deployed_config or "nothing"),
    ]
    if state is not None:
        rows += [
            ("status", f"{state.status} for {ago(state.since, now)}"),
            ("created", f"{ago(state.created, now)} ago"),
            ("mode", state.mode or "unknown: its configuration is gone"),
            ("serves", state.config),
            *(("variant", in_words(variant)) for variant in state.variants),
            *(("model", f"{each.name}: {each.model}") for each in state.variants if each.model),
        ]
    if each.remark:
        rows.append(("remark", each.remark))
    for key, value in rows:
        out.print(f"{key:<12} {value}", markup=False)
