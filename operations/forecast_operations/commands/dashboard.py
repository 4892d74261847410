"""`forecast dashboard`: a picture of a dashboard, from an account or from a template."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from forecast_config import ForecastError, load_environments, names
from forecast_config.overview import shown_together
from forecast_operations.console import out
from forecast_operations.drawing.board import board_from_template
from forecast_operations.options import DEFAULT_CONFIG, ConfigOption

EnvironmentArgument = Annotated[
    str | None, typer.Argument(metavar="[ENV]", help="The environment whose dashboard is drawn.")
]


def dashboard_command(  # noqa: PLR0917 - typer names them on the command line
    environment: EnvironmentArgument = None,
    write: Annotated[
        Path, typer.Option("--write", "-w", help="File to draw into: .svg, .png or .pdf.")
    ] = Path("dashboard.svg"),
    template: Annotated[
        Path | None,
        typer.Option(help="Draw the dashboard in this template, such as one in cdk.out."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Draw the dashboard of this name; else the environment's.")
    ] = None,
    hours: Annotated[float, typer.Option(min=0.25, max=24 * 63, help="Hours to look back.")] = 12,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    overview: Annotated[
        bool, typer.Option("--overview", help="Draw the dashboard of all environments.")
    ] = False,
    sample: Annotated[
        bool, typer.Option("--sample", help="Draw made-up values: for a look at the layout.")
    ] = False,
) -> None:
    """Draw a dashboard into a file.

    The values are those of CloudWatch: on AWS, or where AWS_ENDPOINT_URL points. With --template
    and --sample nothing is asked of AWS.
    """
    # Numbers and pictures cost time that no other command needs to pay.
    from forecast_operations.drawing.cloudwatch import CloudWatch  # noqa: PLC0415
    from forecast_operations.drawing.picture import draw_board  # noqa: PLC0415
    from forecast_operations.drawing.sample import Sample  # noqa: PLC0415
    from forecast_operations.drawing.source import Times  # noqa: PLC0415

    cloudwatch = CloudWatch(Times.of(datetime.now(UTC), hours))
    if template is not None:
        board = board_from_template(template, name)
    else:
        board = cloudwatch.board(*_wanted(config, environment, name, overview=overview))
    draw_board(board, Sample(hours, board) if sample else cloudwatch, write)
    out.print(f"wrote {write}: {board.name}, {len(board.widgets)} widgets", markup=False)


def _wanted(
    config: Path, environment: str | None, name: str | None, *, overview: bool
) -> tuple[str, str]:
    """Name of the dashboard, and the region to ask.

    Raises:
        ForecastError: It is not said which dashboard.
    """
    settings = list(load_environments(config, [environment] if environment else None)[1].values())
    if name is not None:
        return name, settings[-1].region
    if environment is not None:
        return names.dashboard(settings[0].endpoint.name), settings[0].region
    shown = shown_together(settings) if overview else []
    if shown:
        named = names.overview_dashboard([each.endpoint.name for each in shown])
        return named, shown[-1].region
    raise ForecastError(
        "expected an environment such as prod, --overview (of two or more), --name or --template, "
        "got none"
    )
