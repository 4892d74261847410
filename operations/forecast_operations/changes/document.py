"""A plan as a document for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from forecast_operations.changes import words

if TYPE_CHECKING:
    from forecast_operations.changes.models import Knowledge, ModelChange
    from forecast_operations.changes.plan import Plan
    from forecast_operations.changes.resources import ResourceChange
    from forecast_operations.costing.bill import CostLine
    from forecast_operations.costing.estimate import Estimate
    from forecast_operations.costing.money import Money
    from forecast_operations.updates.obstacles import Obstacle

SCHEMA_VERSION = 1


def as_document(plan: Plan) -> dict[str, Any]:
    """The plan; keys are only added as long as `schema_version` stays the same."""
    return {
        "schema_version": SCHEMA_VERSION,
        "environment": plan.environment,
        "endpoint": plan.endpoint,
        "region": plan.region,
        "against": plan.against,
        "headline": words.headline(plan),
        "can_be_deployed": plan.can_be_deployed,
        "is_empty": plan.is_empty,
        "is_first": plan.is_first,
        "over_budget": plan.over_budget,
        "notes": list(plan.notes),
        "models": [_model(change) for change in plan.models],
        "resources": [_resource(change) for change in words.ordered(plan)],
        "counts": dict(plan.counts),
        "outputs": list(plan.outputs),
        "obstacles": [_obstacle(obstacle) for obstacle in plan.obstacles],
        "permitted": [_obstacle(obstacle) for obstacle in plan.permitted],
        "steps": list(plan.steps),
        "rollout": asdict(plan.timeline),
        "capacity": asdict(plan.fleet),
        "money": None if plan.money is None else _money(plan.money),
    }


def _model(change: ModelChange) -> dict[str, Any]:
    return {
        "role": change.role,
        "is_same": change.is_same,
        "before": None if change.before is None else asdict(change.before),
        "after": None if change.after is None else asdict(change.after),
        "known_before": _knowledge(change.known_before),
        "known_after": _knowledge(change.known_after),
        "metrics": [{**asdict(each), "difference": each.difference} for each in change.metrics],
        "signature": None if change.signature is None else list(change.signature),
    }


def _knowledge(knowledge: Knowledge | None) -> dict[str, Any] | None:
    if knowledge is None:
        return None
    card = None if knowledge.card is None else knowledge.card.model_dump(mode="json")
    return {"source": knowledge.source, "trained_at": knowledge.trained_at, "card": card}


def _resource(change: ResourceChange) -> dict[str, Any]:
    return {**asdict(change), "verdict": words.verdict(change)}


def _obstacle(obstacle: Obstacle) -> dict[str, Any]:
    return {**asdict(obstacle), "option": words.option(obstacle) or None}


def _money(money: Money) -> dict[str, Any]:
    budget = money.budget
    return {
        "currency": money.after.currency,
        "before": None if money.before is None else _estimate(money.before),
        "after": _estimate(money.after),
        "rollout": None if money.rollout is None else _line(money.rollout),
        "budget": None
        if budget is None
        else {"message": budget.message, "exceeded": budget.exceeded},
        "priced_at": money.priced_at,
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {
        "low": estimate.low,
        "high": estimate.high,
        "unknown": list(estimate.unknown),
        "lines": [_line(each) for each in estimate.lines],
    }


def _line(line: CostLine) -> dict[str, Any]:
    return {"item": line.item, "detail": line.detail, "low": line.low, "high": line.high}
