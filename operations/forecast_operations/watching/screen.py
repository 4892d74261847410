"""The status of environments as it is shown on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from forecast_operations.deployed.scaling import SUSPENDED
from forecast_operations.moments import ago
from forecast_operations.watching.status import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from forecast_operations.deployed.endpoint import EndpointState, VariantState
    from forecast_operations.watching.status import Status

_QUIET = 6
_COLOURS = {"ALARM": "bold red", "INSUFFICIENT_DATA": "yellow", "OK": "green"}

Row = tuple[str, str]


def draw(statuses: Sequence[Status]) -> RenderableType:
    """One panel for each environment."""
    return Group(*(_panel(status) for status in statuses))


def in_words(variant: VariantState) -> str:
    """A variant, as in `AllTraffic 2 of 4 ml.m5.large, 100 %`."""
    share = "shadow" if variant.shadow else f"{variant.share:.0%}".replace("%", " %")
    if variant.current is None:
        warm = "" if variant.warm is None else f", {variant.warm} warm"
        return f"{variant.name} serverless{warm}, {share}"
    count = (
        f"{variant.current}"
        if variant.current == variant.desired
        else f"{variant.current} of {variant.desired}"
    )
    return f"{variant.name} {count} {variant.instance_type or 'unknown'}, {share}"


def _panel(status: Status) -> Panel:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in _rows(status):
        grid.add_row(name, Text.from_markup(text))
    settings = status.place.settings
    fine = not status.troubles
    title = f"{settings.name} · {settings.endpoint.name} · {settings.region}"
    return Panel(
        grid,
        title=escape(title),
        title_align="left",
        subtitle=escape("fine" if fine else "; ".join(status.troubles)),
        subtitle_align="left",
        border_style="green" if fine else "red",
    )


def _rows(status: Status) -> Iterator[Row]:
    yield from _endpoint(status)
    yield from _stopped(status)
    yield from _alarms(status)
    yield from _seen(status)
    yield from _scaling(status)
    yield from _records(status)


def _endpoint(status: Status) -> Iterator[Row]:
    endpoint, deployed = status.endpoint, status.deployed
    if isinstance(deployed, Unknown):
        yield "stack", _unknown(deployed)
    elif deployed is None:
        yield "stack", f"{status.place.stack} is not deployed"
    else:
        versions = f"version {deployed.model_version or 'unknown'}"
        if deployed.challenger_version is not None:
            versions += f" against {deployed.challenger_version}"
        yield "deployed", f"{versions}, {deployed.config} ({deployed.status})"
    if isinstance(endpoint, Unknown):
        yield "endpoint", _unknown(endpoint)
    elif endpoint is None:
        yield "endpoint", "[red]there is none[/red]"
    else:
        yield from _serving(status, endpoint)


def _serving(status: Status, endpoint: EndpointState) -> Iterator[Row]:
    colour = "green" if endpoint.in_service else "bold red"
    age = ago(endpoint.since, status.at)
    drift = " [red](not what was deployed)[/red]" if status.drifted else ""
    yield "endpoint", f"[{colour}]{endpoint.status}[/{colour}] for {age}, {endpoint.config}{drift}"
    if endpoint.failure:
        yield "", f"[red]{escape(endpoint.failure)}[/red]"
    for variant in endpoint.variants:
        yield "variant", in_words(variant)
    if endpoint.rollout is not None:
        rollout = endpoint.rollout
        since = "" if rollout.since is None else f" for {ago(rollout.since, status.at)}"
        yield "rollout", f"[yellow]{rollout.config}{since}[/yellow]"
        for each in rollout.variants:
            weight = "" if each.weight is None else f", weight {each.weight:g}"
            count = "" if each.instances is None else f", {each.instances} instances"
            yield "", f"{each.name}: {each.status or 'waiting'}{weight}{count}"


def _stopped(status: Status) -> Iterator[Row]:
    stopped = status.stopped
    if isinstance(stopped, Unknown):
        yield "stopped", _unknown(stopped)
    elif stopped is not None:
        environment = status.place.settings.name
        yield (
            "stopped",
            (
                f"[red]{stopped.how} for {ago(stopped.at, status.at)} by "
                f"{escape(stopped.caller)}[/red]; back with: forecast start {environment}"
            ),
        )
    off_hours = status.place.settings.off_hours
    if off_hours is not None:
        yield "off hours", f"{off_hours.stop} to {off_hours.start}, {off_hours.timezone}"


def _alarms(status: Status) -> Iterator[Row]:
    alarms = status.alarms
    if isinstance(alarms, Unknown):
        yield "alarms", _unknown(alarms)
        return
    counts = [f"{sum(a.state == state for a in alarms)} {state}" for state in _COLOURS]
    muted = [alarm for alarm in alarms if alarm.muted and not alarm.scales]
    hint = f", [yellow]{len(muted)} muted[/yellow]" if muted else ""
    yield "alarms", f"{', '.join(counts)}{hint}"
    loud = [alarm for alarm in alarms if alarm.state == "ALARM"]
    quiet = [alarm for alarm in alarms if alarm.state == "INSUFFICIENT_DATA"]
    for alarm in (*loud, *quiet[:_QUIET]):
        colour = _COLOURS[alarm.state]
        runbook = "" if alarm.runbook is None else f", {escape(alarm.runbook)}"
        yield "", f"[{colour}]{alarm.name}[/{colour}] for {ago(alarm.since, status.at)}{runbook}"
    if len(quiet) > _QUIET:
        yield "", f"and {len(quiet) - _QUIET} more without data"


def _seen(status: Status) -> Iterator[Row]:
    seen = status.seen
    if isinstance(seen, Unknown):
        yield "traffic", _unknown(seen)
        return
    for each in seen.traffic:
        latency = (
            "no latency"
            if each.p50_ms is None or each.p99_ms is None
            else f"p50 {each.p50_ms:.0f} ms, p99 {each.p99_ms:.0f} ms"
        )
        yield (
            "last hour",
            (
                f"{each.variant}: {each.requests:,} requests, {each.client_errors:,} with 4xx, "
                f"{each.server_errors:,} with 5xx, {latency}"
            ),
        )
    if seen.backlog is not None:
        yield "backlog", f"{seen.backlog:,} requests wait"
    beat = seen.heartbeat
    if status.awaits_first_beat:
        yield "heartbeat", "the first one is awaited: it asks once a minute"
    elif beat.last is None:
        yield "heartbeat", "none in 3 hours"
    elif beat.ok:
        yield "heartbeat", f"[green]ok[/green], {ago(beat.last, status.at)} ago"
    else:
        last = "3 h" if beat.last_ok is None else ago(beat.last_ok, status.at)
        yield "heartbeat", f"[red]wrong or no answer[/red]; last right one {last} ago or more"


def _scaling(status: Status) -> Iterator[Row]:
    scaling = status.scaling
    if isinstance(scaling, Unknown):
        yield "scaling", _unknown(scaling)
        return
    if not scaling.targets:
        yield "scaling", "nothing scales"
    for target in scaling.targets:
        paused = ", ".join(SUSPENDED[name] for name in target.suspended)
        hint = f", [yellow]suspended: {paused}[/yellow]" if paused else ""
        yield "scaling", f"{target.variant}: {target.minimum} to {target.maximum}{hint}"
    for each in scaling.activities:
        yield "", escape(f"{ago(each.at, status.at)} ago: {each.description} {each.cause}").strip()


def _records(status: Status) -> Iterator[Row]:
    records = status.records
    if isinstance(records, Unknown):
        yield "verified", _unknown(records)
        return
    if not records:
        yield "verified", "no deployment yet (forecast verify)"
    for record in records:
        colour = "green" if record.outcome == "verified" else "red"
        yield (
            "verified",
            (
                f"{ago(record.started_at, status.at)} ago: version {record.lock.version} "
                f"[{colour}]{record.outcome}[/{colour}], {record.record_id}"
            ),
        )


def _unknown(part: Unknown) -> str:
    return f"[yellow]{escape(part.reason)}[/yellow]"
