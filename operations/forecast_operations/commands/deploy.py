"""`forecast deploy`: what `cdk deploy` does, after a look at what AWS would refuse."""

from __future__ import annotations

from forecast_operations.console import out
from forecast_operations.options import (
    DEFAULT_CONFIG,
    AllowRecreateOption,
    AllowRescaleOption,
    AllowUnguardedOption,
    ConfigOption,
    ContextOption,
    EnvironmentArgument,
    YesOption,
    confirm,
    permissions,
)


def deploy_command(
    environment: EnvironmentArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    context: ContextOption = None,
    *,
    allow_rescale: AllowRescaleOption = False,
    allow_unguarded: AllowUnguardedOption = False,
    allow_recreate: AllowRecreateOption = False,
    yes: YesOption = False,
) -> None:
    """Synthesize and deploy an environment, after comparing it with what is deployed.

    A change that AWS would refuse half-way is refused before anything is called, with the way
    around it; `forecast plan` shows all of it beforehand. It asks only where something is removed
    or replaced and what is in it is lost, a stack loses its termination protection, or the endpoint
    goes with --allow-recreate. The exit code is 0 when the endpoint serves what was deployed;
    `forecast verify` proves it.
    """
    # With the packaging, which the help need not wait for.
    from forecast_operations.changes.losses import losses  # noqa: PLC0415
    from forecast_operations.deployed.place import where  # noqa: PLC0415
    from forecast_operations.returning.intent import drop_intent  # noqa: PLC0415
    from forecast_operations.updates.proposal import (  # noqa: PLC0415
        carry_out,
        check_obstacles,
        propose,
    )

    allowed = permissions(rescale=allow_rescale, unguarded=allow_unguarded, recreate=allow_recreate)
    proposal = propose(config, environment, context or [])
    check_obstacles(proposal.obstacles, allowed)
    lost = list(losses(proposal, allowed))
    if lost:
        confirm(f"deploy {environment}", [where(proposal.live), *lost], yes=yes)
    carry_out(proposal, lambda title: out.print(title, markup=False))
    drop_intent(proposal.project.root, environment)
    out.print(f"{proposal.settings.endpoint.name} serves what was deployed", markup=False)
