"""`forecast deploy`: what `cdk deploy` does, after a look at what AWS would refuse."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_config import ForecastError, names
from forecast_operations.console import out
from forecast_operations.options import DEFAULT_CONFIG, ConfigOption, chosen
from forecast_operations.updates.assembly import account_of, read_template, with_template
from forecast_operations.updates.live import Live
from forecast_operations.updates.obstacles import Templates, find_obstacles
from forecast_operations.updates.state import (
    check_account,
    check_rollout_held,
    look_at_endpoint,
)
from forecast_operations.updates.steps import plan_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_config import EnvironmentSettings
    from forecast_operations.updates.obstacles import Obstacle, Permission
    from forecast_operations.updates.steps import Step

_REFUSED = "nothing was changed, as an update in one step would fail or do harm"
_ASSEMBLY = Path(".forecast/deploy")
_OPTIONS: dict[Permission, str] = {
    "rescale": "--allow-rescale",
    "unguarded": "--allow-unguarded",
    "recreate": "--allow-recreate",
}


def deploy_command(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="The environment.")],
    config: ConfigOption = DEFAULT_CONFIG,
    context: Annotated[
        list[str] | None,
        typer.Option("--context", metavar="KEY=VALUE", help="As cdk's -c: model_version=16."),
    ] = None,
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
    check_only: Annotated[
        bool, typer.Option("--check", help="Say what would be done, and change nothing.")
    ] = False,
) -> None:
    """Synthesize and deploy an environment, after comparing it with what is deployed.

    A change that AWS would refuse half-way is refused before anything is called, with the way
    around it. The exit code is 0 when the endpoint serves what was deployed.
    """
    settings, wanted_environments = chosen(config, [environment])
    chosen_environment = wanted_environments[environment]
    stack = names.stack(environment)
    assembly = settings.root / _ASSEMBLY / environment
    _synthesize(settings.root, assembly / "wanted", config, environment, context or [])
    live = Live.in_region(chosen_environment.region)
    check_account(live, account_of(assembly / "wanted", stack))
    deployed, wanted = _templates(live, assembly / "wanted", chosen_environment)
    serves = look_at_endpoint(live, stack, deployed.endpoint)
    obstacles = find_obstacles(deployed, wanted, serves)
    answers: dict[Permission, bool] = {
        "rescale": allow_rescale,
        "unguarded": allow_unguarded,
        "recreate": allow_recreate,
    }
    _refuse(obstacles, {permission for permission, given in answers.items() if given})
    steps = plan_steps(deployed, wanted, obstacles)
    for number, step in enumerate(steps, 1):
        out.print(f"{number} of {len(steps)}: {step.title}", markup=False)
        if not check_only:
            _carry_out(step, settings.root, assembly, stack)
    if not check_only:
        check_rollout_held(live, chosen_environment.endpoint.name, stack)
        out.print(f"{chosen_environment.endpoint.name} serves what was deployed")


def _refuse(obstacles: Sequence[Obstacle], allowed: set[Permission]) -> None:
    refused = [obstacle for obstacle in obstacles if obstacle.permission not in allowed]
    if not refused:
        return
    lines = []
    for obstacle in refused:
        lines.append(obstacle.reason)
        lines.extend(f"  {number}. {step}" for number, step in enumerate(obstacle.steps, 1))
        if obstacle.permission is not None:
            lines.append(f"  or let it be done for you: {_OPTIONS[obstacle.permission]}")
    raise ForecastError(f"{_REFUSED}:\n" + "\n".join(lines))


def _templates(
    live: Live, assembly: Path, settings: EnvironmentSettings
) -> tuple[Templates, Templates]:
    stacks = names.stack(settings.name, "Artifacts"), names.stack(settings.name)
    deployed = Templates(*(live.template(stack) for stack in stacks))
    return deployed, Templates(*(read_template(assembly, stack) for stack in stacks))


def _synthesize(
    root: Path, assembly: Path, config: Path, environment: str, context: Sequence[str]
) -> None:
    shutil.rmtree(assembly, ignore_errors=True)
    flags = [f"config={config.resolve()}", f"environments={environment}", *context]
    command = ["synth", "--quiet", "--output", str(assembly)]
    _cdk(root, [*command, *(part for flag in flags for part in ("--context", flag))])


def _carry_out(step: Step, root: Path, assembly: Path, stack: str) -> None:
    app = assembly / "wanted"
    if step.template is not None:
        app = with_template(app, stack, step.template, assembly / "step")
    command = ["deploy", stack, "--app", str(app), "--require-approval", "never"]
    _cdk(root, [*command, *(["--exclusively"] if step.alone else [])])


def _cdk(root: Path, arguments: Sequence[str]) -> None:
    beside = root / "node_modules" / ".bin" / "cdk"
    program = str(beside) if beside.is_file() else shutil.which("cdk")
    if program is None:
        raise ForecastError("the CDK CLI is not there; run: make setup")
    done = subprocess.run([program, *arguments], cwd=root, check=False)
    if done.returncode:
        raise ForecastError(
            f"cdk {arguments[0]} ended with status {done.returncode}; the reason is above, and the "
            "command can be run again"
        )
