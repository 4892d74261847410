"""The answers of an endpoint: the golden requests that were packed with its model, asked again."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError
from forecast_config.settings import AsyncEndpoint
from forecast_operations.records.record import Check, Exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_config import EnvironmentSettings, PackagedModel
    from forecast_operations.verifying.asking import Desk, Reply
    from forecast_operations.verifying.fleet import Variant
    from forecast_operations.verifying.subject import Subject

_OK = 200
_MAX_SHOWN = 300


@dataclass(frozen=True)
class Interview:
    """What came of asking one variant.

    Attributes:
        checks: Whether each answer is the recorded one, and the time they took.
        exchanges: What was asked and answered.
    """

    checks: tuple[Check, ...]
    exchanges: tuple[Exchange, ...] = ()


def latency_budget_ms(settings: EnvironmentSettings) -> float | None:
    """The lowest latency that is alarmed about; None where none is."""
    alert = settings.alarms.high_latency
    if alert is None or isinstance(settings.endpoint, AsyncEndpoint):
        return None
    return min(alert.thresholds_ms.values())


def interview(
    subject: Subject,
    desk: Desk,
    fleet: Sequence[Variant],
    budget_ms: float | None,
    cause: str | None = None,
) -> Interview:
    """Ask every variant its golden requests.

    A shadow variant cannot be asked: it gets copies only. A variant that serves another archive
    than the locked one is not asked what that would answer.

    Args:
        subject: What is verified.
        desk: Where it is asked.
        fleet: The variants.
        budget_ms: Longest that half of the answers may take; None: any time.
        cause: The check whose failure explains another archive; None: that of the archive.
    """
    checks: list[Check] = []
    exchanges: list[Exchange] = []
    several = sum(not variant.shadow for variant in fleet) > 1
    for variant in fleet:
        wanted = subject.models.get(variant.name)
        if wanted is None:
            continue
        if variant.shadow:
            checks.append(_passed(f"golden {variant.name}", "copies of requests", _SHADOW))
        elif variant.archive_digest != wanted.archive_digest:
            checks.append(_not_asked(variant, wanted, cause))
        else:
            found = _ask_variant(desk, variant.name, wanted, budget_ms, by_name=several)
            checks.extend(found.checks)
            exchanges.extend(found.exchanges)
    return Interview(tuple(checks), tuple(exchanges))


_SHADOW = "not asked: nobody gets the answers of a shadow variant"


def _not_asked(variant: Variant, wanted: PackagedModel, cause: str | None) -> Check:
    unseen = variant.refused is not None and variant.archive_digest is None
    what = "nobody may see what" if unseen else f"version {variant.version}"
    seen = None if unseen else cause
    return Check(
        name=f"golden {variant.name}",
        passed=False,
        expected=f"the answers of version {wanted.model.version}",
        found=f"not asked: {what} would answer",
        advice=f"see archive {variant.name}" if seen is None else f"see {seen}",
    )


def _ask_variant(
    desk: Desk, variant: str, packaged: PackagedModel, budget_ms: float | None, *, by_name: bool
) -> Interview:
    target = variant if by_name else None
    expected = f"answers to the golden requests of version {packaged.model.version}"
    try:
        requests = golden_requests(packaged)
        # A fresh container's first answer, or a serverless cold start, is no measure of the rest.
        first = desk.ask(target, requests[0])
        asked = [(request, desk.ask(target, request)) for request in requests]
    except ForecastError as error:
        check = Check(
            name=f"golden {variant}",
            passed=False,
            expected=expected,
            found="no answer",
            advice=str(error),
        )
        return Interview((check,))
    checks = [_check_answer(variant, request, reply) for request, reply in asked]
    if budget_ms is not None:
        checks.append(_check_latency(variant, first, asked, budget_ms))
    return Interview(
        tuple(checks), tuple(_exchange(variant, request, reply) for request, reply in asked)
    )


def golden_requests(packaged: PackagedModel) -> list[dict[str, Any]]:
    """The golden requests of an archive, each with its answer.

    Raises:
        ForecastError: It has none, or they cannot be read.
    """
    # The container's own reader: what it takes at its start is what is asked here.
    from forecast_inference.errors import ArtifactError  # noqa: PLC0415
    from forecast_inference.golden import read_requests  # noqa: PLC0415

    version = packaged.model.version
    if packaged.golden is None:
        raise ForecastError(f"version {version} has no golden requests; package the model again")
    try:
        requests = read_requests(packaged.golden)
    except ArtifactError as error:
        raise ForecastError(f"{error}; package version {version} again") from None
    if not requests:
        raise ForecastError(f"expected golden requests of version {version}, got none")
    return requests


def _check_answer(variant: str, request: dict[str, Any], reply: Reply) -> Check:
    from forecast_inference.golden import TOLERANCE, difference  # noqa: PLC0415

    wanted = request["status"]
    name = f"golden {variant} {request['name']}"
    expected = (
        f"the recorded answer, numbers within {TOLERANCE:g}"
        if wanted == _OK
        else f"the recorded refusal, status {wanted}"
    )
    if reply.status is None and wanted != _OK:
        # SageMaker says of an asynchronous failure no more than its text.
        same = difference(request, wanted, reply.body) is None
        return _passed(name, expected, "refused, the same" if same else "refused, in other words")
    status = 0 if reply.status is None else reply.status
    found = difference(request, status, reply.body)
    if found is None:
        return _passed(name, expected, f"status {wanted}, the same")
    return Check(
        name=name,
        passed=False,
        expected=expected,
        found=found[:_MAX_SHOWN],
        advice="the endpoint computes otherwise than where the model was packaged: compare the "
        "image's library versions with the lock's, then go back to the last verified version",
    )


def _check_latency(
    variant: str,
    first: Reply,
    asked: Sequence[tuple[dict[str, Any], Reply]],
    budget_ms: float,
) -> Check:
    answered = [(reply.seconds * 1000, request) for request, reply in asked if reply.status == _OK]
    name, expected = f"latency {variant}", f"half of the answers within {budget_ms:g} ms"
    if not answered:
        return Check(
            name=name,
            passed=False,
            expected=expected,
            found="no answer with status 200",
            advice=f"see golden {variant}",
        )
    middle = statistics.median(milliseconds for milliseconds, _ in answered)
    slowest, request = max(answered, key=lambda each: each[0])
    passed = middle <= budget_ms
    return Check(
        name=name,
        passed=passed,
        expected=expected,
        found=f"median {middle:.0f} ms, slowest {slowest:.0f} ms ({request['name']}), with the "
        f"network; warmed up by a first one of {first.seconds * 1000:.0f} ms",
        advice=""
        if passed
        else "measured from here: verify from nearer to the region, look at ModelLatency of the "
        "dashboard, or allow more with --latency-ms",
    )


def _exchange(variant: str, request: dict[str, Any], reply: Reply) -> Exchange:
    return Exchange(
        name=request["name"],
        variant=variant,
        content_type=request["content_type"],
        accept=request["accept"],
        body=request["body"],
        status=0 if reply.status is None else reply.status,
        answer=_kept(reply.body, request["accept"]),
        milliseconds=round(reply.seconds * 1000, 1),
    )


def _kept(body: bytes, accept: str) -> Any:
    """An answer as golden files hold one; the text where it is nothing of the kind."""
    from forecast_packaging.publishing.golden import recorded  # noqa: PLC0415

    text = body.decode(errors="replace")
    try:
        return recorded(text, accept)
    except (ValueError, LookupError, TypeError, AttributeError):
        pass
    try:
        return json.loads(text)
    except ValueError:
        return text


def _passed(name: str, expected: str, found: str) -> Check:
    return Check(name=name, passed=True, expected=expected, found=found)
