"""The commands that finish a comparison, or make it say more."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING

from forecast_operations.cloud.metrics import KEPT_DAYS
from forecast_operations.comparing.limits import LIMIT, MIN_SAMPLES
from forecast_operations.comparing.reach import reach_of, since_for
from forecast_operations.comparing.significance import SAMPLES_PER_STEP
from forecast_operations.comparing.window import window_of
from forecast_operations.updates.challengers import end_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.comparing.comparison import Comparison
    from forecast_operations.comparing.reach import Reach
    from forecast_operations.comparing.window import Window


@dataclass(frozen=True)
class Step:
    """Something to do next.

    Attributes:
        text: What it does.
        command: The command that does it; None when it is done by hand.
    """

    text: str
    command: str | None = None


def next_steps(comparison: Comparison) -> list[Step]:
    """What finishes a comparison, or makes it say more."""
    if comparison.answer == "better":
        return [*_promote(comparison), *_end(comparison)]
    if comparison.answer == "worse":
        return [*_stop_traffic(comparison), *_go_back(comparison)]
    if comparison.answer == "mixed":
        text = "decide which output counts for more; to take the challenger over, verify it"
        return [
            Step(text, _verification(comparison)),
            Step("and make it the model of the environment", _promotion(comparison)),
            *_go_back(comparison, "else "),
        ]
    if comparison.block is not None:
        return [
            Step(
                "find out why the shares do not fit: weights that were shifted, clients that "
                "choose a variant, requests that get lost"
            ),
            Step(
                "compare over a time in which they do",
                _again(comparison, comparison.wanted.since),
            ),
        ]
    return list(_go_on(comparison))


def _promote(comparison: Comparison) -> Iterator[Step]:
    if comparison.contest.challenger.version is None:
        yield Step("find out which version the challenger is, and promote it")
        return
    yield Step(
        "verify the endpoint with its challenger: only what is verified is promoted",
        _verification(comparison),
    )
    yield Step("make the challenger the model of the environment", _promotion(comparison))
    yield Step(
        "deploy it while the challenger is still there: the champion changes guarded",
        f"forecast deploy {comparison.environment}",
    )


def _verification(comparison: Comparison) -> str:
    return f"forecast verify {comparison.environment}"


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


def _end(comparison: Comparison) -> list[Step]:
    name = comparison.environment
    return [
        Step(_without_rollout(comparison)),
        Step("deploy without the challenger", end_command(comparison.contest.kind, name)),
    ]


def _go_back(comparison: Comparison, before: str = "") -> list[Step]:
    command = end_command(comparison.contest.kind, comparison.environment, "rollback")
    return [
        Step(f"{before}go back to the champion alone, as it was verified", command),
        Step(_without_rollout(comparison)),
    ]


def _without_rollout(comparison: Comparison) -> str:
    kind, name = comparison.contest.kind, comparison.environment
    return f"take the rollout of kind {kind} out of {name} in the configuration"


def _go_on(comparison: Comparison) -> Iterator[Step]:
    name, reach = comparison.environment, reach_of(comparison)
    if comparison.contest.captures is None:
        yield Step(
            f"switch data_capture on for {name} in the configuration, with retention_days of "
            f"{reach.days} or more"
        )
        yield Step("deploy it", f"forecast deploy {name}")
        return
    if reach.days > KEPT_DAYS:
        yield Step(
            f"ask both variants for fewer steps ahead, each of which needs {SAMPLES_PER_STEP} "
            f"dates: {reach.dates} dates take {reach.days} days, and metrics are kept {KEPT_DAYS}"
        )
        return
    if reach.expires_early:
        yield Step(
            f"set data_capture.retention_days of {name} to {reach.days} or more: captured requests "
            f"are deleted after {reach.retention_days} days, and {reach.dates} dates take "
            f"{reach.days}"
        )
        yield Step("deploy it", f"forecast deploy {name}")
    yield Step(_when(comparison, reach), _again(comparison, since_for(comparison, reach)))


def _when(comparison: Comparison, reach: Reach) -> str:
    text = "compare again over a longer time"
    if comparison.wanted.actuals is None:
        text = "compare again with what came true"
    if reach.ready_at is None:
        return f"{text}: {reach.dates} dates with actuals are needed"
    young = ""
    if reach.age.days < reach.days:
        since = f"{comparison.contest.since:%Y-%m-%d}"
        young = f"; the configuration serves since {since}, and what changes it begins anew"
    return (
        f"{text}, from {reach.ready_at:%Y-%m-%d} on: {reach.dates} dates take {reach.days} days of "
        f"requests{young}"
    )


def _again(comparison: Comparison, since: str) -> str:
    """The command of this comparison, with what it was asked for."""
    wanted = comparison.wanted
    words = ["forecast", "compare", comparison.environment, "--since", since]
    words += ["--actuals", wanted.actuals or "actuals.csv"]
    for item in wanted.items:
        words += ["--item-column", item]
    if wanted.date is not None:
        words += ["--date-column", wanted.date]
    if wanted.loss != "absolute":
        words += ["--loss", wanted.loss]
    if wanted.minimum != MIN_SAMPLES:
        words += ["--min-samples", str(wanted.minimum)]
    if wanted.min_gain_percent:
        words += ["--min-gain", f"{wanted.min_gain_percent:g}"]
    limit = _limit(comparison, window_of(since, comparison.made_at))
    if limit != LIMIT:
        words += ["--limit", str(limit)]
    return shlex.join(words)


def _limit(comparison: Comparison, window: Window) -> int:
    """The limit that lets a window be read, by what this one was enough for."""
    limit, captured = comparison.wanted.limit, comparison.captured
    sides = () if captured is None else (captured.champion, captured.challenger)
    reached = [each.reading.cut_at for each in sides if each.reading.cut_at is not None]
    if not reached:
        return limit
    # It is reached at an hour, of which it read a part.
    covered = max(comparison.window.end - max(reached), timedelta(hours=1))
    return limit * ceil(window.length / covered)
