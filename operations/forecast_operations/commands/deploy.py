"""`forecast deploy`: what `cdk deploy` does, after a look at what AWS would refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from forecast_operations.console import out
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    ContextOption,
    EnvironmentArgument,
)
from forecast_operations.updates.proposal import carry_out, check_obstacles, propose

if TYPE_CHECKING:
    from forecast_operations.updates.obstacles import Permission


def deploy_command(
    environment: EnvironmentArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    context: ContextOption = None,
    *,
    allow_rescale: Annotated[
        bool,
        typer.Option(
            "--allow-rescale",
            help="Carry a change out in two steps that SageMaker refuses in one: instances serve "
            "on, but do not scale in between.",
        ),
    ] = False,
    allow_unguarded: Annotated[
        bool,
        typer.Option(
            "--allow-unguarded",
            help="Change which variants there are, all at once: nothing undoes it.",
        ),
    ] = False,
    allow_recreate: Annotated[
        bool,
        typer.Option(
            "--allow-recreate",
            help="Remove the endpoint and make it anew, or under another name, where nothing else "
            "leads there: minutes without an answer.",
        ),
    ] = False,
) -> None:
    """Synthesize and deploy an environment, after comparing it with what is deployed.

    A change that AWS would refuse half-way is refused before anything is called, with the way
    around it; `forecast plan` shows all of it beforehand. The exit code is 0 when the endpoint
    serves what was deployed; `forecast verify` proves it.
    """
    proposal = propose(config, environment, context or [])
    answers: dict[Permission, bool] = {
        "rescale": allow_rescale,
        "unguarded": allow_unguarded,
        "recreate": allow_recreate,
    }
    check_obstacles(
        proposal.obstacles, {permission for permission, given in answers.items() if given}
    )
    # With the packaging, which the help need not wait for.
    from forecast_operations.returning.intent import drop_intent  # noqa: PLC0415

    carry_out(proposal, lambda title: out.print(title, markup=False))
    drop_intent(proposal.config.root, environment)
    out.print(f"{proposal.settings.endpoint.name} serves what was deployed", markup=False)
