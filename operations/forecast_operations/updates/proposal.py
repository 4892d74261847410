"""Proposals: an environment as it is synthesized, beside what is deployed of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forecast_config import ForecastError, load_environments
from forecast_operations.deployed.live import Live, check_account
from forecast_operations.deployed.stacks import is_there
from forecast_operations.synthesis.assembly import account_of, read_template, with_template
from forecast_operations.synthesis.cdk import own_folder, run_cdk, synthesize
from forecast_operations.updates.identities import find_identity_obstacles
from forecast_operations.updates.obstacles import Serving, Templates, find_obstacles
from forecast_operations.updates.state import (
    check_rollout_held,
    find_undone,
    look_at_endpoint,
)
from forecast_operations.updates.steps import plan_steps
from forecast_operations.updates.stuck import find_stack_obstacle

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from forecast_config import EnvironmentSettings, ForecastConfig
    from forecast_operations.synthesis.hosted import Template
    from forecast_operations.updates.obstacles import Obstacle, Permission
    from forecast_operations.updates.steps import Step

_ASSEMBLIES = Path(".forecast/deploy")
_REFUSED = "nothing was changed, as an update in one step would fail or do harm"
OPTIONS: dict[Permission, str] = {
    "rescale": "--allow-rescale",
    "unguarded": "--allow-unguarded",
    "recreate": "--allow-recreate",
}
"""The option of `forecast deploy` that gives a permission."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What is wanted of an environment, and what there is.

    Attributes:
        config: The configuration that the environment is in.
        settings: The environment.
        assembly: Folder of what was synthesized, which is this process' own.
        live: Where it is deployed.
        deployed: The templates that are deployed.
        wanted: The templates that were synthesized.
        serves: What the endpoint itself says.
        obstacles: What AWS would refuse of an update in one step.
        against: Folder of templates that stand for what is deployed; None: AWS was asked.
    """

    config: ForecastConfig
    settings: EnvironmentSettings
    assembly: Path
    live: Live
    deployed: Templates
    wanted: Templates
    serves: Serving
    obstacles: tuple[Obstacle, ...]
    against: Path | None = None

    @property
    def stack(self) -> str:
        """Name of the endpoint's stack."""
        return self.settings.stack_name

    @property
    def steps(self) -> tuple[Step, ...]:
        """The deployments that lead from what is deployed to what is wanted."""
        return plan_steps(self.deployed, self.wanted, self.obstacles)


def propose(
    config: Path, environment: str, context: Sequence[str] = (), *, against: Path | None = None
) -> Proposal:
    """Synthesize an environment and look at what is deployed of it; nothing is changed.

    Args:
        config: The configuration file.
        environment: The environment.
        context: Context flags of the synth, each `key=value`.
        against: Folder of a synth that stands for what is deployed; left out, AWS is asked.

    Raises:
        ForecastError: The synth failed, or the credentials are of another account.
    """
    project, wanted_environments = load_environments(config, [environment])
    settings = wanted_environments[environment]
    stacks = settings.artifacts_stack_name, settings.stack_name
    before = None if against is None else Templates(*_in_folder(against, stacks))
    # Another process may plan meanwhile, and what was looked at is what must be deployed.
    assembly = own_folder(project.root / _ASSEMBLIES / environment) / "wanted"
    synthesize(project.root, assembly, config, environment, context)
    live = Live.in_region(settings.region)
    serves = Serving()
    if before is None:
        check_account(live, account_of(assembly, settings.stack_name))
        before, serves = _look(live, stacks)
    wanted = Templates(*(read_template(assembly, stack) for stack in stacks))
    return Proposal(
        config=project,
        settings=settings,
        assembly=assembly,
        live=live,
        deployed=before,
        wanted=wanted,
        serves=serves,
        obstacles=(
            *find_obstacles(before, wanted, serves),
            *find_identity_obstacles(before, wanted),
            *find_undone(environment, before, wanted, serves),
        ),
        against=against,
    )


def _look(live: Live, names_of_stacks: tuple[str, str]) -> tuple[Templates, Serving]:
    """What is deployed, and whether it can be updated."""
    region = live.cloud.region
    stacks = {name: live.stack(name) for name in names_of_stacks}
    deployed = Templates(
        *(live.template(name) if is_there(stack) else None for name, stack in stacks.items())
    )
    for name, stack in stacks.items():
        obstacle = find_stack_obstacle(name, stack, region)
        if obstacle is not None:
            return deployed, Serving(obstacle)
    return deployed, look_at_endpoint(live, names_of_stacks[1], deployed.endpoint)


def _in_folder(folder: Path, stacks: Sequence[str]) -> list[Template | None]:
    """The templates of stacks in the output of a synth; None for an environment not in it."""
    if not any(folder.glob("*.template.json")):
        raise ForecastError(
            f"expected a folder with templates, as cdk synth writes them, got {folder}; run there: "
            "cdk synth --output FOLDER"
        )
    there = [(folder / f"{stack}.template.json").is_file() for stack in stacks]
    return [
        read_template(folder, stack) if found else None
        for stack, found in zip(stacks, there, strict=True)
    ]


def check_obstacles(obstacles: Sequence[Obstacle], allowed: Collection[Permission]) -> None:
    """Refuse a proposal with an obstacle that nobody allowed to be led around.

    Raises:
        ForecastError: There is one; its way out is in the message.
    """
    refused = [obstacle for obstacle in obstacles if obstacle.permission not in allowed]
    if not refused:
        return
    lines = []
    for obstacle in refused:
        lines.append(obstacle.reason)
        lines.extend(f"  {number}. {step}" for number, step in enumerate(obstacle.steps, 1))
        if obstacle.permission is not None:
            lines.append(f"  or let it be done for you: {OPTIONS[obstacle.permission]}")
    raise ForecastError(f"{_REFUSED}:\n" + "\n".join(lines))


def carry_out(proposal: Proposal, say: Callable[[str], None]) -> None:
    """Deploy a proposal step by step, and look whether the rollout held.

    Args:
        proposal: The proposal; its obstacles have been allowed.
        say: Told the title of each step.

    Raises:
        ForecastError: A deployment failed, or SageMaker has undone the rollout.
    """
    steps = proposal.steps
    for number, step in enumerate(steps, 1):
        say(f"{number} of {len(steps)}: {step.title}")
        _deploy(step, proposal)
    check_rollout_held(proposal.live, proposal.settings.endpoint.name, proposal.stack)


def _deploy(step: Step, proposal: Proposal) -> None:
    app = proposal.assembly
    if step.template is not None:
        app = with_template(app, proposal.stack, step.template, app.with_name("step"))
    command = ["deploy", proposal.stack, "--app", str(app), "--require-approval", "never"]
    run_cdk(proposal.config.root, [*command, *(["--exclusively"] if step.alone else [])])
