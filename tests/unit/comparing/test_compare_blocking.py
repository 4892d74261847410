"""An answer is no better than the traffic allows, and no difference is made of rounding."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from captured import answer_json, capture, prediction, request_json, row

from forecast_operations.comparing.advice import reason_of
from forecast_operations.comparing.finishing import next_steps
from forecast_operations.comparing.significance import compare_losses, negligible

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FAIR = {"Invocations": 1000.0}
ACTUAL = 4.0


@pytest.fixture
def judged(world: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """A comparison in which champion and challenger miss by so much on each of 36 dates."""

    def make(
        ours: Any,
        theirs: Any,
        *,
        kind: str = "split",
        traffic: tuple[dict[str, float], dict[str, float]] = (FAIR, FAIR),
        **wanted: Any,
    ) -> Any:
        account, actuals = world(kind), ["item,date,price"]
        account.watch.variants = {"main": traffic[0], "main-challenger": traffic[1]}
        for number in range(36):
            day = f"{date(2026, 9, 1) + timedelta(days=number)}"
            request = request_json(row("a", day))
            for variant, miss, version in (
                ("main", ours, "16"),
                ("main-challenger", theirs, "17"),
            ):
                answer = answer_json(prediction(ACTUAL + miss(number), model_version=version))
                account.storage.add(variant, capture(request, answer))
            actuals.append(f"a,{day},{ACTUAL}")
        path = tmp_path / "actuals.csv"
        path.write_text("\n".join(actuals) + "\n")
        return account.compare(actuals=str(path), **wanted)

    return make


def much(number: int) -> float:
    return 1.0 + 0.1 * (number % 3)


def little(number: int) -> float:
    return 0.2 + 0.01 * (number % 2)


def test_a_fair_comparison_is_not_blocked(judged: Callable[..., Any]) -> None:
    found = judged(much, little)

    assert (found.answer, found.block) == ("better", None)


@pytest.mark.parametrize("error", ["Invocation5XXErrors", "Invocation4XXErrors"])
@pytest.mark.parametrize("kind", ["shadow", "split"])
def test_what_fails_more_often_is_worse_however_accurate(
    judged: Callable[..., Any], kind: str, error: str
) -> None:
    found = judged(much, little, kind=kind, traffic=(FAIR, FAIR | {error: 60.0}))

    assert {each.answer for each in found.judgements} == {"better"}
    assert found.answer == "worse"
    assert found.block.cause == "failures"
    assert reason_of(found).startswith("it fails more often: 60 of 1000 requests, and 0 of 1000")
    assert not any("promote" in str(step.command) for step in next_steps(found))


def test_failures_of_both_do_not_block(judged: Callable[..., Any]) -> None:
    failing = FAIR | {"Invocation4XXErrors": 60.0}

    assert judged(much, little, traffic=(failing, failing)).answer == "better"


@pytest.mark.parametrize(("ours", "theirs"), [(much, little), (much, much)])
def test_shares_that_do_not_fit_leave_no_answer(
    judged: Callable[..., Any], ours: Any, theirs: Any
) -> None:
    found = judged(ours, theirs, traffic=({"Invocations": 1400.0}, {"Invocations": 600.0}))

    assert found.answer == "not enough data"
    assert found.block.cause == "shares"
    assert reason_of(found).startswith("the shares do not fit: ")
    assert "why the shares do not fit" in next_steps(found)[0].text
    assert not any("promote" in str(step.command) for step in next_steps(found))


def test_what_is_worse_stays_worse_whatever_the_shares(judged: Callable[..., Any]) -> None:
    found = judged(little, much, traffic=({"Invocations": 1400.0}, {"Invocations": 600.0}))

    assert found.answer == "worse"
    assert "the shares do not fit" in reason_of(found)


def test_failures_are_worse_without_captures_too(world: Callable[..., Any]) -> None:
    account = world("shadow")
    account.without_captures()
    account.watch.variants = {
        "main": FAIR,
        "main-challenger": FAIR | {"Invocation5XXErrors": 60.0},
    }

    assert account.compare().answer == "worse"


@pytest.mark.parametrize("loss", ["absolute", "squared"])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (much, lambda number: much(number) - 1e-9),
        (lambda _: 0.5, lambda _: 0.5 - 1e-9),
        (lambda number: 1e-15 * (1 + number * number % 7), lambda _: 0.0),
    ],
    ids=["regular", "constant", "exact"],
)
def test_a_difference_of_rounding_is_none(
    judged: Callable[..., Any], ours: Any, theirs: Any, loss: str
) -> None:
    for one, other in ((ours, theirs), (theirs, ours)):
        found = judged(one, other, kind="shadow", loss=loss)

        assert found.answer == "no difference shown"
        assert found.judgements[0].outcome.p_value == 1.0


def test_a_small_difference_that_is_not_rounding_is_one(judged: Callable[..., Any]) -> None:
    found = judged(much, lambda number: 0.999 * much(number), kind="shadow")

    assert found.answer == "better"


def test_noise_around_a_difference_of_rounding_is_not_tested() -> None:
    rng = np.random.default_rng(3)
    differentials = 3e-16 + 1e-16 * rng.standard_normal(40)

    assert compare_losses(differentials).p_value < 0.05
    assert compare_losses(differentials, 1, negligible(0.2, 4.0)).p_value == 1.0


@pytest.mark.parametrize(
    ("least", "answer"), [(0.0, "better"), (0.9, "better"), (1.1, "no difference shown")]
)
def test_less_than_the_gain_that_is_asked_for_is_not_better(
    judged: Callable[..., Any], least: float, answer: str
) -> None:
    found = judged(much, lambda number: 0.99 * much(number), kind="shadow", min_gain_percent=least)

    assert found.answer == answer
    assert found.judgements[0].gain_percent == pytest.approx(1.0)
    assert ("that was asked for" in reason_of(found)) == (answer != "better")


def test_the_gain_that_is_asked_for_excuses_no_loss(judged: Callable[..., Any]) -> None:
    found = judged(much, lambda number: 1.01 * much(number), kind="shadow", min_gain_percent=50.0)

    assert found.answer == "worse"
