"""From captures and actuals to an answer."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from captured import answer_json, capture, prediction, request_json, row

from forecast_operations.comparing import cells as rows_of_cells
from forecast_operations.comparing.advice import reason_of, warnings_of
from forecast_operations.comparing.cells import interval_score
from forecast_operations.comparing.exchanges import Bounds
from forecast_operations.comparing.finishing import next_steps
from forecast_operations.comparing.judging import overall

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FIRST = date(2026, 9, 1)
ITEMS = ("apple", "pear", "leek")


class Market:
    """Actual values, and forecasts of two models that miss them by chance."""

    def __init__(self, days: int = 45, seed: int = 5) -> None:
        self.rng = np.random.default_rng(seed)
        self.days = [f"{FIRST + timedelta(days=number)}" for number in range(days)]
        self.actual = {
            (item, day): (4 + self.rng.normal(), 20 + 2 * self.rng.normal())
            for item in ITEMS
            for day in self.days
        }

    def write(self, path: Path, *, outputs: str = "price,demand") -> str:
        lines = [f"item_code,date,{outputs}"]
        for (item, day), values in self.actual.items():
            shown = values[: outputs.count(",") + 1]
            lines.append(",".join([item, day, *(f"{value:.6f}" for value in shown)]))
        path.write_text("\n".join(lines) + "\n")
        return str(path)

    def answer(self, item: str, days: list[str], errors: tuple[float, float], version: str) -> str:
        found = []
        for day in days:
            price, demand = self.actual[item, day]
            noise = self.rng.normal(size=2)
            index = {"row": 0, "date": day} if len(days) > 1 else {}
            found.append(
                prediction(
                    price + errors[0] * noise[0],
                    demand + errors[1] * noise[1],
                    model_version=version,
                    **index,
                )
            )
        return answer_json(*found)

    def fill(
        self,
        account: Any,
        challenger: tuple[float, float],
        *,
        steps: int = 1,
        items: tuple[tuple[str, ...], tuple[str, ...]] = (ITEMS, ITEMS),
    ) -> None:
        """Capture what both variants answer: errors of the champion have a deviation of 1 and 4."""
        for variant, errors, version, asked in (
            ("main", (1.0, 4.0), "16", items[0]),
            ("main-challenger", challenger, "17", items[1]),
        ):
            captures = []
            for item in asked:
                for place in range(len(self.days) - steps + 1):
                    days = self.days[place : place + steps]
                    request = request_json(row(item, days[0]), horizon=steps)
                    captures.append(capture(request, self.answer(item, days, errors, version)))
            account.storage.add(variant, *captures)


@pytest.fixture
def judged(world: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    def make(challenger: tuple[float, float], kind: str = "shadow", **options: Any) -> Any:
        market = Market(days=options.pop("days", 45))
        account = world(kind)
        shared = {"Invocations": 500.0}
        account.watch.variants = {"main": shared, "main-challenger": shared}
        market.fill(account, challenger, **options)
        return account.compare(actuals=market.write(tmp_path / "actuals.csv"), since="24h")

    return make


@pytest.mark.parametrize("kind", ["shadow", "split"])
@pytest.mark.parametrize(
    ("challenger", "answers"),
    [
        ((0.2, 0.5), ("better", "better")),
        ((3.0, 12.0), ("worse", "worse")),
        ((0.2, 4.0), ("better", "no difference shown")),
    ],
)
def test_a_difference_in_accuracy_is_found_by_output(
    judged: Callable[..., Any], kind: str, challenger: tuple[float, float], answers: tuple[str, str]
) -> None:
    found = judged(challenger, kind)

    assert tuple(each.answer for each in found.judgements) == answers
    assert found.answer == answers[0]
    assert {each.basis for each in found.judgements} == {"request" if kind == "shadow" else "key"}


def test_better_and_worse_at_once_is_for_a_person(judged: Callable[..., Any]) -> None:
    found = judged((0.2, 16.0))

    assert found.answer == "mixed"
    assert next_steps(found)[1].command == "forecast promote 17 --from prod --to prod"


def test_equal_models_show_no_difference(judged: Callable[..., Any]) -> None:
    found = judged((1.0, 4.0))

    assert found.answer == "no difference shown"
    assert "p = " in reason_of(found)


def test_too_few_dates_are_no_answer(judged: Callable[..., Any]) -> None:
    found = judged((0.1, 0.1), days=29)

    assert found.answer == "not enough data"
    assert "29 time points" in reason_of(found)
    assert "expected at least 30" in reason_of(found)
    assert all(each.outcome is None for each in found.judgements)
    assert found.judgements[0].total is not None


def test_several_items_on_a_date_are_one_observation(judged: Callable[..., Any]) -> None:
    found = judged((0.9, 4.0))

    assert found.judgements[0].outcome.samples == 45
    assert found.judgements[0].total.champion.cells == 45 * len(ITEMS)


def test_a_horizon_needs_more_dates_and_is_scored_by_step(judged: Callable[..., Any]) -> None:
    few = judged((0.2, 0.5), steps=7)
    enough = judged((0.2, 0.5), steps=7, days=60)

    assert few.answer == "not enough data"
    assert few.judgements[0].needed == 56
    assert enough.answer == "better"
    assert enough.judgements[0].outcome.lags == 6
    assert [each.group for each in enough.judgements[0].by_step] == [str(n) for n in range(1, 8)]
    assert [each.group for each in enough.distances[0].by_step] == [str(n) for n in range(1, 8)]


def test_requests_of_other_items_on_the_same_dates_compare_by_date(
    judged: Callable[..., Any],
) -> None:
    found = judged((0.2, 0.5), "split", items=(("apple",), ("pear",)))

    assert {each.basis for each in found.judgements} == {"date"}
    assert found.answer == "better"
    assert found.distances == ()
    assert any("judged by what each variant was asked" in each for each in warnings_of(found))


def test_requests_that_were_not_shared_by_chance_do_not_compare_by_date(
    world: Callable[..., Any], tmp_path: Path
) -> None:
    market, account = Market(), world("split")
    market.fill(account, (0.2, 0.5), items=(("apple",), ("pear",)))
    account.watch.variants = {
        "main": {"Invocations": 9000.0},
        "main-challenger": {"Invocations": 1.0},
    }

    found = account.compare(actuals=market.write(tmp_path / "actuals.csv"))

    assert found.sharing.is_mismatch
    assert found.answer == "not enough data"


def test_scores_are_those_of_their_definitions(world: Callable[..., Any], tmp_path: Path) -> None:
    account, path = world("shadow"), tmp_path / "actuals.csv"
    path.write_text("item,date,price\na,2026-11-01,4\na,2026-11-02,8\n")
    for day, ours, theirs in (("2026-11-01", 5.0, 4.5), ("2026-11-02", 5.0, 6.0)):
        request = request_json(row("a", day))
        for _ in range(3):  # however often it was asked for
            account.storage.add("main", capture(request, answer_json(prediction(ours))))
            answer = answer_json(prediction(theirs, model_version="17"))
            account.storage.add("main-challenger", capture(request, answer))

    found = account.compare(actuals=str(path))
    (judgement,) = found.judgements
    champion, challenger = judgement.total.champion, judgement.total.challenger

    assert (champion.cells, champion.mae, champion.wape) == (2, 2.0, pytest.approx(4 / 12))
    assert champion.rmse == pytest.approx(np.sqrt((1 + 9) / 2))
    assert champion.bias == pytest.approx((1 - 3) / 12)
    assert champion.coverage == 0.5
    # Widths of 2, and 2 / 0.1 times the distance of 8 from an interval up to 6.
    assert champion.interval_score == pytest.approx((2 + 2 + 20 * 2) / 2)
    assert challenger.mae == pytest.approx(1.25)
    assert judgement.dates == ("2026-11-01", "2026-11-02")
    assert judgement.differentials == pytest.approx((0.5, 1.0))
    assert judgement.total.gain == pytest.approx(1.5)


def test_the_squared_loss_can_decide_otherwise(world: Callable[..., Any], tmp_path: Path) -> None:
    market, account = Market(), world("shadow")
    for day in market.days:
        price, _ = market.actual["apple", day]
        request = request_json(row("apple", day))
        # Often right and sometimes far off, beside always a little off.
        far = 6.0 if int(day[-2:]) % 5 == 0 else 0.0
        wobble = 0.01 * int(day[-2:])
        account.storage.add("main", capture(request, answer_json(prediction(price + 1.5 + wobble))))
        answer = answer_json(prediction(price + far, model_version="17"))
        account.storage.add("main-challenger", capture(request, answer))
    actuals = market.write(tmp_path / "actuals.csv", outputs="price")

    absolute = account.compare(actuals=actuals)
    squared = account.compare(actuals=actuals, loss="squared")

    assert absolute.judgements[0].outcome.mean > 0
    assert squared.judgements[0].outcome.mean < 0


def test_the_items_that_differ_most_come_first(world: Callable[..., Any]) -> None:
    account = world("shadow")
    for item, apart in (("little", 0.1), ("much", 3.0), ("some", 1.0)):
        request = request_json(row(item, "2026-11-20"))
        account.storage.add("main", capture(request, answer_json(prediction(5.0))))
        answer = answer_json(prediction(5.0 + apart, model_version="17"))
        account.storage.add("main-challenger", capture(request, answer))

    (price, _) = account.compare(top=2).distances

    assert [each.group for each in price.by_item] == ["much", "some"]
    assert price.items == 3
    assert price.total.relative == pytest.approx(4.1 / 15)
    assert price.total.outside_share == pytest.approx(1 / 3)


def test_actuals_of_nothing_that_was_forecast_are_said(
    world: Callable[..., Any], tmp_path: Path
) -> None:
    market, account = Market(days=3), world("shadow")
    market.fill(account, (1.0, 4.0))
    path = tmp_path / "actuals.csv"
    path.write_text("item,date,price\nanother,2026-09-01,4\n")

    found = account.compare(actuals=str(path))

    assert found.answer == "not enough data"
    assert any(
        "no forecast of forecasted_price is of an item and date" in each
        for each in warnings_of(found)
    )
    assert found.judgements[0].total is None


def test_without_actuals_the_next_command_asks_for_them(world: Callable[..., Any]) -> None:
    account = world("shadow")
    Market(days=3).fill(account, (1.0, 4.0))

    found = account.compare()

    assert found.answer == "not enough data"
    assert (
        next_steps(found)[-1].command == "forecast compare prod --since 31d --actuals actuals.csv"
    )


def test_the_commands_of_an_answer_end_the_comparison(judged: Callable[..., Any]) -> None:
    worse = [step.command for step in next_steps(judged((3.0, 12.0), "split"))]
    better = [step.command for step in next_steps(judged((0.2, 0.5), "shadow"))]

    assert worse[0] is not None
    assert worse[0].endswith("VariantName=main-challenger,DesiredWeight=0")
    assert worse[-2:] == ["forecast rollback prod --allow-unguarded", None]
    assert better[:2] == ["forecast verify prod", "forecast promote 17 --from prod --to prod"]
    assert better[-1] == "forecast deploy prod"


def test_what_there_is_no_room_for_is_counted(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_of_cells, "MAX_CELLS", 5)
    account = world("shadow")
    Market(days=3).fill(account, (1.0, 4.0))

    found = account.compare()

    assert (len(found.table.items), found.captured.dropped) == (5, 4)
    assert any("4 forecasts were left out" in each for each in warnings_of(found))


def test_values_that_are_missing_or_no_number_are_passed_over(world: Callable[..., Any]) -> None:
    account = world("shadow")
    request = request_json(row("a", "2026-11-20"))
    account.storage.add("main", capture(request, answer_json(prediction(5.0))))
    holes = {**prediction(6.0, model_version="17"), "forecasted_demand": None}
    account.storage.add("main-challenger", capture(request, json.dumps({"predictions": [holes]})))

    assert [each.output for each in account.compare().distances] == ["forecasted_price"]


def test_one_answer_is_made_of_those_of_the_outputs() -> None:
    class Said:
        def __init__(self, answer: str) -> None:
            self.answer = answer

    def of(*answers: str) -> str:
        return overall([Said(each) for each in answers])  # type: ignore[misc] # that much of one

    assert of() == "not enough data"
    assert of("better", "no difference shown") == "better"
    assert of("better", "not enough data") == "not enough data"
    assert of("worse", "not enough data") == "worse"
    assert of("worse", "better") == "mixed"
    assert of("no difference shown") == "no difference shown"


def test_the_interval_score_adds_a_penalty_for_what_is_missed() -> None:
    bounds = Bounds(2.0, 5.0)

    assert interval_score(bounds, 3.0, 0.1) == 3.0
    assert interval_score(bounds, 1.5, 0.1) == pytest.approx(3 + 20 * 0.5)
    assert interval_score(bounds, 6.0, 0.2) == pytest.approx(3 + 10 * 1.0)
