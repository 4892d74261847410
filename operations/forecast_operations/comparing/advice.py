"""What follows from a comparison: what to be careful with, and the commands that finish it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_operations.comparing.cells import MAX_CELLS
from forecast_operations.comparing.traffic import fails_more

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.comparing.comparison import Captured, Comparison


@dataclass(frozen=True)
class Step:
    """Something to do next.

    Attributes:
        text: What it does.
        command: The command that does it; None when it is done by hand.
    """

    text: str
    command: str | None = None


def reason_of(comparison: Comparison) -> str:
    """Why the answer is what it is, in one sentence."""
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


def next_steps(comparison: Comparison) -> list[Step]:
    """What finishes a comparison, or makes it say more."""
    if comparison.answer == "better":
        return [*_promote(comparison), *_end(comparison)]
    if comparison.answer == "worse":
        return [*_stop_traffic(comparison), *_end(comparison)]
    if comparison.answer == "mixed":
        text = "decide which output counts for more; to take the challenger over"
        return [Step(text, _promotion(comparison)), *_end(comparison, "to keep the champion, ")]
    return list(_go_on(comparison))


def _of_traffic(comparison: Comparison) -> Iterator[str]:
    contest, sharing = comparison.contest, comparison.sharing
    champion, challenger = comparison.traffic
    if contest.rolled_back:
        yield (
            f"the last rollout was undone: {contest.endpoint} serves {contest.configuration}, an "
            "older configuration than was deployed, and the versions are not known"
        )
    if not champion.invocations or not challenger.invocations:
        idle = contest.champion if not champion.invocations else contest.challenger
        yield f"{idle.name} got no requests in the window"
    if sharing.is_mismatch and sharing.received is not None and sharing.p_value is not None:
        yield (
            f"sample ratio mismatch: the challenger got {sharing.received:.2%} of the requests and "
            f"its weight is {sharing.configured:.2%} (p = {sharing.p_value:.2g}); either weights "
            "were shifted in the window, or clients choose a variant, or requests get lost: the "
            "requests of both do not compare"
        )
    if fails_more(champion, challenger):
        yield (
            f"more of the challenger's requests fail: {challenger.errors_5xx} of "
            f"{challenger.invocations}, and {champion.errors_5xx} of {champion.invocations} of the "
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


def _promote(comparison: Comparison) -> Iterator[Step]:
    if comparison.contest.challenger.version is None:
        yield Step("find out which version the challenger is, and promote it")
        return
    yield Step("make the challenger the model of the environment", _promotion(comparison))
    yield Step(
        "deploy it while the challenger is still there: the champion changes guarded",
        f"forecast deploy {comparison.environment}",
    )


def _promotion(comparison: Comparison) -> str:
    version = comparison.contest.challenger.version or "VERSION"
    name = comparison.environment
    return f"forecast promote {version} --from {name} --to {name}"


def _stop_traffic(comparison: Comparison) -> Iterator[Step]:
    contest = comparison.contest
    if contest.kind == "split":
        yield Step(
            "give all requests to the champion, at once",
            "aws sagemaker update-endpoint-weights-and-capacities "
            f"--region {comparison.region} --endpoint-name {contest.endpoint} "
            "--desired-weights-and-capacities "
            f"VariantName={contest.challenger.name},DesiredWeight=0",
        )


def _end(comparison: Comparison, before: str = "") -> list[Step]:
    kind, name = comparison.contest.kind, comparison.environment
    # A split has a variant more: SageMaker updates it without guardrails only.
    option = " --allow-unguarded" if kind == "split" else ""
    return [
        Step(f"{before}take the rollout of kind {kind} out of {name} in the configuration"),
        Step("deploy without the challenger", f"forecast deploy {name}{option}"),
    ]


def _go_on(comparison: Comparison) -> Iterator[Step]:
    name, wanted = comparison.environment, comparison.wanted
    if comparison.contest.captures is None:
        yield Step(f"switch data_capture on for {name} in the configuration")
        yield Step("deploy it", f"forecast deploy {name}")
        return
    actuals = wanted.actuals or "actuals.csv"
    if wanted.actuals is None:
        yield Step(
            "compare again with what came true",
            f"forecast compare {name} --since {wanted.since} --actuals {actuals}",
        )
        return
    yield Step(
        "wait for more requests and actuals, and compare again over a longer time",
        f"forecast compare {name} --since 4w --actuals {actuals}",
    )
