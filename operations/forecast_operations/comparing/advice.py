"""What a comparison says, in words: why, and what to be careful with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_operations.comparing.cells import MAX_CELLS
from forecast_operations.comparing.sharing import fails_more

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.comparing.comparison import Captured, Comparison


def reason_of(comparison: Comparison) -> str:
    """Why the answer is what it is, in one sentence."""
    block = comparison.block
    said = "" if block is None else block.reason
    accuracy = _accuracy_of(comparison)
    if block is not None and block.answer == comparison.answer:
        return f"{said}; besides: {accuracy}"
    return f"{accuracy}; {said}" if said else accuracy


def _accuracy_of(comparison: Comparison) -> str:
    if comparison.contest.captures is None:
        return "the endpoint captures no requests, so that there are no forecasts to compare"
    if comparison.wanted.actuals is None:
        return "no actuals were given; only they say which forecasts are better: --actuals FILE"
    return "; ".join(
        f"{each.output}: {each.answer}, {each.reason}" for each in comparison.judgements
    )


def warnings_of(comparison: Comparison) -> list[str]:
    """What should be known before anything is made of a comparison."""
    return [*_of_traffic(comparison), *_of_captures(comparison), *_of_actuals(comparison)]


def _of_traffic(comparison: Comparison) -> Iterator[str]:
    contest, sharing = comparison.contest, comparison.sharing
    champion, challenger = comparison.clients
    if contest.rolled_back:
        yield (
            f"the last rollout was undone: {contest.endpoint} serves {contest.configuration}, an "
            "older configuration than was deployed, and the versions are not known"
        )
    if not champion.invocations or not challenger.invocations:
        idle = contest.champion if not champion.invocations else contest.challenger
        yield f"{idle.name} got no requests of clients in the window"
    if sharing.is_mismatch and sharing.received is not None and sharing.p_value is not None:
        yield (
            f"sample ratio mismatch: the challenger got {sharing.received:.2%} of the requests and "
            f"its weight is {sharing.configured:.2%} (p = {sharing.p_value:.2g}); either weights "
            "were shifted in the window, or clients choose a variant, or requests get lost: the "
            "requests of both do not compare"
        )
    if fails_more(champion, challenger):
        yield (
            f"more of the challenger's requests fail: {challenger.failed} of "
            f"{challenger.invocations}, and {champion.failed} of {champion.invocations} of the "
            "champion's; look into its logs before anything else"
        )


def _of_captures(comparison: Comparison) -> Iterator[str]:
    captured = comparison.captured
    if captured is None:
        yield (
            "requests are not captured, so that forecasts cannot be compared; switch data_capture "
            f"on for {comparison.environment} and deploy it"
        )
        return
    for name, side in (("champion", captured.champion), ("challenger", captured.challenger)):
        reading = side.reading
        if reading.damaged_lines:
            yield (
                f"{reading.damaged_lines} of the {name}'s captured requests could not be read: "
                f"{'; '.join(reading.reasons())}"
            )
        if reading.cut_at is not None:
            yield (
                f"the limit of {reading.limit} captured requests of the {name} was reached at "
                f"{reading.cut_at:%Y-%m-%d %H:00} UTC; older ones were not read: raise --limit"
            )
        if side.other_versions:
            yield (
                f"{side.other_versions} forecasts in the {name}'s captures name another version "
                f"than {side.version} and were left out"
            )
    yield from _of_pairs(comparison, captured)
    if captured.dropped:
        yield (
            f"{captured.dropped} forecasts were left out, as there are over {MAX_CELLS} items, "
            "dates and steps; choose a shorter --since"
        )


def _of_pairs(comparison: Comparison, captured: Captured) -> Iterator[str]:
    if captured.matched is None or captured.alone is None:
        return
    percent = comparison.contest.capture_percent
    if captured.matched == 0 and captured.challenger.reading.read:
        yield "none of the shadow's answers has a partner among the champion's"
    elif captured.alone > captured.matched:
        why = f", as {percent:g} % of the requests are captured" if percent < 100 else ""  # noqa: PLR2004 - percent
        yield f"{captured.alone} of the shadow's answers have no partner{why}"


def _of_actuals(comparison: Comparison) -> Iterator[str]:
    if comparison.wanted.actuals is None or comparison.captured is None:
        return
    for each in comparison.judgements:
        if not each.dates:
            yield (
                f"no forecast of {each.output} is of an item and date that "
                f"{comparison.wanted.actuals} has; compare how both write them"
            )
        elif each.basis == "date":
            yield (
                f"{each.output} is judged by what each variant was asked on the same dates, as too "
                "few items and dates were forecast by both: other items add noise"
            )
