"""`forecast endpoints`: those of the configuration and others, asked, described and deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_config import ForecastError, load_config
from forecast_operations.console import byte_progress, out, print_document, say
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
    from typing import Any

    from forecast_operations.endpoints.listing import Listed

app = typer.Typer(help="List, describe, ask and delete endpoints.", no_args_is_help=True)

EndpointArgument = Annotated[
    str, typer.Argument(metavar="NAME|ENV", help="An endpoint, or an environment.")
]
RegionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--region", help="Look in this region, and in no other; else in those of the environments."
    ),
]
AllOption = Annotated[bool, typer.Option("--all", help="Look in every region of allowed_regions.")]
ExampleOption = Annotated[
    bool, typer.Option("--example", help="Send the example that was packed with the model.")
]
WithModelsOption = Annotated[
    bool,
    typer.Option(
        "--with-models",
        help="Of an endpoint that is none of the configuration's: its configuration and models "
        "too, unless something else uses them.",
    ),
]


@app.command("list")
def list_command(
    region: RegionOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    everywhere: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """List the endpoints of the configuration, and what else is in their regions.

    The exit code is 0, whatever state they are in; forecast status judges that.
    """
    from forecast_operations.endpoints.finding import regions_of  # noqa: PLC0415
    from forecast_operations.endpoints.listing import list_endpoints  # noqa: PLC0415
    from forecast_operations.endpoints.table import lines_of  # noqa: PLC0415

    project = load_config(config)
    regions = list(project.allowed_regions) if everywhere else regions_of(project, region)
    listed = list_endpoints(project.environments, regions)
    if as_json:
        print_document([_document(each) for each in listed])
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
    from forecast_operations.deployed.place import Place  # noqa: PLC0415
    from forecast_operations.endpoints.finding import find  # noqa: PLC0415
    from forecast_operations.endpoints.listing import Listed, look_at  # noqa: PLC0415

    there = find(load_config(config), name, region)
    if isinstance(there, Place):
        found = look_at(there)
    else:
        found = Listed(None, name, there.cloud.region, read_endpoint(there, name))
    if as_json:
        print_document(_document(found))
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
    example: ExampleOption = False,
) -> None:
    """Send one request to an endpoint; the answer alone goes to standard output.

    The exit code is 0 for an answer, and 1 for a refusal or when nobody answers.
    """
    from forecast_operations.commands.invoke import read_request, write_answer  # noqa: PLC0415
    from forecast_operations.endpoints import asking  # noqa: PLC0415
    from forecast_operations.endpoints.example import example_request  # noqa: PLC0415
    from forecast_operations.endpoints.finding import find_stray, place_of  # noqa: PLC0415

    project = load_config(config)
    place = place_of(project, name, region)
    if place is not None:
        name = place.endpoint_name
        asking.check_answers_at_once(place.settings)
    if not example:
        body, headers = read_request(file, content_type, accept)
    elif place is None or file is not None:
        raise ForecastError("--example: expected an environment's endpoint, and no --file")
    else:
        with byte_progress(f"packing for {place.settings.name}") as report:
            body, of_example = example_request(project, place.settings, report)
        headers = {"Content-Type": of_example, "Accept": accept}
    there = place or find_stray(project, name, region)
    write_answer(asking.ask_endpoint(there.cloud, name, body, headers))


@app.command("delete")
def delete_command(
    name: EndpointArgument,
    region: RegionOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    with_models: WithModelsOption = False,
    yes: YesOption = False,
) -> None:
    """Delete an endpoint: one of the configuration with its stack, another one by itself.

    The exit code is 0 when it is gone.
    """
    from forecast_operations.deployed.live import check_account  # noqa: PLC0415
    from forecast_operations.deployed.place import Place  # noqa: PLC0415
    from forecast_operations.endpoints import deletion as deletions  # noqa: PLC0415
    from forecast_operations.endpoints.consequences import consequences  # noqa: PLC0415
    from forecast_operations.endpoints.finding import find  # noqa: PLC0415

    project = load_config(config)
    there = find(project, name, region)
    planned: deletions.OwnDeletion | deletions.StrayDeletion
    if isinstance(there, Place):
        check_account(there.live, there.settings.account)
        planned, name = deletions.plan_own(there), there.endpoint_name
    else:
        deletions.check_accounts(there, project.environments.values())
        planned = deletions.plan_stray(there, name, with_models=with_models)
    confirm(f"delete the endpoint {name}", list(consequences(planned)), yes=yes)
    if isinstance(planned, deletions.OwnDeletion):
        deletions.carry_out_own(planned, say)
    else:
        deletions.carry_out_stray(planned, say)
    out.print(f"{name} is gone", markup=False)


def _document(each: Listed) -> dict[str, Any]:
    from forecast_operations.documents import plain  # noqa: PLC0415

    return {**plain(each), "remark": each.remark}


def _description(each: Listed, now: datetime) -> None:
    from forecast_operations.endpoints.table import versions  # noqa: PLC0415
    from forecast_operations.moments import ago  # noqa: PLC0415
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
