"""The way around what AWS refuses: templates to deploy one after the other."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_operations.synthesis.hosted import (
    SCALABLE_TARGET,
    SCALING_POLICY,
    hosted_in,
    referred_id,
    resources_of,
    scaled_variant,
)
from forecast_operations.synthesis.references import without

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forecast_operations.synthesis.hosted import Hosted, Template
    from forecast_operations.updates.obstacles import Obstacle, Templates


_COMPOSITE_ALARM = "AWS::CloudWatch::CompositeAlarm"


@dataclass(frozen=True)
class Step:
    """One deployment of the endpoint's stack.

    Attributes:
        title: What it does.
        template: What is deployed; None: what has been synthesized.
        alone: Whether the stacks that it depends on stay as they are.
        leaves: What is not as it should be from then on until the last step; empty for nothing.
    """

    title: str
    template: Template | None = None
    alone: bool = False
    leaves: str = ""


def plan_steps(
    deployed: Templates, wanted: Templates, obstacles: Sequence[Obstacle]
) -> tuple[Step, ...]:
    """The deployments that lead from what is deployed to what is wanted.

    Args:
        deployed: What is deployed now.
        wanted: What has been synthesized.
        obstacles: What stands between them.
    """
    kinds = {obstacle.kind for obstacle in obstacles}
    alone = "exports" in kinds
    steps: list[Step] = []
    anew = bool(kinds & {"recreate", "failed", "away"})
    if (anew or "rescale" in kinds) and deployed.endpoint is not None:
        steps.append(_make_room(deployed.endpoint, recreate=anew))
    if "variants" in kinds and wanted.endpoint is not None:
        title = "change the variants, all at once"
        steps.append(Step(title, without_update_policy(wanted.endpoint), alone=alone))
    if alone:
        steps.append(Step("deploy the endpoint's stack alone", alone=True))
    return (*steps, Step("deploy what is wanted"))


def without_update_policy(template: Template) -> Template:
    """A template whose endpoint changes all at once, as SageMaker does without a policy."""
    changed = copy.deepcopy(template)
    hosted = hosted_in(changed)
    if hosted is not None:
        changed["Resources"][hosted.logical_id]["Properties"].pop("DeploymentConfig", None)
    return changed


def _make_room(template: Template, *, recreate: bool) -> Step:
    hosted = hosted_in(template)
    assert hosted is not None  # noqa: S101 - the obstacle was found in it
    scaling = tuple(_scaling_of(template, hosted))
    if recreate:
        title = f"remove the endpoint {hosted.name}; it answers again after the next step"
        left = without(template, (hosted.logical_id, *scaling))
        for _, alarm in resources_of(left, _COMPOSITE_ALARM):
            # An endpoint that is away on purpose pages nobody; the next step turns them on again.
            alarm["Properties"]["ActionsEnabled"] = False
        leaves = f"the endpoint {hosted.name} is away, and its incidents notify nobody"
        return Step(title, left, alone=True, leaves=leaves)
    title = f"take {hosted.name} from Application Auto Scaling; its instances go on serving"
    leaves = f"{hosted.name} does not scale: as many instances serve as did"
    return Step(title, without(template, scaling), alone=True, leaves=leaves)


def _scaling_of(template: Template, hosted: Hosted) -> Iterator[str]:
    targets = {
        logical_id
        for logical_id, target in resources_of(template, SCALABLE_TARGET)
        if scaled_variant(target, hosted.name) is not None
    }
    yield from targets
    for logical_id, policy in resources_of(template, SCALING_POLICY):
        if referred_id(policy.get("Properties", {}).get("ScalingTargetId")) in targets:
            yield logical_id
