"""Changes that AWS refuses in the middle of a deployment, found before anything is called.

Sources: Amazon SageMaker developer guide, "Automatic scaling of Amazon SageMaker AI models" (a
variant with a scalable target: change of instance type and removal), "Exclusions" of the deployment
guardrails (names of variants) and "Deploy models with Amazon SageMaker Serverless Inference"; AWS
CloudFormation template reference, AWS::SageMaker::Endpoint (EndpointName: "Update requires:
Replacement", and what is replaced is deleted in the cleanup of the same update); AWS
CloudFormation user guide, "Get exported outputs from a deployed CloudFormation stack" (an export in
use cannot be removed or changed).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from forecast_operations.synthesis.hosted import Hosted, hosted_in, serving
from forecast_operations.synthesis.references import exports, imports, references
from forecast_operations.synthesis.replacement import renewed_exports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_operations.synthesis.hosted import Template

Permission = Literal["rescale", "unguarded", "recreate"]
"""What must be allowed: scaling paused for a moment, other variants all at once with nothing that
undoes it, or the endpoint away for minutes. None of them allows another."""

OPTIONS: dict[Permission, str] = {
    "rescale": "--allow-rescale",
    "unguarded": "--allow-unguarded",
    "recreate": "--allow-recreate",
}
"""The option of the command line that gives a permission."""


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
        resources: Logical ids of the resources that it is about; none: it is about the endpoint.
        passing: Whether it goes away by itself: a plan notes it, a deployment is refused.
        removes: Name of the endpoint that its permission removes; None where none goes.
    """

    kind: Literal[
        "rescale",
        "variants",
        "promotion",
        "weights",
        "recreate",
        "rename",
        "failed",
        "away",
        "busy",
        "stuck",
        "undone",
        "exports",
        "named",
        "retyped",
    ]
    reason: str
    steps: tuple[str, ...]
    permission: Permission | None
    resources: tuple[str, ...] = ()
    passing: bool = False
    removes: str | None = None

    @property
    def way_out(self) -> list[str]:
        """The way around it, a line each: by hand, and by the option that permits it."""
        lines = [f"{number}. {step}" for number, step in enumerate(self.steps, 1)]
        if self.permission is not None:
            what = "" if self.removes is None else f", which removes the endpoint {self.removes}"
            lines.append(f"or let it be done for you: {OPTIONS[self.permission]}{what}")
        return lines


@dataclass(frozen=True)
class Serving:
    """What is known of the endpoint itself, and not of its template.

    Attributes:
        obstacle: Why it cannot be updated at all.
        configuration: The answer of DescribeEndpointConfig for what serves; None: what the
            template says.
        expected: Name of the configuration that the stack says, where another one serves or both.
        mixed: Whether instances of two configurations answer, as an undoing has failed.
    """

    obstacle: Obstacle | None = None
    configuration: Mapping[str, Any] | None = None
    expected: str | None = None
    mixed: bool = False


def find_obstacles(
    deployed: Templates, wanted: Templates, serves: Serving | None = None
) -> list[Obstacle]:
    """Everything that AWS would refuse of an update; nothing for a first deployment.

    Args:
        deployed: What is deployed now.
        wanted: What has been synthesized.
        serves: What the endpoint itself says; left out, it is as its template says.
    """
    serves = serves or Serving()
    if serves.obstacle is not None:
        # It has to be made anew, so that nothing else about it is in the way.
        return [serves.obstacle, *_in_exports(deployed, wanted)]
    old, new = hosted_in(deployed.endpoint), hosted_in(wanted.endpoint)
    hosting: list[Obstacle] = []
    if old is not None and new is not None:
        if serves.configuration is not None:
            old = serving(old, serves.configuration)
        hosting.extend(_in_hosting(old, new))
    return [*hosting, *_in_exports(deployed, wanted)]


def _in_hosting(old: Hosted, new: Hosted) -> Iterator[Obstacle]:
    if old.name != new.name:
        yield _rename(old, new)
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
    elif new.keeps("DesiredWeight") and old.weights != new.weights:
        yield _kept_weights(old)


