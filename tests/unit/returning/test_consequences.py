"""Before a return is carried out it is said what becomes of the endpoint, and what else changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from small_stacks import artifacts_template

from forecast_config import ForecastError, read_lock
from forecast_operations.commands import rollback
from forecast_operations.commands.rollback import rollback_command
from forecast_operations.deployed.live import Live
from forecast_operations.returning import carrying_out
from forecast_operations.returning.intent import keep_intent, read_intent
from forecast_operations.returning.plan import plan_return
from forecast_operations.updates.obstacles import Obstacle
from forecast_packaging import write_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import World

pytestmark = pytest.mark.usefixtures("proving")

QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30}}
SPLIT = {"kind": "split", "challenger": {"alias": "challenger"}, "challenger_percent": 10}


def _told(world: World, change: Callable[[dict[str, Any]], Any], **options: Any) -> list[str]:
    """What is said of a return whose working copy synthesizes something else than before."""
    said: list[str] = []
    real = world.template

    def template() -> dict[str, Any]:
        made = real()
        change(made["Resources"])
        return made

    def ask(_: str, sentences: list[str], **__: Any) -> None:
        said.extend(sentences)
        raise ForecastError("nothing was changed")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(world, "template", template)
        patched.setattr(rollback, "confirm", ask)
        with pytest.raises(ForecastError, match="nothing was changed"):
            rollback_command("prod", world.config, **options)
    return said


def _nothing(_: dict[str, Any]) -> None:
    pass


def test_who_says_no_has_changed_nothing(moved_on: World) -> None:
    before = moved_on.lock.read_bytes()

    _told(moved_on, _nothing)

    assert moved_on.calls == ["synth"]
    assert moved_on.lock.read_bytes() == before
    assert read_intent(moved_on.root, "prod") is None
    assert moved_on.serves("2")


def test_of_the_version_alone_nothing_else_is_said(moved_on: World) -> None:
    said = _told(moved_on, _nothing)

    assert "the endpoint forecast-prod changes by its rollout (canary)" in said
    assert not [each for each in said if each.startswith("beside the version")]


def test_what_else_the_working_copy_changes_is_named(moved_on: World) -> None:
    def change(resources: dict[str, Any]) -> None:
        resources["Queue0123ABCD"] = QUEUE
        config = resources["Config"]["Properties"]
        config["ProductionVariants"][0]["InstanceType"] = "ml.c5.large"

    said = _told(moved_on, change)

    begin = next(place for place, each in enumerate(said) if each.startswith("beside the version"))
    assert (
        f"all of {moved_on.config} as it is here is deployed, which changes 2 more" in said[begin]
    )
    assert said[begin].endswith("forecast plan prod")
    assert said[begin + 1].startswith("replaced: ForecastProd/Config (SageMaker::EndpointConfig): ")
    assert "InstanceType: ml.m5.large -> ml.c5.large (replaces it)" in said[begin + 1]
    assert said[begin + 2] == "new: ForecastProd/Queue (SQS::Queue)"


def test_what_is_lost_is_named_and_long_lists_are_cut(moved_on: World) -> None:
    deployed = moved_on.template()
    deployed["Resources"]["Queue"] = QUEUE
    assert moved_on.aws.deploy("ForecastProd", deployed).succeeded

    def change(resources: dict[str, Any]) -> None:
        resources |= {f"Queue{number}": QUEUE for number in range(12)}

    said = _told(moved_on, change)

    assert (
        "removed: ForecastProd/Queue (SQS::Queue): note: the messages in the old one are lost"
    ) in said
    assert "and 3 more" in said


def test_alarms_undo_it_only_where_there_are_some(moved_on: World) -> None:
    def guard(resources: dict[str, Any]) -> None:
        rollout = resources["Endpoint"]["Properties"]["DeploymentConfig"]
        rollout["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": "fails"}]}

    def bare(resources: dict[str, Any]) -> None:
        del resources["Endpoint"]["Properties"]["DeploymentConfig"]

    guarded, unguarded = _told(moved_on, guard), _told(moved_on, bare)

    assert (
        "the endpoint forecast-prod changes by its rollout (canary), which its alarms undo"
        in guarded
    )
    assert "the endpoint forecast-prod changes all at once, and nothing undoes it" in unguarded


def test_the_end_of_a_split_is_said_to_be_unguarded(world: World) -> None:
    world.deploy("1")
    world.record("1")
    world.configure("prod", rollout=SPLIT)
    world.deploy("1", challenger="2")

    said = _told(world, _nothing, allow_unguarded=True)

    assert "in a step of its own: change the variants, all at once" in said
    assert "the endpoint forecast-prod changes all at once, and nothing undoes it" in said
    assert "the comparison with version 2 ends: one version answers all requests" in said


def test_an_endpoint_that_is_made_anew_is_said_to_be_away(moved_on: World) -> None:
    moved_on.aws.client("sagemaker").delete_endpoint(EndpointName="forecast-prod")

    said = _told(moved_on, _nothing, allow_recreate=True)

    (step,) = [each for each in said if each.startswith("in a step of its own: remove")]
    assert "it answers again after the next step" in step
    assert "the endpoint forecast-prod is made anew, and nothing undoes it: minutes" in " ".join(
        said
    )


@pytest.fixture
def in_the_way(monkeypatch: pytest.MonkeyPatch) -> Callable[[Obstacle], None]:
    """Puts an obstacle in the way of whatever is proposed."""
    real = carrying_out.propose

    def put(obstacle: Obstacle) -> None:
        def propose(*arguments: Any) -> Any:
            return replace(real(*arguments), obstacles=(obstacle,))

        monkeypatch.setattr(carrying_out, "propose", propose)

    return put


def test_a_removal_that_is_permitted_is_called_a_removal(
    moved_on: World, in_the_way: Callable[[Obstacle], None]
) -> None:
    deployed = artifacts_template(moved_on.bucket())
    deployed["Resources"]["Key"] = {"Type": "AWS::KMS::Key", "Properties": {}}
    assert moved_on.aws.deploy("ForecastProdArtifacts", deployed).succeeded
    in_the_way(Obstacle("exports", "it is in use", (), "rescale", ("Key",)))

    said = _told(moved_on, _nothing, allow_rescale=True)

    assert (
        "removed: ForecastProdArtifacts/Key (KMS::Key): note: what only the old key encrypted "
        "cannot be read when it is gone"
    ) in said


@pytest.mark.parametrize(
    ("kind", "removed", "expected"),
    [
        ("failed", "forecast-prod", "the endpoint forecast-prod is removed and made anew: minutes"),
        ("rename", "prices", "the endpoint prices is removed when the new one is there: whoever"),
    ],
)
def test_the_endpoint_that_goes_is_named_though_its_template_stays(
    moved_on: World,
    in_the_way: Callable[[Obstacle], None],
    kind: Any,
    removed: str,
    expected: str,
) -> None:
    in_the_way(Obstacle(kind, "it cannot be updated", (), "recreate", removes=removed))

    said = "\n".join(_told(moved_on, _nothing, to="2", allow_recreate=True))

    assert expected in said
    assert "stays as it is" not in said


def test_an_endpoint_that_is_away_does_not_stay_as_it_is(moved_on: World) -> None:
    moved_on.aws.client("sagemaker").delete_endpoint(EndpointName="forecast-prod")

    said = "\n".join(_told(moved_on, _nothing, to="2", allow_recreate=True))

    assert "the endpoint forecast-prod is made anew" in said
    assert "stays as it is" not in said


def test_a_stack_that_loses_its_protection_is_named_first(
    moved_on: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Live.stack

    def protected(self: Live, name: str) -> Any:
        return {**(real(self, name) or {}), "EnableTerminationProtection": name == "ForecastProd"}

    monkeypatch.setattr(Live, "stack", protected)

    def change(resources: dict[str, Any]) -> None:
        resources |= {f"Queue{number}": QUEUE for number in range(12)}

    said = _told(moved_on, change)

    begin = next(place for place, each in enumerate(said) if each.startswith("beside the version"))
    assert said[begin + 1] == (
        "in place: ForecastProd (CloudFormation::Stack): TerminationProtection: on -> off; note: "
        "whoever may delete the stack can do so at once"
    )


def test_one_that_was_killed_at_the_question_is_put_back_by_the_next_no(moved_on: World) -> None:
    before = moved_on.lock.read_bytes()
    plan = plan_return(moved_on.config, "prod", warn=lambda _: None)
    keep_intent(moved_on.root, "prod", plan.intent)
    write_lock(moved_on.lock, "prod", plan.lock)

    said = _told(moved_on, _nothing)

    assert "an earlier return to it was interrupted, and goes on" in said
    assert moved_on.lock.read_bytes() == before
    assert read_intent(moved_on.root, "prod") is None


def test_one_that_goes_on_stays_under_way_when_the_answer_is_no(
    moved_on: World, capsys: pytest.CaptureFixture[str]
) -> None:
    moved_on.breaks = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        rollback_command("prod", moved_on.config, yes=True)

    said = _told(moved_on, _nothing)

    assert "an earlier return to it was interrupted, and goes on" in said
    assert "models.lock.json names version 1 instead of 2; the way back" in " ".join(said)
    assert read_lock(moved_on.lock).environments["prod"].version == "1"
    assert "forecast rollback prod goes on" in capsys.readouterr().err
    assert read_intent(moved_on.root, "prod") is not None
