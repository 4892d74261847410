"""Options that several subcommands share."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_config import ForecastError
from forecast_config.advice import warnings_for
from forecast_operations.console import err

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_config import EnvironmentSettings
    from forecast_operations.updates.obstacles import Permission

DEFAULT_CONFIG = Path("config/forecast.yaml")

ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        envvar="FORECAST_CONFIG",
        help="The configuration file.",
        show_default=True,
    ),
]
EnvironmentsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ENV]...", help="Environments; all of them when none is named."),
]
EnvironmentArgument = Annotated[str, typer.Argument(metavar="ENV", help="The environment.")]
ContextOption = Annotated[
    list[str] | None,
    typer.Option("--context", metavar="KEY=VALUE", help="As cdk's -c: model_version=16."),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking; for scripts.")]
AllowRescaleOption = Annotated[
    bool,
    typer.Option(
        "--allow-rescale",
        help="Carry a change out in two steps that SageMaker refuses in one: instances serve on, "
        "but do not scale in between.",
    ),
]
AllowUnguardedOption = Annotated[
    bool,
    typer.Option(
        "--allow-unguarded",
        help="Change which variants there are, all at once: nothing undoes it.",
    ),
]
AllowRecreateOption = Annotated[
    bool,
    typer.Option(
        "--allow-recreate",
        help="Remove the endpoint and make it anew, or under another name, where nothing else "
        "leads there: minutes without an answer.",
    ),
]
RequestFileOption = Annotated[
    Path | None, typer.Option("--file", "-f", help="The request's body; standard input else.")
]
ContentTypeOption = Annotated[
    str | None, typer.Option(help="Type of the body; by the file's name else, or JSON.")
]
AcceptOption = Annotated[str, typer.Option(help="Type of the answer.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def permissions(*, rescale: bool, unguarded: bool, recreate: bool) -> set[Permission]:
    """What the `--allow-…` options of a command line permit."""
    answers: dict[Permission, bool] = {
        "rescale": rescale,
        "unguarded": unguarded,
        "recreate": recreate,
    }
    return {permission for permission, given in answers.items() if given}


def warn_of(environment: EnvironmentSettings) -> None:
    """Say what is allowed in an environment, but should be known.

    Raises:
        ForecastError: AWS no longer patches its image, and `image.allow_unpatched` is not set.
    """
    for warning in warnings_for(environment, datetime.now(UTC).date()):
        err.print(f"warning: {warning}", markup=False)


def confirm(doing: str, consequences: Sequence[str], *, yes: bool) -> None:
    """Name what an action will destroy, and ask whether to go on.

    Args:
        doing: What is about to be done, such as "delete the endpoint produce-forecast-dev".
        consequences: What it destroys or interrupts, one sentence each, and the way back.
        yes: Whether the answer was given on the command line.

    Raises:
        ForecastError: The answer is no, or there is nobody to ask.
    """
    err.print(f"about to {doing}:", markup=False)
    for consequence in consequences:
        err.print(f"  - {consequence}", markup=False)
    if yes:
        return
    if not sys.stdin.isatty():
        raise ForecastError("nothing was changed: there is nobody to ask; add --yes to do it")
    if not typer.confirm("go on?", err=True):
        raise ForecastError("nothing was changed")
