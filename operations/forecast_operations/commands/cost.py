"""`forecast cost`: what environments cost in a month, and what an update would change of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_config import load_environments
from forecast_operations.cloud.metrics import KEPT_DAYS
from forecast_operations.console import out, print_document, print_json, say
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    ContextOption,
    EnvironmentsArgument,
    JsonOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_config import EnvironmentSettings
    from forecast_operations.costing.report import CostReport

_OVER_BUDGET = 1


TemplatesOption = Annotated[
    Path | None,
    typer.Option(help="Folder of a synth that is there, such as cdk.out; else it is made."),
]
RequestsOption = Annotated[
    float | None,
    typer.Option("--requests-per-month", min=0, help="Requests of clients in a month."),
]
SecondsOption = Annotated[
    float | None, typer.Option(min=0, help="Time that the model works on a request.")
]
KibOption = Annotated[
    float | None,
    typer.Option("--kib-per-request", min=0, help="Size of a request with its answer."),
]
DaysOption = Annotated[int, typer.Option(min=7, max=KEPT_DAYS, help="Days that --advise looks at.")]
DeployedOption = Annotated[
    bool, typer.Option("--deployed/--no-deployed", help="Compare with what is deployed.")
]
AdviseOption = Annotated[
    bool,
    typer.Option("--advise", help="Measure utilization and latency, and advise on the size."),
]
RefreshOption = Annotated[
    bool,
    typer.Option(
        "--refresh-prices", help="Ask AWS for the prices, write prices.json and do no more."
    ),
]
MarkdownOption = Annotated[bool, typer.Option("--markdown", help="Print Markdown.")]


def cost_command(  # noqa: PLR0917 - typer names them on the command line
    environments: EnvironmentsArgument = None,
    config: ConfigOption = DEFAULT_CONFIG,
    templates: TemplatesOption = None,
    context: ContextOption = None,
    requests: RequestsOption = None,
    seconds: SecondsOption = None,
    kib: KibOption = None,
    days: DaysOption = 14,
    *,
    deployed: DeployedOption = True,
    advise: AdviseOption = False,
    refresh: RefreshOption = False,
    as_json: JsonOption = False,
    markdown: MarkdownOption = False,
) -> None:
    """Estimate what environments cost in a month, line by line, at least and at most.

    The exit code is 1 when an environment costs more than its budget even at the least.
    """
    from forecast_operations.costing.sources import Wishes, report_of  # noqa: PLC0415 - see cli

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
    reports = []
    for settings in wanted.values():
        say(f"estimating {settings.stack_name}")
        reports.append(report_of(project, settings, wishes))
    _show(reports, config, as_json=as_json, markdown=markdown)
    if any(report.is_over_budget for report in reports):
        raise typer.Exit(_OVER_BUDGET)


def _refresh(config: Path, environments: Sequence[EnvironmentSettings], *, as_json: bool) -> None:
    from forecast_operations.costing.prices import read_prices  # noqa: PLC0415
    from forecast_operations.costing.refresh import refresh_prices  # noqa: PLC0415

    regions = list(dict.fromkeys(settings.region for settings in environments))
    path = refresh_prices(config, regions, say)
    date = read_prices(config).date
    if as_json:
        print_document({"written": str(path), "regions": regions, "date": date})
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
