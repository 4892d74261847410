"""Plans: what deploying an environment would do, compared with what is deployed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from forecast_operations.changes.fleet import plan_fleet
from forecast_operations.changes.models import model_changes
from forecast_operations.changes.resources import protection_changes, resource_changes
from forecast_operations.changes.rollout import plan_timeline, takeover_of
from forecast_operations.changes.values import differences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_config import EnvironmentSettings
    from forecast_operations.changes.fleet import Fleet, Takeover
    from forecast_operations.changes.models import Known, ModelChange
    from forecast_operations.changes.resources import Action, ResourceChange
    from forecast_operations.changes.rollout import Timeline
    from forecast_operations.changes.versions import Role
    from forecast_operations.costing.money import Money
    from forecast_operations.updates.obstacles import Obstacle, Permission, Templates

_QUIET = ("unchanged",)
_SECOND_CAPACITY = ("second fleet", "batches")


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Everything that a plan is made from; nothing is asked any more.

    Attributes:
        settings: The environment.
        deployed: The templates that are deployed.
        wanted: The templates that are wanted.
        serving: What serves now, and what is known of it, by role.
        coming: What is wanted, and what is known of it, by role.
        obstacles: What AWS would refuse of an update in one step.
        allowed: What is permitted in order to lead around them.
        protection: Termination protection of a stack now and then, by its name, where it changes.
        steps: Titles of the deployments that lead to what is wanted.
        running: Instances in service now by variant; None where nobody was asked.
        money: What it costs; None where that was not estimated.
        against: What stands for what is deployed, a folder; None: AWS was asked.
        notes: What a reviewer should know besides.
    """

    settings: EnvironmentSettings
    deployed: Templates
    wanted: Templates
    serving: Mapping[Role, Known]
    coming: Mapping[Role, Known]
    obstacles: tuple[Obstacle, ...] = ()
    allowed: frozenset[Permission] = frozenset()
    protection: Mapping[str, tuple[bool, bool]] = field(default_factory=dict)
    steps: tuple[str, ...] = ()
    running: Mapping[str, int] | None = None
    money: Money | None = None
    against: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What deploying an environment would do.

    Attributes:
        environment: Name of the environment.
        endpoint: Name of its endpoint, as it is wanted.
        region: Its region.
        against: What stands for what is deployed; None: AWS was asked.
        is_first: Whether nothing of it is deployed.
        models: Which version replaces which.
        key_metric: Loss that the alarm of drift watches, such as WAPE; None where none does.
        resources: What happens to each resource, those that stay as they are left out.
        counts: How many resources there are of each action.
        outputs: Outputs of the stacks that change.
        obstacles: What is in the way, and the way around.
        permitted: What would be in the way, and is led around by permission.
        steps: Titles of the deployments that lead to what is wanted.
        timeline: How the wanted version takes over.
        fleet: Capacity before, while it runs, and after.
        money: What it costs; None where that was not estimated.
        notes: What a reviewer should know besides.
    """

    environment: str
    endpoint: str
    region: str
    against: str | None
    is_first: bool
    models: tuple[ModelChange, ...]
    key_metric: str | None
    resources: tuple[ResourceChange, ...]
    counts: Mapping[Action, int]
    outputs: tuple[str, ...]
    obstacles: tuple[Obstacle, ...]
    permitted: tuple[Obstacle, ...]
    steps: tuple[str, ...]
    timeline: Timeline
    fleet: Fleet
    money: Money | None
    notes: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to deploy."""
        others = any(not each.is_same for each in self.models)
        in_the_way = self.obstacles or self.permitted
        return not (self.resources or self.outputs or in_the_way or others)

    @property
    def over_budget(self) -> bool:
        """Whether it costs more than the budget at the least."""
        budget = None if self.money is None else self.money.budget
        return budget is not None and budget.exceeded

    @property
    def has_finding(self) -> bool:
        """Whether the budget says anything to it, a warning included."""
        return self.money is not None and self.money.budget is not None

    @property
    def can_be_deployed(self) -> bool:
        """Whether nothing is in the way, the budget included."""
        return not (self.obstacles or self.over_budget)


def plan_between(situation: Situation) -> Plan:
    """The plan of a situation; pure.

    Args:
        situation: What is deployed, what is wanted, and what is known of both.
    """
    settings, deployed, wanted = situation.settings, situation.deployed, situation.wanted
    stacks = settings.artifacts_stack_name, settings.stack_name
    permitted = tuple(each for each in situation.obstacles if each.permission in situation.allowed)
    in_the_way = tuple(each for each in situation.obstacles if each not in permitted)
    changes = (
        *resource_changes(deployed, wanted, in_the_way, stacks),
        *protection_changes(situation.protection),
    )
    takeover = takeover_of(changes, situation.obstacles, wanted.endpoint)
    fleet = plan_fleet(deployed.endpoint, wanted.endpoint, takeover, situation.running)
    champion = next(iter(fleet.after), None)
    drift = settings.alarms.model_drift
    return Plan(
        environment=settings.name,
        endpoint=settings.endpoint.name,
        region=settings.region,
        against=situation.against,
        is_first=deployed.endpoint is None and deployed.artifacts is None,
        models=model_changes(situation.serving, situation.coming),
        key_metric=None if drift is None else drift.metric_name,
        resources=tuple(each for each in changes if each.action not in _QUIET or each.blocked),
        counts=Counter(each.action for each in changes),
        outputs=tuple(_changed_outputs(deployed, wanted)),
        obstacles=in_the_way,
        permitted=permitted,
        steps=situation.steps,
        timeline=plan_timeline(
            settings.rollout,
            wanted.endpoint,
            takeover,
            situation.obstacles,
            None if champion is None else champion.instances,
        ),
        fleet=fleet,
        money=_money(situation.money, takeover),
        notes=situation.notes,
    )


def _money(money: Money | None, takeover: Takeover) -> Money | None:
    """What is estimated, without the cost of a rollout that there is not."""
    if money is None or takeover in _SECOND_CAPACITY:
        return money
    return replace(money, rollout=None)


def _changed_outputs(deployed: Templates, wanted: Templates) -> list[str]:
    found: list[str] = []
    for old, new in (
        (deployed.artifacts, wanted.artifacts),
        (deployed.endpoint, wanted.endpoint),
    ):
        before, after = (old or {}).get("Outputs", {}), (new or {}).get("Outputs", {})
        leaves = differences(before, after)
        found += dict.fromkeys(each.path.partition("/")[0] for each in leaves)
    return found
