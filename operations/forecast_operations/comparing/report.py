"""A comparison for a terminal, and as a document for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from forecast_operations import documents
from forecast_operations.comparing.advice import reason_of, warnings_of
from forecast_operations.comparing.finishing import next_steps
from forecast_operations.comparing.layout import Grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from forecast_operations.comparing.comparison import Captured, Comparison
    from forecast_operations.comparing.judging import Judgement, OutputDistance
    from forecast_operations.comparing.layout import Rows
    from forecast_operations.comparing.scores import Scores

_TIME = "%Y-%m-%dT%H:%M:%SZ"
NOTHING = "-"


def as_json(comparison: Comparison) -> str:
    """The comparison as a document: times in UTC, shares from 0 to 1, latencies in milliseconds."""
    contest, window = comparison.contest, comparison.window
    document: dict[str, Any] = {
        "environment": comparison.environment,
        "endpoint": contest.endpoint,
        "endpoint_config_name": contest.configuration,
        "kind": contest.kind,
        "start": f"{window.start:{_TIME}}",
        "end": f"{window.end:{_TIME}}",
        "answer": comparison.answer,
        "reason": reason_of(comparison),
        "block": None if comparison.block is None else asdict(comparison.block),
        "variants": {
            role: {
                "name": variant.name,
                "model_version": variant.version,
                "weight": variant.weight,
                **_traffic(traffic),
            }
            for role, variant, traffic in zip(
                ("champion", "challenger"),
                (contest.champion, contest.challenger),
                comparison.traffic,
                strict=True,
            )
        },
        "sharing": asdict(comparison.sharing) | {"mismatch": comparison.sharing.is_mismatch},
        "captured": None if comparison.captured is None else _captured(comparison.captured),
        "differences": [asdict(each) for each in comparison.distances],
        "accuracy": [_judgement(each) for each in comparison.judgements],
        "loss": comparison.wanted.loss,
        "warnings": warnings_of(comparison),
        "next": [asdict(step) for step in next_steps(comparison)],
    }
    return documents.as_json(document)


def as_text(comparison: Comparison) -> Iterator[RenderableType]:
    """The comparison for a terminal, part by part."""
    contest, window = comparison.contest, comparison.window
    yield (
        f"{escape(contest.endpoint)}, {contest.kind}, {window.start:%Y-%m-%d %H:%M} to "
        f"{window.end:%Y-%m-%d %H:%M} UTC"
    )
    yield Grid(traffic_table(comparison))
    for each in comparison.distances:
        yield f"\n{escape(each.output)}: the challenger's forecasts beside the champion's"
        yield Grid(distance_table(each))
    for judgement in comparison.judgements:
        yield f"\n{escape(judgement.output)}: against what came true"
        yield Grid(score_table(judgement), labels=2)
    yield f"\n[bold]{comparison.answer}[/bold]: {escape(reason_of(comparison))}"
    steps = next_steps(comparison)
    if steps:
        yield "\nnext:"
    for number, step in enumerate(steps, 1):
        yield f"  {number}. {escape(step.text)}"
        if step.command is not None:
            yield f"     {escape(step.command)}"


def traffic_table(comparison: Comparison) -> Rows:
    """Both variants' traffic: a header, then a row for each."""
    contest, sharing = comparison.contest, comparison.sharing
    rows = [
        [
            "variant",
            "version",
            "requests",
            "share",
            "by weight",
            "p50 ms",
            "p90 ms",
            "p99 ms",
            "4XX",
            "5XX",
            "model errors",
        ]
    ]
    shares = _shares(comparison)
    weights = [_percent(1 - sharing.configured), _percent(sharing.configured)]
    if contest.kind == "shadow":
        weights[0] = _percent(1.0)
    for variant, traffic, share, weight in zip(
        (contest.champion, contest.challenger), comparison.traffic, shares, weights, strict=True
    ):
        rows.append(
            [
                variant.name,
                variant.version or NOTHING,
                f"{traffic.invocations:,}",
                share,
                weight,
                *(_number(each, 1) for each in (traffic.p50_ms, traffic.p90_ms, traffic.p99_ms)),
                f"{traffic.errors_4xx:,}",
                f"{traffic.errors_5xx:,}",
                f"{traffic.model_errors:,}",
            ]
        )
    return rows


