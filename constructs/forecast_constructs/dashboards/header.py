"""The head of a dashboard: what runs, whether it is well, and what calls for help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.alerts import has_heartbeat
from forecast_config.settings import AsyncEndpoint, ServerlessEndpoint
from forecast_constructs.dashboards.series import (
    Line,
    draw,
    error_rate,
    milliseconds,
    per_minute,
    percent,
    together,
)
from forecast_constructs.dashboards.widgets import (
    BLUE,
    DARK_BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    alarm_status,
    numbers,
    text,
)
from forecast_constructs.monitoring.metrics import backlog, heartbeat, oldest_request_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_config.settings import EnvironmentSettings
    from forecast_constructs.dashboards.layout import Row
    from forecast_constructs.dashboards.subject import Subject
    from forecast_constructs.monitoring.metrics import EndpointMetrics, Formula

_ALARMS_IN_A_LINE = 6
_DIGEST_LENGTH = 12


def describe_capacity(settings: EnvironmentSettings) -> str:
    """What serves, in a few words: `real time on 2 to 10 x ml.m5.xlarge`."""
    endpoint = settings.endpoint
    if isinstance(endpoint, ServerlessEndpoint):
        return f"serverless, {endpoint.memory_mib} MiB, {endpoint.max_concurrency} requests at once"
    mode = "asynchronous" if isinstance(endpoint, AsyncEndpoint) else "real time"
    scaling = settings.autoscaling
    count = (
        f"{endpoint.initial_instance_count}"
        if scaling is None
        else f"{scaling.min_instance_count} to {scaling.max_instance_count}"
    )
    return f"{mode} on {count} x {endpoint.instance_type}"


def describe_rollout(settings: EnvironmentSettings) -> str:
    """How a version takes over, in a few words: `canary, 30 %`."""
    rollout = settings.rollout
    share = next(
        (
            getattr(rollout, name)
            for name in (
                "percent",
                "step_percent",
                "batch_percent",
                "challenger_percent",
                "sampling_percent",
            )
            if hasattr(rollout, name)
        ),
        None,
    )
    words = rollout.kind.replace("_", " ")
    return words if share is None else f"{words}, {share} %"


def head(subject: Subject) -> list[Row]:
    """The first rows: versions, the figures of the last five minutes, and alarms."""
    settings = subject.settings
    named = " and ".join(subject.label(variant) for variant in subject.variants)
    title = (
        f"# {subject.name}: {named}\n"
        f"**{settings.name}** in {settings.region}: {describe_capacity(settings)}; "
        f"rollout: {describe_rollout(settings)}\n\n"
    )
    rows = [
        [text(title + _versions(subject), height=3 + len(subject.variants))],
        [numbers("Last five minutes", draw(figures(subject)), subject.source, width=24)],
    ]
    if subject.alarm_arns:
        height = 1 + -(-len(subject.alarm_arns) // _ALARMS_IN_A_LINE)
        rows.append([alarm_status("Alarms", subject.alarm_arns, width=24, height=height)])
    return rows


def figures(subject: Subject) -> list[Line]:
    """What an endpoint is told by at a glance, in the order of a first look."""
    champion = subject.champion
    beat = Line(percent(heartbeat(subject.name, "Average")), "heartbeat, % right", GREEN)
    instances = Line(per_minute(_sum(subject.variants, "instance_count")), "instances", GREY)
    found = [
        *([beat] if has_heartbeat(subject.settings) else []),
        Line(per_minute(_sum(subject.production, "requests")), "requests a minute", BLUE),
        Line(error_rate(subject.production), "failed requests, %", RED),
    ]
    if subject.is_async:
        return [
            *found,
            Line(backlog(subject.name), "requests waiting", PURPLE),
            Line(oldest_request_seconds(subject.name), "oldest of them, s", ORANGE),
            instances,
        ]
    found.append(Line(milliseconds(champion.model_latency("p99")), "p99, ms", DARK_BLUE))
    if subject.is_serverless:
        return [*found, Line(champion.concurrency_percent(), "concurrency in use, %", GREY)]
    return [*found, instances]


def _sum(variants: Sequence[EndpointMetrics], name: str) -> Formula:
    return together([getattr(variant, name)() for variant in variants])


def _versions(subject: Subject) -> str:
    lines = [
        "| | variant | model | version | run | data | code | archive |",
        "|---|---|---|---|---|---|---|---|",
        *(_version_line(subject, variant) for variant in subject.variants),
    ]
    if subject.endpoint_config_name is not None:
        lines += ["", f"Deployed configuration: `{subject.endpoint_config_name}`"]
    return "\n".join(lines)


def _version_line(subject: Subject, variant: EndpointMetrics) -> str:
    packaged = subject.packaged_models[variant.variant_name]
    model = packaged.model
    cells = (
        f"**{subject.part(variant)}**",
        variant.variant_name,
        model.name,
        f"**{model.version}**" if model.alias is None else f"**{model.version}** ({model.alias})",
        model.run_id,
        model.data_version or "",
        model.code_reference or "",
        # The first digits find an archive, and fit into a line.
        packaged.archive_digest.partition(":")[2][:_DIGEST_LENGTH],
    )
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
