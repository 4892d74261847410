"""Gathering: what AWS, this machine and the price list know, for the plan of a proposal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_operations.changes.knowledge import Sources
from forecast_operations.changes.plan import Situation, plan_between
from forecast_operations.changes.versions import versions_in, versions_of
from forecast_operations.deployed.live import variants_in
from forecast_operations.records.store import RecordStore
from forecast_operations.synthesis.hosted import hosted_in
from forecast_operations.updates.identities import find_identity_obstacles
from forecast_operations.updates.obstacles import find_obstacles
from forecast_operations.updates.steps import plan_steps

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from forecast_operations.changes.models import Known
    from forecast_operations.changes.plan import Plan
    from forecast_operations.changes.versions import Role, TaggedVersion
    from forecast_operations.costing.money import Money
    from forecast_operations.updates.obstacles import Obstacle, Permission
    from forecast_operations.updates.proposal import Proposal

_UNDONE = (
    "SageMaker has undone the last rollout: the endpoint serves what was there before it, and the "
    "comparison of models is with that; resources are compared with the template, as "
    "CloudFormation does"
)
_MIXED = (
    "instances of two configurations answer, as a rollout was undone and its undoing failed; an "
    "update of the endpoint mends it"
)


def plan_of(proposal: Proposal, path: Path, allowed: Collection[Permission] = ()) -> Plan:
    """The plan of a proposal; AWS is asked, and nothing is changed.

    Args:
        proposal: What is wanted, and what there is.
        path: The configuration file.
        allowed: What is permitted in order to lead around what is in the way.

    Raises:
        CloudError: AWS refuses, or nobody answers.
    """
    project, live, settings = proposal.project, proposal.live, proposal.settings
    records = None
    if proposal.against is None and proposal.deployed.artifacts is not None:
        records = RecordStore.of(live, settings)
    sources = Sources(project.root, project.lock_path, records)
    coming = versions_in(proposal.wanted.endpoint)
    passing = _passing(proposal, allowed)
    obstacles = proposal.obstacles if passing is None else _beside(proposal)
    steps = plan_steps(proposal.deployed, proposal.wanted, obstacles)
    return plan_between(
        Situation(
            settings=settings,
            deployed=proposal.deployed,
            wanted=proposal.wanted,
            serving=_with_knowledge(_serving(proposal), sources, coming),
            coming={role: (each, sources.wanted(each)) for role, each in coming.items()},
            obstacles=obstacles,
            allowed=frozenset(allowed),
            protection=proposal.protection,
            steps=tuple(step.title for step in steps),
            running=_running(proposal),
            money=_money(proposal, path),
            against=None if proposal.against is None else str(proposal.against),
            notes=tuple(_notes(proposal, passing)),
        )
    )


def _money(proposal: Proposal, path: Path) -> Money:
    """What it costs, by the price list; one beside the configuration goes before the packaged."""
    # With the price list, for this alone.
    from forecast_operations.costing.money import weigh  # noqa: PLC0415
    from forecast_operations.costing.prices import read_prices  # noqa: PLC0415
    from forecast_operations.costing.usage import usage_of  # noqa: PLC0415

    usage = usage_of(proposal.assembly)
    prices = read_prices(path)
    return weigh(proposal.settings, proposal.deployed, proposal.wanted, prices, usage)


def _notes(proposal: Proposal, passing: Obstacle | None) -> Iterator[str]:
    if proposal.serves.configuration is not None:
        yield _UNDONE
    if proposal.serves.mixed:
        yield _MIXED
    if passing is not None:
        ways = "; ".join(passing.steps)
        yield f"{passing.reason}; until then forecast deploy refuses: {ways}"


def _passing(proposal: Proposal, allowed: Collection[Permission]) -> Obstacle | None:
    """What is in the way now, goes away by itself, and is not to be led around."""
    found = proposal.serves.obstacle
    waits = found is not None and found.passing and found.permission not in allowed
    return found if waits else None


def _beside(proposal: Proposal) -> tuple[Obstacle, ...]:
    """What will be in the way when that which passes has gone."""
    deployed, wanted = proposal.deployed, proposal.wanted
    return (*find_obstacles(deployed, wanted), *find_identity_obstacles(deployed, wanted))


def _with_knowledge(
    serving: Mapping[Role, TaggedVersion],
    sources: Sources,
    coming: Mapping[Role, TaggedVersion],
) -> dict[Role, Known]:
    """What serves with what is known of it; of what stays there is nothing to be compared."""
    return {
        role: (each, None if coming.get(role) == each else sources.deployed(each))
        for role, each in serving.items()
    }


def _serving(proposal: Proposal) -> dict[Role, TaggedVersion]:
    """What serves: after a rollout that was undone, as the endpoint's configuration is tagged."""
    configuration = proposal.serves.configuration
    if configuration is None:
        return versions_in(proposal.deployed.endpoint)
    return versions_of(proposal.live.tags_of(configuration["EndpointConfigArn"]))


def _running(proposal: Proposal) -> dict[str, int] | None:
    """Instances in service by variant, as SageMaker counts them."""
    hosted = hosted_in(proposal.deployed.endpoint)
    if hosted is None or proposal.against is not None:
        return None
    endpoint = proposal.live.endpoint(hosted.name)
    if endpoint is None:
        return None
    return {
        variant["VariantName"]: variant["CurrentInstanceCount"]
        for variant, _ in variants_in(endpoint)
        if variant.get("CurrentInstanceCount") is not None
    }
