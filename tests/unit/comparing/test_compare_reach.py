"""What is printed to do next leads to an answer, and says what stands in its way."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from captured import NOW, answer_json, capture, prediction, request_json, row

from forecast_operations.comparing.finishing import next_steps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _texts(found: Any) -> str:
    return "\n".join(step.text for step in next_steps(found))


def _last(found: Any) -> str | None:
    return next_steps(found)[-1].command


@pytest.fixture
def short(world: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """A comparison of ten dates, of which nothing can be said yet."""

    def make(
        steps: int = 1, gap: int = 1, retention: int | None = None, age: int = 300, **wanted: Any
    ) -> Any:
        account, first, actuals = world("shadow"), date(2026, 9, 1), ["item,date,price"]
        account.sagemaker.created = NOW - timedelta(days=age)
        if retention is not None:
            data_capture = {"sampling_percent": 100, "retention_days": retention}
            fields = account.settings.model_dump() | {"data_capture": data_capture}
            account.settings = type(account.settings).model_validate(fields)
        for number in range(10):
            days = [f"{first + timedelta(days=gap * number + step)}" for step in range(steps)]
            request = request_json(row("a", days[0]), horizon=steps)
            for variant, error, version in (("main", 1.0, "16"), ("main-challenger", 0.2, "17")):
                value = 4 + error * (number % 3 - 1)
                index = [{"row": 0, "date": day} if steps > 1 else {} for day in days]
                answers = [prediction(value, model_version=version, **each) for each in index]
                account.storage.add(variant, capture(request, answer_json(*answers)))
            actuals.append(f"a,{days[0]},4")
        path = tmp_path / "actuals.csv"
        path.write_text("\n".join(actuals) + "\n")
        return account.compare(actuals=str(path), **wanted)

    return make


@pytest.mark.parametrize(
    ("steps", "days"), [(1, 31), (7, 56 + 7), (30, 240 + 30)], ids=["one", "week", "month"]
)
def test_the_next_look_goes_back_far_enough(
    short: Callable[..., Any], steps: int, days: int
) -> None:
    found = short(steps)

    assert found.answer == "not enough data"
    assert f" --since {days}d " in str(_last(found))


def test_dates_that_are_further_apart_take_longer(short: Callable[..., Any]) -> None:
    assert f" --since {30 * 7 + 1}d " in str(_last(short(gap=7)))


def test_a_longer_look_than_is_needed_is_kept(short: Callable[..., Any]) -> None:
    assert " --since 20w " in str(_last(short(since="20w")))


def test_what_was_asked_for_is_asked_for_again(short: Callable[..., Any]) -> None:
    found = short(loss="squared", minimum=40, min_gain_percent=2.5, items=("item_code",))

    command = str(_last(found))

    assert " --since 41d " in command
    assert command.endswith(
        "--item-column item_code --loss squared --min-samples 40 --min-gain 2.5"
    )


def test_a_limit_that_was_reached_is_raised(short: Callable[..., Any]) -> None:
    found = short(limit=4)

    limit = int(str(_last(found)).rpartition("--limit ")[2])

    assert limit > 4


def test_captures_that_are_deleted_too_early_are_said_with_what_to_set(
    short: Callable[..., Any],
) -> None:
    found = short(retention=30)

    steps = next_steps(found)

    assert "set data_capture.retention_days of prod to 31 or more" in steps[0].text
    assert "deleted after 30 days" in steps[0].text
    assert steps[1].command == "forecast deploy prod"
    # The day that is missing has to pass.
    assert f"from {NOW + timedelta(days=1):%Y-%m-%d} on" in steps[2].text
    assert "retention_days" not in _texts(short(retention=31))


def test_a_young_configuration_is_said_with_the_day_to_look_again(
    short: Callable[..., Any],
) -> None:
    young, old = short(age=5), short(age=40)

    assert f"from {NOW + timedelta(days=26):%Y-%m-%d} on" in _texts(young)
    assert f"serves since {NOW - timedelta(days=5):%Y-%m-%d}" in _texts(young)
    assert "serves since" not in _texts(old)


def test_more_dates_than_metrics_are_kept_for_are_not_waited_for(
    short: Callable[..., Any],
) -> None:
    found = short(minimum=500)

    assert [step.command for step in next_steps(found)] == [None]
    assert "500 dates take 501 days" in _texts(found)


def test_no_difference_asks_for_twice_the_dates(short: Callable[..., Any]) -> None:
    found = short(minimum=10, min_gain_percent=100)

    assert found.answer == "no difference shown"
    assert " --since 21d " in str(_last(found))


def test_without_captures_their_retention_is_said(world: Callable[..., Any]) -> None:
    account = world("shadow")
    account.without_captures()

    assert "with retention_days of 31 or more" in _texts(account.compare())
