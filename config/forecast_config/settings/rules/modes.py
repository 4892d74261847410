"""Rules between the mode that an endpoint serves in and what the mode supports.

Sources: Amazon SageMaker developer guide, "Deploy models with Amazon SageMaker Serverless
Inference" (feature exclusions), "Shadow tests" (exclusions), "Asynchronous inference" and "Capture
data"; SageMaker API reference, ContainerDefinition.ModelDataSource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.settings.ruling import rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_config.settings.ruling import Broken

SERVERLESS = "serverless"
ASYNC = "async"

MAX_RESPONSE_MS = 60_000
"""Time in which a container answers, but on an asynchronous endpoint (SageMaker Runtime API
reference, InvokeEndpoint: 60 seconds)."""


@rule("endpoint.kind", "rollout.kind", "rollout.additional_alarms")
def _serverless_is_replaced_at_once(
    mode: str, kind: str, alarms: tuple[str, ...]
) -> Iterator[Broken]:
    if mode == SERVERLESS and kind != "all_at_once":
        yield (
            ("rollout", "kind"),
            (
                "expected all_at_once, as a serverless endpoint has no instances to be replaced by "
                f"parts and no further variants, got {kind}; or choose endpoint.kind realtime"
            ),
        )
    if mode == SERVERLESS and alarms:
        yield (
            ("rollout", "additional_alarms"),
            "expected none, as no alarm undoes the rollout of a serverless endpoint",
        )


@rule("endpoint.kind", "rollout.kind")
def _queues_have_one_variant(mode: str, kind: str) -> Iterator[Broken]:
    if mode == ASYNC and kind == "shadow":
        yield (
            ("rollout", "kind"),
            (
                "expected another kind, as asynchronous endpoints are excluded from shadow "
                "variants, got shadow; compare on a copy of the endpoint, or choose "
                "endpoint.kind realtime"
            ),
        )
    if mode == ASYNC and kind == "split":
        yield (
            ("rollout", "kind"),
            (
                "expected another kind, as InvokeEndpointAsync neither asks for a variant nor says "
                "which one answered, got split; choose endpoint.kind realtime"
            ),
        )


@rule("endpoint.kind", "data_capture")
def _capture_is_for_requests_in_real_time(mode: str, data_capture: object) -> Iterator[Broken]:
    if mode == SERVERLESS and data_capture:
        yield (
            ("data_capture",),
            (
                "expected null, as a serverless endpoint captures nothing; "
                "choose endpoint.kind realtime to keep requests"
            ),
        )
    if mode == ASYNC and data_capture:
        yield (
            ("data_capture",),
            (
                "expected null, as requests and answers of an asynchronous endpoint are kept in "
                "the bucket anyway (endpoint.answer_retention_days)"
            ),
        )


@rule("endpoint.kind", "network.kind")
def _serverless_runs_outside_a_vpc(mode: str, kind: str) -> Iterator[Broken]:
    if mode == SERVERLESS and kind != "none":
        yield (
            ("network", "kind"),
            (
                f"expected none, as a serverless container cannot join a VPC, got {kind}; "
                "choose endpoint.kind realtime for a VPC"
            ),
        )


@rule("endpoint.kind", "network.isolated")
def _serverless_is_not_isolated(mode: str, isolated: object) -> Iterator[Broken]:
    if mode == SERVERLESS and isolated:
        yield (
            ("network", "isolated"),
            (
                "expected false, as a serverless container cannot be isolated; "
                "choose endpoint.kind realtime for network isolation"
            ),
        )


@rule("endpoint.kind", "autoscaling")
def _serverless_scales_by_itself(mode: str, autoscaling: object) -> Iterator[Broken]:
    if mode == SERVERLESS and autoscaling:
        yield (
            ("autoscaling",),
            (
                "expected null, as a serverless endpoint has no instances; what it keeps warm "
                "scales by endpoint.provisioned_concurrency"
            ),
        )


@rule("endpoint.kind", "off_hours")
def _serverless_needs_no_off_hours(mode: str, off_hours: object) -> Iterator[Broken]:
    if mode == SERVERLESS and off_hours:
        yield (
            ("off_hours",),
            "expected null, as a serverless endpoint costs nothing while nobody asks",
        )


@rule("endpoint.kind", "image.architecture")
def _serverless_is_x86(mode: str, architecture: str | None) -> Iterator[Broken]:
    if mode == SERVERLESS and architecture == "arm64":
        yield (
            ("image", "architecture"),
            "expected x86_64, the CPU of serverless containers, got arm64",
        )


@rule("endpoint.kind", "alarms.high_latency.thresholds_ms")
def _answers_come_in_time(mode: str, thresholds: Mapping[str, float]) -> Iterator[Broken]:
    for severity, milliseconds in thresholds.items():
        where = ("alarms", "high_latency", "thresholds_ms", severity)
        yield from _check_latency(mode, where, milliseconds)


@rule("endpoint.kind", "alarms.rollback.latency_p99_ms")
def _answers_of_a_rollout_come_in_time(mode: str, milliseconds: float | None) -> Iterator[Broken]:
    if milliseconds is not None:
        where = ("alarms", "rollback", "latency_p99_ms")
        yield from _check_latency(mode, where, milliseconds)


def _check_latency(mode: str, where: tuple[str, ...], milliseconds: float) -> Iterator[Broken]:
    if mode != ASYNC and milliseconds > MAX_RESPONSE_MS:
        yield (
            where,
            (
                f"expected at most {MAX_RESPONSE_MS}, as SageMaker ends a request after 60 s, got "
                f"{milliseconds:.15g}; only endpoint.kind async takes longer"
            ),
        )


MODE_RULES = (
    _serverless_is_replaced_at_once,
    _queues_have_one_variant,
    _capture_is_for_requests_in_real_time,
    _serverless_runs_outside_a_vpc,
    _serverless_is_not_isolated,
    _serverless_scales_by_itself,
    _serverless_needs_no_off_hours,
    _serverless_is_x86,
    _answers_come_in_time,
    _answers_of_a_rollout_come_in_time,
)