def distance_table(distance: OutputDistance) -> Rows:
    """How far forecasts are apart: a header, everything, the steps, the items."""
    unit = f" {distance.unit}" if distance.unit else ""
    rows = [
        [
            "of",
            "forecasts",
            f"champion{unit}",
            f"challenger{unit}",
            "difference",
            "apart",
            "apart %",
            "most",
            "outside interval",
        ]
    ]
    steps = distance.by_step if len(distance.by_step) > 1 else ()
    for label, groups in (("", [distance.total]), ("step ", steps), ("", distance.by_item)):
        for each in groups:
            rows.append(  # noqa: PERF401 - a row has many cells
                [
                    f"{label}{each.group}" or NOTHING,
                    f"{each.cells:,}",
                    _number(each.champion),
                    _number(each.challenger),
                    _number(each.difference, sign="+"),
                    _number(each.distance),
                    _percent(each.relative),
                    _number(each.largest),
                    _percent(each.outside_share),
                ]
            )
    return rows


def score_table(judgement: Judgement) -> Rows:
    """Both variants' scores: a header, everything, the steps, the items."""
    rows = [
        ["of", "variant", "forecasts", "WAPE", "MAE", "RMSE", "bias", "coverage", "interval score"]
    ]
    total = [] if judgement.total is None else [judgement.total]
    steps = judgement.by_step if len(judgement.by_step) > 1 else ()
    for label, pairs in (("", total), ("step ", steps), ("", judgement.by_item)):
        for pair in pairs:
            rows.append([f"{label}{pair.group}" or NOTHING, "champion", *_scores(pair.champion)])
            rows.append(["", "challenger", *_scores(pair.challenger)])
    return rows


def _scores(scores: Scores) -> list[str]:
    return [
        f"{scores.cells:,}",
        _percent(scores.wape),
        _number(scores.mae),
        _number(scores.rmse),
        _percent(scores.bias, sign="+"),
        _percent(scores.coverage),
        _number(scores.interval_score),
    ]


def _shares(comparison: Comparison) -> list[str]:
    received = comparison.sharing.received
    if received is None:
        return [NOTHING, NOTHING]
    first = 1.0 if comparison.contest.kind == "shadow" else 1 - received
    return [_percent(first), _percent(received)]


def _number(value: float | None, digits: int = 4, sign: str = "") -> str:
    if value is None:
        return NOTHING
    return f"{value:{sign},.{digits}f}" if digits == 1 else f"{value:{sign}.{digits}g}"


def _percent(value: float | None, sign: str = "") -> str:
    return NOTHING if value is None else f"{100 * value:{sign}.1f} %"


def _traffic(traffic: Any) -> dict[str, Any]:
    document = asdict(traffic)
    del document["hours"]
    return document | {"error_rate": traffic.error_rate}


def _captured(captured: Captured) -> dict[str, Any]:
    sides: Sequence[tuple[str, Any]] = (
        ("champion", captured.champion),
        ("challenger", captured.challenger),
    )
    return {
        "matched_requests": captured.matched,
        "answers_without_partner": captured.alone,
        "forecasts_without_room": captured.dropped,
        **{
            role: {
                "requests": side.reading.read,
                "bytes": side.reading.bytes_read,
                "own_requests": side.reading.own,
                "damaged": dict(side.reading.damaged),
                "forecasts": side.rows,
                "of_other_versions": side.other_versions,
                "limit_reached": side.reading.cut_at is not None,
            }
            for role, side in sides
        },
    }


def _judgement(judgement: Judgement) -> dict[str, Any]:
    document = asdict(judgement)
    document["differentials"] = dict(
        zip(document.pop("dates"), judgement.differentials, strict=True)
    )
    outcome = judgement.outcome
    document["outcome"] = None
    if outcome is not None:
        document["outcome"] = asdict(outcome) | {"p_value": outcome.p_value}
    return document
