"""What is said of a challenger: how far it is from the champion, and whether it is better."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from forecast_operations.comparing.cells import CHALLENGER, CHAMPION, Shared, Sum
from forecast_operations.comparing.scores import (
    Distance,
    ScorePair,
    by_item,
    by_step,
    distance_of,
    in_common,
    known,
    scores_of,
)
from forecast_operations.comparing.significance import (
    ALPHA,
    Outcome,
    compare_losses,
    holm,
    needed_samples,
    negligible,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from forecast_operations.comparing.cells import Table
    from forecast_operations.comparing.contract import Contract
    from forecast_operations.comparing.limits import Loss

    Sides = tuple[Table, Table]
    """The cells of champion and challenger whose losses are compared."""

Answer = Literal["better", "worse", "mixed", "no difference shown", "not enough data"]
Basis = Literal["request", "key", "date"]
"""By what losses are paired: the same request, the same item, date and step, or the same date."""

LEAST = 3
"""Time points below which no test can be computed, whatever the user asks for."""


@dataclass(frozen=True, kw_only=True)
class OutputDistance:
    """How far the forecasts of one output are apart.

    Attributes:
        output: Name of the output.
        unit: What it counts.
        total: Over everything.
        by_step: By step of the horizon.
        by_item: The items that differ most, by the sum of their differences.
        items: How many items there are.
    """

    output: str
    unit: str
    total: Distance
    by_step: tuple[Distance, ...]
    by_item: tuple[Distance, ...]
    items: int


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Whether a challenger is more accurate in one output.

    Attributes:
        output: Name of the output.
        unit: What it counts.
        answer: The answer.
        reason: Why, in words.
        basis: By what losses are paired.
        dates: Time points of the differentials, oldest first.
        differentials: The champion's mean loss less the challenger's, by time point.
        needed: Time points that are needed.
        gain_percent: How much less the challenger's mean loss is, of the champion's; below 0 when
            it is more, None when the champion's is 0 or nothing is known.
        outcome: What the test says; None when there is too little for it.
        p_adjusted: Its p-value, corrected for the number of outputs.
        total: Scores over everything; None when no actual is known.
        by_step: Scores by step of the horizon.
        by_item: Scores of the items where most is gained or lost.
    """

    output: str
    unit: str
    answer: Answer
    reason: str
    basis: Basis
    dates: tuple[str, ...]
    differentials: tuple[float, ...]
    needed: int
    gain_percent: float | None
    outcome: Outcome | None
    p_adjusted: float | None
    total: ScorePair | None
    by_step: tuple[ScorePair, ...]
    by_item: tuple[ScorePair, ...]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How a comparison is judged.

    Attributes:
        loss: What an error costs: its size, or its square.
        minimum: Least time points.
        min_gain_percent: Least gain that is called better, of the champion's mean loss.
        top: Items that are listed.
        is_paired: Whether both variants answered the same requests.
        trusts_shares: Whether requests were shared by chance, so that those of one date compare.
    """

    loss: Loss
    minimum: int
    min_gain_percent: float
    top: int
    is_paired: bool
    trusts_shares: bool


def distances(table: Table, contract: Contract, top: int) -> tuple[OutputDistance, ...]:
    """How far apart the forecasts of each output are; an output without any is left out."""
    found = []
    for place, output in enumerate(contract.outputs):
        common = table.rows(in_common(table, place))
        if not len(common.items):
            continue
        items = [distance_of(cells, place, name) for name, cells in by_item(common)]
        items.sort(key=lambda each: (-each.distance * each.cells, each.group))
        found.append(
            OutputDistance(
                output=output.name,
                unit=output.unit,
                total=distance_of(common, place),
                by_step=tuple(distance_of(cells, place, name) for name, cells in by_step(common)),
                by_item=tuple(items[:top]),
                items=len(items),
            )
        )
    return tuple(found)


def judge(
    table: Table, contract: Contract, judged: Sequence[str], rules: Rules
) -> tuple[Judgement, ...]:
    """Whether the challenger is more accurate, output by output.

    Args:
        table: The cells.
        contract: The outputs.
        judged: Names of the outputs whose actuals are known.
        rules: How it is judged.
    """
    found = [
        _measure(table, place, contract, rules)
        for place, output in enumerate(contract.outputs)
        if output.name in judged
    ]
    tested = [each for each in found if each.outcome is not None]
    corrected = holm([each.outcome.p_value for each in tested if each.outcome is not None])
    by_output = {each.output: value for each, value in zip(tested, corrected, strict=True)}
    least = rules.min_gain_percent
    return tuple(_answered(each, by_output.get(each.output), least) for each in found)


def overall(judgements: Sequence[Judgement]) -> Answer:
    """One answer for all outputs.

    A challenger that is worse in one output and better in another is left to a person; one that is
    better in one, and of which too little is known in another, has to wait.
    """
    answers = {each.answer for each in judgements}
    if {"better", "worse"} <= answers:
        return "mixed"
    for answer in ("worse", "not enough data", "better"):
        if answer in answers:
            return answer
    return "no difference shown" if answers else "not enough data"


def _measure(table: Table, place: int, contract: Contract, rules: Rules) -> Judgement:
    ours, theirs = known(table, place, CHAMPION), known(table, place, CHALLENGER)
    basis: Basis = "request" if rules.is_paired else "key"
    sides = (table.rows(ours & theirs),) * 2
    dates, losses = _losses(sides, place, rules.loss)
    if not rules.is_paired and rules.trusts_shares and len(dates) < _needed(sides, rules):
        # Each date's mean over the requests that each variant happened to get.
        all_of_each = table.rows(ours), table.rows(theirs)
        wide = _losses(all_of_each, place, rules.loss)
        if len(wide[0]) > len(dates):
            basis, sides, (dates, losses) = "date", all_of_each, wide
    needed = _needed(sides, rules)
    total, steps, items = _score_pairs(table.rows(ours & theirs), sides, place)
    enough = len(dates) >= max(needed, LEAST)
    differentials = losses[0] - losses[1]
    least = _least(losses, sides, place, rules.loss)
    return Judgement(
        output=contract.outputs[place].name,
        unit=contract.outputs[place].unit,
        answer="not enough data",
        reason="",
        basis=basis,
        dates=tuple(dates),
        differentials=tuple(map(float, differentials)),
        needed=needed,
        gain_percent=_gain_percent(losses),
        outcome=compare_losses(differentials, _horizon(sides), least) if enough else None,
        p_adjusted=None,
        total=total,
        by_step=steps,
        by_item=items[: rules.top],
    )


def _horizon(sides: Sides) -> int:
    return max(int(side.steps.max(initial=1)) for side in sides)


def _needed(sides: Sides, rules: Rules) -> int:
    return needed_samples(rules.minimum, _horizon(sides))


def _least(losses: NDArray[np.float64], sides: Sides, place: int, loss: Loss) -> float:
    """The mean difference up to which there is none."""
    if not losses.size:
        return 0.0
    size = max(float(np.abs(side.shared(place, Shared.ACTUAL)).mean()) for side in sides)
    return negligible(float(losses.mean(axis=1).max()), size, 1 if loss == "absolute" else 2)


def _gain_percent(losses: NDArray[np.float64]) -> float | None:
    if not losses.size or losses[0].mean() == 0:
        return None
    return float(100 * (1 - losses[1].mean() / losses[0].mean()))


def _answered(judgement: Judgement, p_adjusted: float | None, least: float) -> Judgement:
    outcome = judgement.outcome
    if outcome is None or p_adjusted is None:
        reason = (
            f"{len(judgement.dates)} time points with actuals that both variants forecast, "
            f"expected at least {judgement.needed}"
        )
        return replace(judgement, reason=reason)
    answer: Answer = "no difference shown"
    if p_adjusted < ALPHA:
        answer = "better" if outcome.mean > 0 else "worse"
    sense, gain = "less" if outcome.mean > 0 else "more", judgement.gain_percent
    share = "" if gain is None else f" ({abs(gain):.3g} %)"
    reason = (
        f"the challenger's loss is {abs(outcome.mean):.4g}{share} {sense} on average over "
        f"{outcome.samples} time points, p = {p_adjusted:.3g}"
    )
    if answer == "better" and gain is not None and gain < least:
        answer = "no difference shown"
        reason += f", and less than the gain of {least:g} % that was asked for is none"
    return replace(judgement, answer=answer, reason=reason, p_adjusted=p_adjusted)


def _losses(sides: Sides, place: int, loss: Loss) -> tuple[list[str], NDArray[np.float64]]:
    """Time points that both variants have, and the mean losses of champion and challenger."""
    what = Sum.ABSOLUTE if loss == "absolute" else Sum.SQUARED
    means = []
    for variant, side in zip((CHAMPION, CHALLENGER), sides, strict=True):
        dates, group = np.unique(side.dates, return_inverse=True)
        losses = side.mean(place, variant, what, Sum.KNOWN)
        by_date = np.bincount(group, weights=losses) / np.bincount(group)
        means.append(dict(zip(dates.tolist(), by_date.tolist(), strict=True)))
    common = sorted(means[0].keys() & means[1].keys())
    return common, np.array([[mean[date] for date in common] for mean in means])


def _score_pairs(
    common: Table, sides: Sides, place: int
) -> tuple[ScorePair | None, tuple[ScorePair, ...], tuple[ScorePair, ...]]:
    """Scores over everything, by step, and by item, where most is gained or lost first."""
    if not all(len(side.items) for side in sides):
        return None, (), ()

    def pair(name: str, ours: Table, theirs: Table) -> ScorePair:
        return ScorePair(
            group=name,
            champion=scores_of(ours, place, CHAMPION),
            challenger=scores_of(theirs, place, CHALLENGER),
        )

    items = [pair(name, cells, cells) for name, cells in by_item(common)]
    items.sort(key=lambda each: (-abs(each.gain), each.group))
    steps = [pair(name, cells, cells) for name, cells in by_step(common)]
    return pair("all", *sides), tuple(steps), tuple(items)
