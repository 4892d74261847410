"""`forecast compare`: a challenger beside its champion."""

from __future__ import annotations

from pathlib import Path  # typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from forecast_config import load_environments
from forecast_operations.comparing.limits import LEAST_SAMPLES, LIMIT, MIN_SAMPLES, SINCE, TOP, Loss
from forecast_operations.console import byte_progress, out, print_json, say, warn
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentArgument,
    JsonOption,
)

if TYPE_CHECKING:
    from forecast_operations.comparing.comparison import Comparison

_UNFULFILLED = 1

SinceOption = Annotated[
    str,
    typer.Option(
        help="How far back: 90m, 24h, 7d, or since when: 2027-01-04T08:00 (UTC, or with an "
        "offset); no further than the contest began."
    ),
]
ActualsOption = Annotated[
    str | None,
    typer.Option(help="CSV file, or its s3:// address, of what came true by item and date."),
]
ReportOption = Annotated[
    Path | None, typer.Option(help="HTML file to write, with plots; it needs no other file.")
]
ItemOption = Annotated[
    list[str] | None,
    typer.Option(help="Input that names the item; the only text else. May be repeated."),
]
DateOption = Annotated[
    str | None, typer.Option(help="Input that names the date; the horizon's or only one else.")
]
LossOption = Annotated[
    Loss, typer.Option(help="What an error costs in the test: its size or its square.")
]
SamplesOption = Annotated[
    int,
    typer.Option(min=LEAST_SAMPLES, help="Dates with actuals below which nothing is said."),
]
GainOption = Annotated[
    float,
    typer.Option(
        min=0,
        max=100,
        metavar="PERCENT",
        help="Least gain that is called better, in percent of the champion's mean loss.",
    ),
]
LimitOption = Annotated[
    int, typer.Option(min=1, help="Most captured requests to read of each variant.")
]
TopOption = Annotated[int, typer.Option(min=0, help="Items to list, the largest first.")]
RequireOption = Annotated[
    Literal["better"] | None,
    typer.Option(help="Exit with 1 unless the answer is this one; for scripts."),
]


def compare_command(  # noqa: PLR0917 - typer names them on the command line
    environment: EnvironmentArgument,
    since: SinceOption = SINCE,
    actuals: ActualsOption = None,
    report: ReportOption = None,
    item_column: ItemOption = None,
    date_column: DateOption = None,
    loss: LossOption = "absolute",
    min_samples: SamplesOption = MIN_SAMPLES,
    min_gain: GainOption = 0.0,
    limit: LimitOption = LIMIT,
    top: TopOption = TOP,
    require: RequireOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    as_json: JsonOption = False,
) -> None:
    """Compare the challenger of a shadow or split with its champion.

    Traffic, latency and errors come from CloudWatch, forecasts from the captured requests. Whether
    the challenger is better is said where actuals are known. Nothing is changed.
    """
    # With numpy and scipy, which no other command needs to wait for.
    from forecast_operations.comparing.comparison import Wanted, compare  # noqa: PLC0415
    from forecast_operations.comparing.page import check_page, write_page  # noqa: PLC0415
    from forecast_operations.deployed.live import Live  # noqa: PLC0415

    _, environments = load_environments(config, [environment])
    settings = environments[environment]
    if report is not None:
        check_page(report)
    wanted = Wanted(
        since=since,
        actuals=actuals,
        items=tuple(item_column or ()),
        date=date_column,
        loss=loss,
        minimum=min_samples,
        min_gain_percent=min_gain,
        limit=limit,
        top=top,
    )
    with byte_progress(environment) as progress:
        found = compare(
            Live.in_region(settings.region),
            settings,
            wanted,
            lambda what, size: progress(what, size, 0),
        )
    _show(found, as_json=as_json)
    if report is not None:
        write_page(found, report)
        say(f"wrote {report}")
    if require is not None and found.answer != require:
        raise typer.Exit(_UNFULFILLED)


def _show(found: Comparison, *, as_json: bool) -> None:
    from forecast_operations.comparing import report  # noqa: PLC0415
    from forecast_operations.comparing.advice import warnings_of  # noqa: PLC0415

    for warning in warnings_of(found):
        warn(warning)
    if as_json:
        print_json(report.as_json(found))
        return
    for part in report.as_text(found):
        out.print(part)
