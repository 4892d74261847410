"""Gathering: what AWS, this machine and the price list know, for the plan of a proposal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_operations.changes.knowledge import Sources
from forecast_operations.changes.money import estimate_money
from forecast_operations.changes.plan import Situation, plan_between
from forecast_operations.changes.versions import versions_in, versions_of
from forecast_operations.records.store import RecordStore
from forecast_operations.synthesis.hosted import hosted_in
from forecast_operations.updates.identities import find_identity_obstacles
from forecast_operations.updates.obstacles import find_obstacles
from forecast_operations.updates.steps import plan_steps

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forecast_operations.changes.models import Known
    from forecast_operations.changes.plan import Plan
    from forecast_operations.changes.versions import Role, TaggedVersion
    from forecast_operations.updates.obstacles import Obstacle
    from forecast_operations.updates.proposal import Proposal

_UNDONE = (
    "SageMaker has undone the last rollout: the endpoint serves what was there before it, and the "
    "comparison of models is with that; resources are compared with the template, as "
    "CloudFormation does"
)
_GROUPS = ("ProductionVariants", "ShadowProductionVariants")


def plan_of(proposal: Proposal, config: Path) -> Plan:
    """The plan of a proposal; AWS is asked, and nothing is changed.

    Args:
        proposal: What is wanted, and what there is.
        config: The configuration file.

    Raises:
        CloudError: AWS refuses, or nobody answers.
    """
    project, live = proposal.config, proposal.live
    records = None
    if proposal.against is None and proposal.deployed.artifacts is not None:
        records = RecordStore.of(live, proposal.settings)
    sources = Sources(project.root, project.lock_path, records)
    coming = versions_in(proposal.wanted.endpoint)
    undone = proposal.serves.configuration is not None
    serving = _serving_versions(proposal) if undone else versions_in(proposal.deployed.endpoint)
    passing = _passing(proposal)
    obstacles = proposal.obstacles if passing is None else _beside(proposal)
    steps = plan_steps(proposal.deployed, proposal.wanted, obstacles)
    notes = (_UNDONE if undone else None, None if passing is None else _noted(passing))
    return plan_between(
        Situation(
            settings=proposal.settings,
            deployed=proposal.deployed,
            wanted=proposal.wanted,
            serving=_with_knowledge(serving, sources, coming),
            coming={role: (each, sources.wanted(each)) for role, each in coming.items()},
            obstacles=obstacles,
            steps=tuple(step.title for step in steps),
            running=_running(proposal),
            money=estimate_money(proposal.settings, proposal.deployed, proposal.wanted, config),
            against=None if proposal.against is None else str(proposal.against),
            notes=tuple(note for note in notes if note is not None),
        )
    )


def _passing(proposal: Proposal) -> Obstacle | None:
    """What is in the way now, and goes away by itself."""
    found = proposal.serves.obstacle
    return found if found is not None and found.passing else None


def _beside(proposal: Proposal) -> tuple[Obstacle, ...]:
    """What will be in the way when that which passes has gone."""
    deployed, wanted = proposal.deployed, proposal.wanted
    return (*find_obstacles(deployed, wanted), *find_identity_obstacles(deployed, wanted))


def _noted(obstacle: Obstacle) -> str:
    return (
        f"{obstacle.reason}; until then forecast deploy refuses: {', then '.join(obstacle.steps)}"
    )


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


def _serving_versions(proposal: Proposal) -> dict[Role, TaggedVersion]:
    """What the endpoint serves after its rollout was undone, as its configuration is tagged."""
    configuration = proposal.serves.configuration or {}
    tags = proposal.live.cloud.pages(
        "sagemaker", "list_tags", "Tags", ResourceArn=configuration["EndpointConfigArn"]
    )
    return versions_of({each["Key"]: each["Value"] for each in tags})


def _running(proposal: Proposal) -> dict[str, int] | None:
    """Instances in service by variant, as SageMaker counts them."""
    deployed = proposal.deployed.endpoint
    hosted = None if deployed is None else hosted_in(deployed)
    if hosted is None or proposal.against is not None:
        return None
    endpoint = proposal.live.endpoint(hosted.name)
    if endpoint is None:
        return None
    return {
        variant["VariantName"]: variant["CurrentInstanceCount"]
        for group in _GROUPS
        for variant in endpoint.get(group) or ()
        if variant.get("CurrentInstanceCount") is not None
    }
