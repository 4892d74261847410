"""Changes that AWS refuses in the middle of a deployment, found before anything is called.

Sources: Amazon SageMaker developer guide, "Automatic scaling of Amazon SageMaker AI models" (a
variant with a scalable target: change of instance type and removal), "Exclusions" of the deployment
guardrails (names of variants) and "Deploy models with Amazon SageMaker Serverless Inference"; AWS
CloudFormation user guide, "Get exported outputs from a deployed CloudFormation stack" (an export in
use cannot be removed or changed).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from forecast_operations.updates.hosted import Hosted, hosted_in
from forecast_operations.updates.references import (
    exports,
    imports,
    references,
    replaced_resources,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.updates.hosted import Template

Permission = Literal["rescale", "recreate"]
"""What must be allowed: scaling paused for a moment, or the endpoint away for minutes."""


@dataclass(frozen=True)
class Templates:
    """The templates of one environment; None for a stack that is not there.

    Attributes:
        artifacts: The stateful stack.
        endpoint: The stack of the endpoint.
    """

    artifacts: Template | None
    endpoint: Template | None


@dataclass(frozen=True)
class Obstacle:
    """One change that AWS would refuse in one step.

    Attributes:
        kind: What kind of change it is.
        reason: What is refused, by whom and why.
        steps: The way around it, by hand.
        permission: What allows it to be carried out in steps; None: it cannot be.
    """

    kind: Literal["rescale", "variants", "promotion", "weights", "recreate", "exports"]
    reason: str
    steps: tuple[str, ...]
    permission: Permission | None


def find_obstacles(deployed: Templates, wanted: Templates) -> list[Obstacle]:
    """Everything that AWS would refuse of an update; nothing for a first deployment.

    Args:
        deployed: What is deployed now.
        wanted: What has been synthesized.
    """
    return [*_in_hosting(deployed, wanted), *_in_exports(deployed, wanted)]


def _in_hosting(deployed: Templates, wanted: Templates) -> Iterator[Obstacle]:
    old = None if deployed.endpoint is None else hosted_in(deployed.endpoint)
    new = None if wanted.endpoint is None else hosted_in(wanted.endpoint)
    if old is None or new is None or old.name != new.name:
        # Another name is another endpoint, which is made before the old one goes.
        return
    if old.mode != new.mode:
        yield _mode_switch(old, new)
        return
    yield from _scaled_variants(old, new)
    if old.shadows & new.variants.keys():
        yield _promotion(old)
    elif set(old.variants) != set(new.variants):
        if new.guarded:
            yield _variant_names(old, new)
    elif new.keeps_weights and dict(old.weights) != dict(new.weights):
        yield _kept_weights(old)


def _mode_switch(old: Hosted, new: Hosted) -> Obstacle:
    return Obstacle(
        "recreate",
        f"endpoint {old.name} serves as {old.mode} and cannot become {new.mode} under its name: "
        "SageMaker updates no endpoint from one mode to another",
        (
            (
                f"give the {new.mode} endpoint another endpoint.name, deploy, move the clients, "
                "and remove the old one (no interruption)"
            ),
            f"or delete {old.name} and deploy (minutes without an answer)",
        ),
        "recreate",
    )


def _scaled_variants(old: Hosted, new: Hosted) -> Iterator[Obstacle]:
    for name in sorted(old.scaled & old.variants.keys()):
        if name not in new.variants:
            what = f"variant {name} of {old.name} is scaled and cannot be removed"
        elif new.variants[name] != old.variants[name]:
            what = (
                f"variant {name} of {old.name} is scaled and cannot change from "
                f"{old.variants[name]} to {new.variants[name]}"
            )
        else:
            continue
        yield Obstacle(
            "rescale",
            f"{what}: SageMaker refuses the update while Application Auto Scaling has the variant "
            "registered",
            (
                (
                    "deploy with autoscaling: null and everything else as it was; the instances "
                    "that serve now go on serving"
                ),
                "deploy what is wanted",
            ),
            "rescale",
        )


def _variant_names(old: Hosted, new: Hosted) -> Obstacle:
    return Obstacle(
        "variants",
        f"endpoint {old.name} has the variants {_listed(old.variants)} and would get "
        f"{_listed(new.variants)}: a guarded rollout needs the same names on both sides",
        (
            "deploy what is wanted without an update policy: all at once, and nothing undoes it",
            "deploy what is wanted; later rollouts are guarded again",
        ),
        "rescale",
    )


def _promotion(old: Hosted) -> Obstacle:
    return Obstacle(
        "promotion",
        f"the shadow of endpoint {old.name} would answer clients in the next step: SageMaker keeps "
        "what it knows of a variant by its name, the share of the copies included",
        ("deploy without a challenger (rollout.kind: all_at_once)", "deploy what is wanted"),
        None,
    )


def _kept_weights(old: Hosted) -> Obstacle:
    return Obstacle(
        "weights",
        f"the share of the challenger of endpoint {old.name} would not change: an update keeps the "
        "weights that are there, so that a share which somebody has shifted survives it",
        (
            "deploy with the context flag reset_weights=true, to take the share from the file",
            "or shift it by sagemaker:UpdateEndpointWeightsAndCapacities",
        ),
        None,
    )


def _in_exports(deployed: Templates, wanted: Templates) -> Iterator[Obstacle]:
    if deployed.artifacts is None or deployed.endpoint is None or wanted.artifacts is None:
        return
    old, new = exports(deployed.artifacts), exports(wanted.artifacts)
    replaced = replaced_resources(deployed.artifacts, wanted.artifacts)
    going = sorted(
        name
        for name in set(imports(deployed.endpoint)) & old.keys()
        if new.get(name) != old[name] or replaced & set(references(old[name]))
    )
    if not going:
        return
    needed = set(imports(wanted.endpoint or {}))
    reason = (
        "the endpoint's stack uses what the artifacts' stack would remove or replace "
        f"({', '.join(name.partition(':')[2] or name for name in going)}): CloudFormation refuses "
        "to remove an export in use"
    )
    if needed <= old.keys() - set(going):
        yield Obstacle(
            "exports",
            reason,
            ("deploy the endpoint's stack alone (cdk deploy --exclusively)", "deploy both"),
            "rescale",
        )
        return
    yield Obstacle(
        "exports",
        reason,
        (
            (
                "deploy with network: {kind: none} and the encryption as it was, by way of "
                "forecast deploy --allow-rescale"
            ),
            "deploy what is wanted",
        ),
        None,
    )


def _listed(variants: object) -> str:
    return " and ".join(sorted(variants))  # type: ignore[call-overload] # names
