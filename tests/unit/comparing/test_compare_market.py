"""Sensible answers about simple models of a real market, where its data is on this machine."""

from __future__ import annotations

import csv
import gzip
import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from captured import answer_json, capture, prediction, request_json, row

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT = Path(__file__).parents[4] / "shared" / "data" / "supermarket_cn"
DAYS, ITEMS = 90, 15


@pytest.fixture(scope="module")
def prices() -> dict[str, dict[str, float]]:
    """Price by item and day, of the items that were sold on most days."""
    folder = Path(os.environ.get("FORECAST_MARKET_DATA", DEFAULT))
    if not folder.is_dir():
        pytest.skip("the real market is not on this machine (FORECAST_MARKET_DATA)")
    found: dict[str, dict[str, float]] = defaultdict(dict)
    with gzip.open(folder / "supermarket_cn_daily.csv.gz", "rt", encoding="utf-8") as file:
        for each in csv.DictReader(file):
            if each["date"] >= "2023-01-01" and each["wavg_unit_price"]:
                found[each["item_code"]][each["date"]] = float(each["wavg_unit_price"])
    busiest = sorted(found, key=lambda item: -len(found[item]))[:ITEMS]
    return {item: found[item] for item in busiest}


def mean_of_last(days: int, history: list[float]) -> float:
    return sum(history[-days:]) / len(history[-days:])


@pytest.fixture
def judged(
    world: Callable[..., Any], prices: dict[str, dict[str, float]], tmp_path: Path
) -> Callable[[Any, Any], Any]:
    def make(champion: Any, challenger: Any) -> Any:
        account, actuals = world("shadow"), ["item,date,price"]
        lines: dict[str, list[Any]] = {"main": [], "main-challenger": []}
        for item, by_day in prices.items():
            days = sorted(by_day)
            for place, day in list(enumerate(days))[-DAYS:]:
                history = [by_day[each] for each in days[:place]]
                request = request_json(row(item, day, price=history[-1]))
                for variant, model, version in (
                    ("main", champion, "16"),
                    ("main-challenger", challenger, "17"),
                ):
                    answer = answer_json(prediction(model(history), model_version=version))
                    lines[variant].append(capture(request, answer))
                actuals.append(f"{item},{day},{by_day[day]}")
        for variant, captures in lines.items():
            account.storage.add(variant, *captures)
        path = tmp_path / "actuals.csv"
        path.write_text("\n".join(actuals) + "\n")
        return account.compare(actuals=str(path))

    return make


@pytest.mark.parametrize(
    ("champion", "challenger", "answer"),
    [(28, 1, "better"), (1, 28, "worse")],
)
def test_recent_prices_forecast_better_than_old_ones(
    judged: Callable[..., Any], champion: int, challenger: int, answer: str
) -> None:
    found = judged(
        lambda history: mean_of_last(champion, history),
        lambda history: mean_of_last(challenger, history),
    )

    assert found.answer == answer
    assert found.judgements[0].outcome.samples >= DAYS


def test_the_same_model_with_other_noise_shows_no_difference(judged: Callable[..., Any]) -> None:
    noise = np.random.default_rng(3)

    found = judged(*[lambda history: history[-1] * (1 + 0.05 * noise.normal())] * 2)

    assert found.answer == "no difference shown"
