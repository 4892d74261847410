"""`forecast cost`: what environments cost in a month, and what an update would change of it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_config import ForecastError, load_environments
from forecast_operations.console import err, out, print_json
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    ContextOption,
    EnvironmentsArgument,
    JsonOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_config import EnvironmentSettings, ForecastConfig
    from forecast_operations.costing.report import CostReport
    from forecast_operations.costing.sources import Wishes

_OVER_BUDGET = 1


def cost_command(  # noqa: PLR0917 - typer names them on the command line
    environments: EnvironmentsArgument = None,
    config: ConfigOption = DEFAULT_CONFIG,
    templates: Annotated[
        Path | None,
        typer.Option(help="Folder of a synth that is there, such as cdk.out; else it is made."),
    ] = None,
    context: ContextOption = None,
    requests: Annotated[
        float | None,
        typer.Option("--requests-per-month", min=0, help="Requests of clients in a month."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="Time that the model works on a request.")
    ] = None,
    kib: Annotated[
        float | None,
        typer.Option("--kib-per-request", min=0, help="Size of a request with its answer."),
    ] = None,
    days: Annotated[int, typer.Option(min=7, max=455, help="Days that --advise looks at.")] = 14,
    *,
    deployed: Annotated[
        bool,
        typer.Option("--deployed/--no-deployed", help="Compare with what is deployed."),
    ] = True,
    advise: Annotated[
        bool,
        typer.Option("--advise", help="Measure utilization and latency, and advise on the size."),
    ] = False,
    refresh: Annotated[
        bool,
        typer.Option(
            "--refresh-prices", help="Ask AWS for the prices, write prices.json and do no more."
        ),
    ] = False,
    as_json: JsonOption = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
) -> None:
    """Estimate what environments cost in a month, line by line, at least and at most.

    The exit code is 1 when an environment costs more than its budget even at the least.
    """
    from forecast_operations.costing.sources import Wishes  # noqa: PLC0415 - not for every help

    if as_json and markdown:
        raise typer.BadParameter("expected --json or --markdown, got both")
    project, wanted = load_environments(config, environments)
    if refresh:
        _refresh(config, list(wanted.values()), as_json=as_json)
        return
    wishes = Wishes(
        config=config,
        templates=templates,
        context=tuple(context or ()),
        requests=requests,
        seconds=seconds,
        kib=kib,
        days=days,
        compares=deployed,
        advises=advise,
    )
    reports = [_report(project, settings, wishes) for settings in wanted.values()]
    _show(reports, config, as_json=as_json, markdown=markdown)
    if any(report.budget is not None and report.budget.exceeded for report in reports):
        raise typer.Exit(_OVER_BUDGET)


def _report(project: ForecastConfig, settings: EnvironmentSettings, wishes: Wishes) -> CostReport:
    from forecast_operations.costing.sources import report_of  # noqa: PLC0415

    err.print(f"estimating {settings.stack_name}", markup=False)
    return report_of(project, settings, wishes)


def _refresh(config: Path, environments: Sequence[EnvironmentSettings], *, as_json: bool) -> None:
    import json  # noqa: PLC0415

    from forecast_operations.costing.prices import read_prices  # noqa: PLC0415
    from forecast_operations.costing.refresh import refresh_prices  # noqa: PLC0415

    regions = list(dict.fromkeys(settings.region for settings in environments))
    try:
        path = refresh_prices(config, regions, lambda what: err.print(what, markup=False))
    except OSError as error:
        raise ForecastError(f"cannot write {error.filename}: {error.strerror}") from None
    date = read_prices(config).date
    if as_json:
        print_json(json.dumps({"written": str(path), "regions": regions, "date": date}))
        return
    out.print(f"wrote {path}: {', '.join(regions)}, prices of {date}", markup=False)


def _show(reports: Sequence[CostReport], config: Path, *, as_json: bool, markdown: bool) -> None:
    from forecast_operations.costing import report  # noqa: PLC0415
    from forecast_operations.costing.prices import read_prices  # noqa: PLC0415

    prices = read_prices(config)
    sources = f"{report.dated(reports)}; {prices.source}"
    if as_json:
        print_json(report.as_json(reports, prices.source))
        return
    if markdown:
        print_json(report.as_markdown(reports, sources))
        return
    for each in reports:
        out.print(report.as_table(each))
        for sentence in report.in_words(each):
            out.print(sentence, markup=False)
        out.print()
    out.print(f"prices: {sources}", markup=False)
