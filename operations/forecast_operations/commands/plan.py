"""`forecast plan`: what a deployment would change, in a reviewer's terms."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from forecast_operations.console import out, print_json, say, write_text
from forecast_operations.documents import as_json as json_of
from forecast_operations.options import (
    DEFAULT_CONFIG,
    AllowRecreateOption,
    AllowRescaleOption,
    AllowUnguardedOption,
    ConfigOption,
    ContextOption,
    EnvironmentArgument,
    JsonOption,
    permissions,
)

if TYPE_CHECKING:
    from forecast_operations.changes.plan import Plan

_WIDTH = 200

REFUSED = 1
"""Exit code of a plan that cannot be deployed, or costs more than its budget."""

AgainstOption = Annotated[
    Path | None,
    typer.Option(
        "--against",
        metavar="FOLDER",
        help="Compare with the templates of a cdk synth instead of what is deployed; needs no AWS.",
    ),
]
WriteOption = Annotated[
    Path | None, typer.Option("--write", "-w", metavar="FILE", help="File to write the plan to.")
]
MarkdownOption = Annotated[
    bool, typer.Option("--markdown", help="Print Markdown, for a pull request's comment.")
]


def plan_command(
    environment: EnvironmentArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    context: ContextOption = None,
    against: AgainstOption = None,
    write: WriteOption = None,
    *,
    allow_rescale: AllowRescaleOption = False,
    allow_unguarded: AllowUnguardedOption = False,
    allow_recreate: AllowRecreateOption = False,
    as_json: JsonOption = False,
    markdown: MarkdownOption = False,
) -> None:
    """Show what deploying an environment would change, and change nothing.

    Models, resources, rollout, capacity and money, compared with what is deployed. The exit code is
    0 when it can be deployed, and 1 when something is in the way or the budget is exceeded; what is
    permitted by an option of forecast deploy is not in the way.
    """
    # With what they import, for this command alone.
    from forecast_operations.changes.gather import plan_of  # noqa: PLC0415
    from forecast_operations.updates.proposal import propose  # noqa: PLC0415

    if as_json and markdown:
        raise typer.BadParameter("expected one of --json and --markdown, got both")
    allowed = permissions(rescale=allow_rescale, unguarded=allow_unguarded, recreate=allow_recreate)
    plan = plan_of(propose(config, environment, context or [], against=against), config, allowed)
    _report(plan, write, as_json=as_json, markdown=markdown)
    if not plan.can_be_deployed:
        raise typer.Exit(REFUSED)


def _report(plan: Plan, write: Path | None, *, as_json: bool, markdown: bool) -> None:
    from forecast_operations.changes.words import headline  # noqa: PLC0415

    if write is not None:
        write_text(write, _rendered(plan, as_json=as_json, markdown=markdown))
        say(f"{plan.environment}: {headline(plan)}")
        say(f"wrote {write}")
    elif as_json or markdown:
        print_json(_rendered(plan, as_json=as_json, markdown=markdown))
    else:
        _print(plan, out)


def _rendered(plan: Plan, *, as_json: bool, markdown: bool) -> str:
    from forecast_operations.changes.document import as_document  # noqa: PLC0415
    from forecast_operations.changes.markdown import as_markdown  # noqa: PLC0415

    if as_json:
        return json_of(as_document(plan)) + "\n"
    if markdown:
        return as_markdown(plan)
    # Of one width and without colours, wherever it is written.
    text = StringIO()
    _print(plan, Console(file=text, width=_WIDTH, soft_wrap=True, highlight=False, emoji=False))
    return text.getvalue()


def _print(plan: Plan, console: Console) -> None:
    from forecast_operations.changes.text import as_text  # noqa: PLC0415

    for piece in as_text(plan):
        console.print(piece)
