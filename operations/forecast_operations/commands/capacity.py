"""`forecast capacity`: from a history of requests to the scheduled actions to add."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from forecast_config import ForecastError, load_environments
from forecast_config.settings import InvocationsTarget
from forecast_operations.capacity.limits import MIN_DAYS
from forecast_operations.cloud.metrics import KEPT_DAYS
from forecast_operations.console import out, print_json, say
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentArgument,
    JsonOption,
)

if TYPE_CHECKING:
    from forecast_config import EnvironmentSettings
    from forecast_operations.capacity.history import History
    from forecast_operations.capacity.plan import CapacityPlan

_UTC = "Etc/UTC"


CsvOption = Annotated[
    Path | None,
    typer.Option(help="File with the columns timestamp and invocations; CloudWatch else."),
]
DaysOption = Annotated[
    int, typer.Option(min=MIN_DAYS, max=KEPT_DAYS, help="Days to ask CloudWatch for.")
]
PerInstanceOption = Annotated[
    float | None,
    typer.Option(help="Requests a minute that one instance serves; by the settings else."),
]
QuantileOption = Annotated[
    float, typer.Option(min=0.5, max=1, help="Share of an hour's minutes to suffice for.")
]
HeadroomOption = Annotated[
    float, typer.Option(min=0, max=5, help="Room above that, as a share of the requests.")
]
TimezoneOption = Annotated[
    str | None, typer.Option(help="Time zone of the week; that of the settings' actions else.")
]
ChangesOption = Annotated[
    int, typer.Option(min=1, max=24, help="Most changes of the minimum in a day.")
]
LeadOption = Annotated[
    int, typer.Option(min=0, max=59, help="How long before the hour a rise comes.")
]
PlotOption = Annotated[
    Path | None, typer.Option(help="Picture to draw, such as plan.svg or plan.png.")
]


def capacity_command(  # noqa: PLR0917 - typer names them on the command line
    environment: EnvironmentArgument,
    csv: CsvOption = None,
    days: DaysOption = 56,
    per_instance: PerInstanceOption = None,
    quantile: QuantileOption = 0.95,
    headroom: HeadroomOption = 0.2,
    timezone: TimezoneOption = None,
    changes_per_day: ChangesOption = 4,
    lead_minutes: LeadOption = 10,
    plot: PlotOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    as_json: JsonOption = False,
) -> None:
    """Plan the week's minimum instance counts from the requests of the past.

    Standard output gets the block to put below the environment's autoscaling, or JSON.
    """
    # With numpy, which no other command needs to wait for.
    from forecast_operations.capacity import plan as plans  # noqa: PLC0415
    from forecast_operations.capacity import plot as plots  # noqa: PLC0415

    _, wanted_environments = load_environments(config, [environment])
    settings = wanted_environments[environment]
    wanted = plans.Wanted(
        per_instance=_per_instance(settings, per_instance),
        minimum=_minimum(settings),
        maximum=None if settings.autoscaling is None else settings.autoscaling.max_instance_count,
        timezone=_zone(settings, timezone),
        quantile=quantile,
        headroom=headroom,
        changes_per_day=changes_per_day,
        lead_minutes=lead_minutes,
    )
    if plot is not None:
        plots.check_plot(plot)
    plan = plans.make_plan(_history(settings, csv, days), wanted)
    if plot is not None:
        plots.write_plot(plan, plot, settings.endpoint.name)
    _show(plan, environment, as_json=as_json)


def _show(plan: CapacityPlan, environment: str, *, as_json: bool) -> None:
    from forecast_operations.capacity import report  # noqa: PLC0415

    if as_json:
        print_json(report.as_json(plan, environment))
        return
    for line in (*report.week_in_blocks(plan), *report.in_words(plan)):
        say(line)
    out.print(report.settings_block(plan), markup=False)


def _history(settings: EnvironmentSettings, csv: Path | None, days: int) -> History:
    from forecast_operations.capacity.cloudwatch_history import read_cloudwatch  # noqa: PLC0415
    from forecast_operations.capacity.csv_history import read_csv  # noqa: PLC0415

    if csv is not None:
        return read_csv(csv)
    if settings.endpoint.kind == "async":
        raise ForecastError(
            "an asynchronous endpoint publishes no Invocations; give a file with: --csv"
        )
    return read_cloudwatch(settings, days)


def _per_instance(settings: EnvironmentSettings, given: float | None) -> float:
    if settings.endpoint.kind == "serverless":
        raise ForecastError(
            f"expected an environment on instances, got {settings.name}, which is serverless"
        )
    if given is not None:
        if given > 0:
            return given
        raise ForecastError(f"--per-instance: expected more than 0 requests, got {given:g}")
    targets = {} if settings.autoscaling is None else settings.autoscaling.targets
    for target in targets.values():
        if isinstance(target, InvocationsTarget):
            return target.per_minute
    raise ForecastError(
        f"{settings.name} has no scaling target of kind invocations_per_instance; "
        "say how many requests a minute one instance serves: --per-instance 600"
    )


def _minimum(settings: EnvironmentSettings) -> int:
    return 1 if settings.autoscaling is None else settings.autoscaling.min_instance_count


def _zone(settings: EnvironmentSettings, given: str | None) -> str:
    actions = {} if settings.autoscaling is None else settings.autoscaling.scheduled
    name = given or next((action.timezone for action in actions.values()), _UTC)
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ForecastError(
            f"--timezone: expected an IANA time zone such as Asia/Shanghai, got {name!r}"
        ) from None
