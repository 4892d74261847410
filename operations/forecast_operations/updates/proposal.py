"""Proposals: an environment as it is synthesized, beside what is deployed of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from forecast_config import ForecastError, load_environments
from forecast_operations.deployed.live import Live, check_account
from forecast_operations.deployed.stacks import is_protected, is_there
from forecast_operations.synthesis.assembly import (
    account_of,
    protection_in,
    read_template,
    with_template,
)
from forecast_operations.synthesis.cdk import own_folder, run_cdk, synthesize
from forecast_operations.updates.identities import find_identity_obstacles
from forecast_operations.updates.obstacles import OPTIONS, Serving, Templates, find_obstacles
from forecast_operations.updates.pinned import provide_pinned
from forecast_operations.updates.state import (
    check_rollout_held,
    find_undone,
    look_at_endpoint,
    ways_on,
    ways_to_stop,
)
from forecast_operations.updates.steps import plan_steps
from forecast_operations.updates.stuck import find_stack_obstacle

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from forecast_config import EnvironmentSettings, ForecastConfig
    from forecast_operations.updates.obstacles import Obstacle, Permission
    from forecast_operations.updates.steps import Step

_ASSEMBLIES = Path(".forecast/deploy")
_REFUSED = "nothing was changed, as an update in one step would fail or do harm"


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What is wanted of an environment, and what there is.

    Attributes:
        project: The configuration that the environment is in.
        settings: The environment.
        assembly: Folder of what was synthesized, which is this process' own.
        live: Where it is deployed.
        deployed: The templates that are deployed.
        wanted: The templates that were synthesized.
        serves: What the endpoint itself says.
        obstacles: What AWS would refuse of an update in one step.
        against: Folder of templates that stand for what is deployed; None: AWS was asked.
        protection: Whether a stack has termination protection and whether it is to have it, by its
            name; those left out that keep it as it is.
    """

    project: ForecastConfig
    settings: EnvironmentSettings
    assembly: Path
    live: Live
    deployed: Templates
    wanted: Templates
    serves: Serving
    obstacles: tuple[Obstacle, ...]
    against: Path | None = None
    protection: Mapping[str, tuple[bool, bool]]

    @property
    def stacks(self) -> tuple[str, str]:
        """Names of the stateful stack and of the endpoint's."""
        return self.settings.artifacts_stack_name, self.settings.stack_name

    @property
    def stack(self) -> str:
        """Name of the endpoint's stack."""
        return self.settings.stack_name

    @property
    def steps(self) -> tuple[Step, ...]:
        """The deployments that lead from what is deployed to what is wanted."""
        return plan_steps(self.deployed, self.wanted, self.obstacles)


def propose(
    path: Path, environment: str, context: Sequence[str] = (), *, against: Path | None = None
) -> Proposal:
    """Synthesize an environment and look at what is deployed of it; nothing is changed.

    Archives that the lock pins are fetched first, unless nothing of AWS is asked or a context flag
    names another version.

    Args:
        path: The configuration file.
        environment: The environment.
        context: Context flags of the synth, each `key=value`.
        against: Folder of a synth that stands for what is deployed; left out, AWS is asked.

    Raises:
        ForecastError: A pinned archive is nowhere, the synth failed, or the credentials are of
            another account.
    """
    project, wanted_environments = load_environments(path, [environment])
    settings = wanted_environments[environment]
    stacks = settings.artifacts_stack_name, settings.stack_name
    before = None if against is None else _in_folder(against, stacks)
    live = Live.in_region(settings.region)
    if before is None:
        check_account(live, settings.account)
        provide_pinned(project, settings, context)
    # Another process may plan meanwhile, and what was looked at is what must be deployed.
    assembly = own_folder(project.root / _ASSEMBLIES / environment) / "wanted"
    synthesize(project.root, assembly, path, environment, context)
    if before is None:
        check_account(live, account_of(assembly, settings.stack_name))
        before = _look(live, settings)
    wanted = Templates(*(read_template(assembly, stack) for stack in stacks))
    return Proposal(
        project=project,
        settings=settings,
        assembly=assembly,
        live=live,
        deployed=before.templates,
        wanted=wanted,
        serves=before.serves,
        obstacles=tuple(_obstacles(settings, before, wanted)),
        against=against,
        protection=dict(_changed_protection(before.protected, assembly)),
    )