def _mode_switch(old: Hosted, new: Hosted) -> Obstacle:
    return Obstacle(
        "recreate",
        f"endpoint {old.name} serves as {old.mode} and cannot become {new.mode} under its name: "
        "SageMaker updates no endpoint from one mode to another",
        (
            (
                f"add a second environment with endpoint.kind {new.mode}, which gives the endpoint "
                "another name, and deploy it"
            ),
            "move the clients, then destroy this environment (no interruption)",
        ),
        "recreate",
        removes=old.name,
    )


def _rename(old: Hosted, new: Hosted) -> Obstacle:
    return Obstacle(
        "rename",
        f"endpoint {old.name} would become {new.name}: CloudFormation makes the new one and "
        f"deletes the old one in the same update, and whoever still calls {old.name} is cut off",
        (
            (
                f"if {old.name} is another project's, whose stacks are called the same: give this "
                "project a stack_prefix of its own, at the top of its configuration"
            ),
            f"else add a second environment whose endpoint is called {new.name}, and deploy it",
            f"move the clients, then destroy the environment of {old.name} (no interruption)",
        ),
        "recreate",
        removes=old.name,
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
        elif (name in old.warm) != (name in new.warm):
            what = (
                f"variant {name} of {old.name} is scaled and cannot "
                f"{'lose' if name in old.warm else 'get'} its provisioned concurrency"
            )
        else:
            continue
        yield Obstacle(
            "rescale",
            f"{what}: SageMaker refuses the update while Application Auto Scaling has the variant "
            "registered",
            (
                _unscaled(old, name),
                "deploy what is wanted",
            ),
            "rescale",
        )


def _unscaled(old: Hosted, variant: str) -> str:
    if old.variants[variant] is None:
        how = "initial, minimum and maximum of provisioned_concurrency all at what is warm now"
    else:
        how = (
            "autoscaling: null and endpoint.initial_instance_count at the count that serves now "
            "(what nothing scales follows the file, not what has been scaled out)"
        )
    return f"deploy with {how}, and everything else as it was"


def _variant_names(old: Hosted, new: Hosted) -> Obstacle:
    return Obstacle(
        "variants",
        f"endpoint {old.name} has the variants {_listed(old.variants)} and would get "
        f"{_listed(new.variants)}: a guarded rollout needs the same names on both sides",
        (
            (
                "forecast deploy ENV --allow-unguarded: all at once, without an update policy, and "
                "nothing undoes it (there is no setting for it)"
            ),
            "later rollouts are guarded again",
        ),
        "unguarded",
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
            "take the share from the file: forecast deploy ENV --context reset_weights=true",
            "or shift it by sagemaker:UpdateEndpointWeightsAndCapacities",
        ),
        None,
    )


def _in_exports(deployed: Templates, wanted: Templates) -> Iterator[Obstacle]:
    if deployed.artifacts is None or deployed.endpoint is None or wanted.artifacts is None:
        return
    old, new = exports(deployed.artifacts), exports(wanted.artifacts)
    other = renewed_exports(deployed.artifacts, wanted.artifacts)
    going = sorted(
        name
        for name in set(imports(deployed.endpoint)) & old.keys()
        if name not in new or name in other
    )
    if not going:
        return
    needed = set(imports(wanted.endpoint or {}))
    about = tuple(sorted({each for name in going for each in references(old[name])}))
    reason = (
        "the endpoint's stack uses what the artifacts' stack would remove or replace "
        f"({', '.join(name.partition(':')[2] or name for name in going)}): CloudFormation refuses "
        "to remove an export in use"
    )
    alone = needed <= old.keys() - set(going)
    first = "deploy the endpoint's stack alone (cdk deploy --exclusively)"
    if not alone:
        first = (
            "deploy with network: {kind: none} and the encryption as it was, by way of "
            "forecast deploy --allow-rescale"
        )
    steps = (first, "deploy both" if alone else "deploy what is wanted")
    yield Obstacle("exports", reason, steps, "rescale" if alone else None, about)


def _listed(variants: object) -> str:
    return " and ".join(sorted(variants))  # type: ignore[call-overload] # names
