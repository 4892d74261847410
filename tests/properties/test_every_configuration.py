"""Every configuration that loads also synthesizes, lints clean, breaks no rule and deploys.

A longer run: `python -m pytest -n0 tests/properties --hypothesis-profile long`
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint import lint
from cfnlint.config import ManualArgs
from configurations import REGION, documents
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from forecast_config import ConfigError
from forecast_local.simulation import ANY_ALARM, Simulation
from forecast_operations.updates.obstacles import Templates, find_obstacles
from forecast_operations.updates.steps import plan_steps
from forecast_rules.engine import RuleEngine

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_operations.updates.obstacles import Obstacle

STACKS = ("ForecastProdArtifacts", "ForecastProd")
FEW = settings(
    max_examples=settings.default.max_examples // 20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module")
def rules() -> RuleEngine:
    return RuleEngine()


@pytest.fixture(scope="module")
def synthesize_document(
    load_environment: Callable[..., Any], templates_of: Callable[..., Any]
) -> Callable[..., dict[str, Any]]:
    """The templates of a drawn document; one that does not load is not looked at."""

    def make(document: dict[str, Any], version: str = "16") -> dict[str, Any]:
        try:
            environment = load_environment(document)
        except ConfigError:
            assume(condition=False)
        event(f"{environment.endpoint.kind} {environment.rollout.kind}")
        made: dict[str, Any] = templates_of(environment, version)
        return made

    return make


@FEW
@given(document=documents())
def test_what_loads_is_sound(
    document: dict[str, Any], synthesize_document: Callable[..., Any], rules: RuleEngine
) -> None:
    for name, template in synthesize_document(document).items():
        text = json.dumps(template)
        found = [str(match) for match in lint(text, config=ManualArgs(regions=[REGION]))]
        broken = rules.check(text, name=name, region=REGION, builtin=True)

        assert found == []
        assert [f"{each.rule_id} {each.message}" for each in broken if _is_error(each)] == []


@FEW
@given(
    chain=st.lists(documents(), min_size=2, max_size=4),
    alarm=st.integers(0, 3),
)
def test_every_update_is_accepted_or_refused_by_name(
    chain: list[dict[str, Any]], alarm: int, synthesize_document: Callable[..., Any]
) -> None:
    made = [synthesize_document(each, str(16 + turn)) for turn, each in enumerate(chain)]
    with Simulation(region=REGION) as aws:
        deployed = made[0]
        _deploy_all(aws, deployed)
        for turn, wanted in enumerate(made[1:], 1):
            fires = alarm == turn
            if _update(aws, deployed, wanted, fires=fires):
                deployed = wanted


def _update(aws: Simulation, old: dict[str, Any], new: dict[str, Any], *, fires: bool) -> bool:
    """Lead from one to the other as `forecast deploy` does; whether the new one serves."""
    before, after = (Templates(*(each[stack] for stack in STACKS)) for each in (old, new))
    obstacles = find_obstacles(before, after)
    if any(obstacle.permission is None for obstacle in obstacles):
        _assert_named(obstacles)
        return False
    if obstacles:
        event("in steps: " + ", ".join(sorted({obstacle.kind for obstacle in obstacles})))
        _assert_named(obstacles)
    for step in plan_steps(before, after, obstacles):
        if not step.alone:
            _expect_success(aws.deploy(STACKS[0], new[STACKS[0]]))
        outcome = aws.deploy(
            STACKS[1],
            new[STACKS[1]] if step.template is None else step.template,
            alarm=ANY_ALARM if fires and not obstacles else None,
        )
        if outcome.tripped and outcome.rolled_back:
            event("undone by an alarm")
            assert aws.endpoint("forecast-prod")["EndpointStatus"] == "InService"
            _expect_success(aws.deploy(STACKS[0], old[STACKS[0]]))
            return False
        _expect_success(outcome)
    return True


def _deploy_all(aws: Simulation, templates: dict[str, Any]) -> None:
    for stack in STACKS:
        _expect_success(aws.deploy(stack, templates[stack]))


def _expect_success(outcome: Any) -> None:
    unchanged = outcome.status in {"UNCHANGED", "REFUSED"} and "No updates" in str(outcome.reason)
    assert outcome.succeeded or unchanged, (outcome.status, outcome.reason)


def _assert_named(obstacles: list[Obstacle]) -> None:
    for obstacle in obstacles:
        assert obstacle.reason
        assert len(obstacle.steps) == 2


def _is_error(finding: Any) -> bool:
    return bool(finding.severity == "error")