@dataclass(frozen=True)
class _Before:
    """What there is of an environment.

    Attributes:
        templates: Its templates.
        serves: What the endpoint itself says.
        protected: Whether each of its stacks has termination protection, where that is known.
    """

    templates: Templates
    serves: Serving
    protected: Mapping[str, bool]


def _obstacles(
    settings: EnvironmentSettings, before: _Before, wanted: Templates
) -> Iterator[Obstacle]:
    yield from find_obstacles(before.templates, wanted, before.serves)
    yield from find_identity_obstacles(before.templates, wanted)
    yield from find_undone(settings, before.templates, wanted, before.serves)


def _look(live: Live, settings: EnvironmentSettings) -> _Before:
    """What is deployed, and whether it can be updated."""
    names = settings.artifacts_stack_name, settings.stack_name
    stacks = {name: live.stack(name) for name in names}
    there = {name: stack for name, stack in stacks.items() if stack is not None and is_there(stack)}
    templates = Templates(*(live.template(name) if name in there else None for name in names))
    protected = {name: is_protected(stack) for name, stack in there.items()}
    for name, stack in stacks.items():
        obstacle = find_stack_obstacle(name, stack, settings.region)
        if obstacle is None:
            continue
        stop = ways_to_stop(live, settings, templates.endpoint) if obstacle.passing else ()
        obstacle = replace(obstacle, steps=(*obstacle.steps, *stop))
        return _Before(templates, Serving(obstacle), protected)
    return _Before(templates, look_at_endpoint(live, settings, templates.endpoint), protected)


def _changed_protection(
    before: Mapping[str, bool], assembly: Path
) -> Iterator[tuple[str, tuple[bool, bool]]]:
    for stack, was in before.items():
        wanted = protection_in(assembly, stack)
        if wanted is not None and wanted != was:
            yield stack, (was, wanted)


def _in_folder(folder: Path, stacks: Sequence[str]) -> _Before:
    """What a synth has written of an environment, which need not be in it."""
    if not any(folder.glob("*.template.json")):
        raise ForecastError(
            f"expected a folder with templates, as cdk synth writes them, got {folder}; run there: "
            "cdk synth --output FOLDER"
        )
    there = {stack: (folder / f"{stack}.template.json").is_file() for stack in stacks}
    templates = (read_template(folder, stack) if found else None for stack, found in there.items())
    protected = {stack: protection_in(folder, stack) for stack in stacks}
    known = {stack: value for stack, value in protected.items() if value is not None}
    return _Before(Templates(*templates), Serving(), known)


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
        lines.extend(f"  {line}" for line in obstacle.way_out)
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
        try:
            _deploy(step, proposal)
        except KeyboardInterrupt:
            # CloudFormation goes on with what has begun.
            for line in _unfinished(proposal, steps[:number]):
                say(line)
            raise
        except ForecastError as error:
            lines = [str(error), *_unfinished(proposal, steps[: number - 1])]
            if proposal.deployed.endpoint is not None:
                lines.append(ways_on(proposal.settings.name))
            raise ForecastError("\n".join(lines)) from None
    check_rollout_held(proposal.live, proposal.settings, say)


def _unfinished(proposal: Proposal, done: Sequence[Step]) -> Iterator[str]:
    """What steps have left that the last one would have put right."""
    permitted = dict.fromkeys(each.permission for each in proposal.obstacles)
    options = [OPTIONS[permission] for permission in permitted if permission is not None]
    again = " ".join([f"forecast deploy {proposal.settings.name}", *options])
    for step in done:
        if step.leaves:
            yield f"{step.leaves}, until this has ended: {again}"


def _deploy(step: Step, proposal: Proposal) -> None:
    app = proposal.assembly
    if step.template is not None:
        app = with_template(app, proposal.stack, step.template, app.with_name("step"))
    command = ["deploy", proposal.stack, "--app", str(app), "--require-approval", "never"]
    run_cdk(proposal.project.root, [*command, *(["--exclusively"] if step.alone else [])])
