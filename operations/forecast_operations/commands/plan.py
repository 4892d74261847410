"""`forecast plan`: what a deployment would change, in a reviewer's terms."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_config import ForecastError
from forecast_operations.console import err, out, print_json
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    ContextOption,
    EnvironmentArgument,
    JsonOption,
)

if TYPE_CHECKING:
    from forecast_operations.changes.plan import Plan

REFUSED = 1
"""Exit code of a plan that cannot be deployed, or costs more than its budget."""


def plan_command(
    environment: EnvironmentArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    context: ContextOption = None,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="FOLDER",
            help="Compare with the templates of a cdk synth instead of what is deployed; needs no "
            "AWS.",
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", "-w", metavar="FILE", help="File to write the plan to."),
    ] = None,
    *,
    as_json: JsonOption = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for a pull request's comment.")
    ] = False,
) -> None:
    """Show what deploying an environment would change, and change nothing.

    Models, resources, rollout, capacity and money, compared with what is deployed. The exit code is
    0 when it can be deployed, and 1 when something is in the way or the budget is exceeded.
    """
    # With what they import, for this command alone.
    from forecast_operations.changes.gather import plan_of  # noqa: PLC0415
    from forecast_operations.updates.proposal import propose  # noqa: PLC0415

    if as_json and markdown:
        raise typer.BadParameter("expected one of --json and --markdown, got both")
    plan = plan_of(propose(config, environment, context or [], against=against), config)
    _report(plan, write, as_json=as_json, markdown=markdown)
    if not plan.can_be_deployed:
        raise typer.Exit(REFUSED)


def _report(plan: Plan, write: Path | None, *, as_json: bool, markdown: bool) -> None:
    from forecast_operations.changes.words import headline  # noqa: PLC0415

    if write is not None:
        try:
            write.write_text(_rendered(plan, as_json=as_json, markdown=markdown), "utf-8")
        except OSError as error:
            raise ForecastError(f"cannot write {write}: {error.strerror}") from None
        err.print(f"{plan.environment}: {headline(plan)}", markup=False)
        err.print(f"wrote {write}", markup=False)
    elif as_json or markdown:
        print_json(_rendered(plan, as_json=as_json, markdown=markdown))
    else:
        from forecast_operations.changes.text import as_text  # noqa: PLC0415

        for piece in as_text(plan):
            out.print(piece)


def _rendered(plan: Plan, *, as_json: bool, markdown: bool) -> str:
    from forecast_operations.changes.document import as_document  # noqa: PLC0415
    from forecast_operations.changes.markdown import as_markdown  # noqa: PLC0415
    from forecast_operations.changes.text import as_text  # noqa: PLC0415

    if as_json:
        return json.dumps(as_document(plan), indent=2, ensure_ascii=False) + "\n"
    if markdown:
        return as_markdown(plan)
    with out.capture() as captured:
        for piece in as_text(plan):
            out.print(piece)
    return captured.get()
