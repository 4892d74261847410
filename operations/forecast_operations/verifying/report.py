"""Verifications and their records as a person reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forecast_operations.records.record import Check, DeploymentRecord, Exchange

_SHORT_DIGEST = 12
_SHORT_COMMIT = 12
_MAX_BODY = 60
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
_STYLES = {"verified": "green", "failed": "bold red"}


def checks_report(checks: Sequence[Check]) -> Iterator[Table | Text]:
    """What was looked at as a table, and then what to do about what failed, a line each."""
    yield _checks_table(checks)
    for check in checks:
        if not check.passed and check.advice:
            yield Text(f"{check.name}: {check.advice}")


def _checks_table(checks: Iterable[Check]) -> Table:
    table = Table(show_lines=False)
    table.add_column("")
    for title in ("Check", "Expected", "Found"):
        table.add_column(title, overflow="fold")
    for check in checks:
        mark, style = ("ok", "green") if check.passed else ("FAILED", "bold red")
        cells = (check.name, _shortened(check.expected), _shortened(check.found))
        table.add_row(f"[{style}]{mark}[/]", *(escape(cell) for cell in cells))
    return table


def summary_line(record: DeploymentRecord) -> str:
    """What came of a verification, in one sentence."""
    failed = sum(not check.passed for check in record.checks)
    what = f"version {record.lock.version} of {record.lock.name}"
    count = len(record.checks)
    if failed:
        return f"{record.endpoint_name}: {failed} of {count} checks of {what} failed"
    return f"{record.endpoint_name} serves {what}: all {count} checks passed"


def history_table(records: Sequence[DeploymentRecord], serving: str | None) -> Table:
    """The records of an environment, newest first.

    Args:
        records: The records.
        serving: Id of the newest record of what is served now; None where there is none.
    """
    table = Table(show_lines=False)
    for title in ("Record", "Outcome", "Version", "Archive", "By", "Commit", "Seconds", "Live"):
        table.add_column(title, overflow="fold")
    for record in records:
        failed = [check.name for check in record.checks if not check.passed]
        table.add_row(
            record.record_id,
            f"[{_STYLES[record.outcome]}]{_outcome(record.outcome, failed)}[/]",
            escape(record.lock.version),
            _short(record.archive_digest),
            escape(record.caller.rpartition("/")[2]),
            "-" if record.commit is None else short_commit(record.commit),
            f"{record.seconds:.1f}",
            "now" if record.record_id == serving else "",
        )
    return table


def record_lines(record: DeploymentRecord) -> Iterator[str]:
    """What a record says besides its checks and answers."""
    yield f"record      {record.record_id}"
    yield f"outcome     {record.outcome}, after {record.seconds:.1f} seconds"
    yield f"when        {record.started_at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"by          {record.caller}"
    yield f"commit      {'outside git' if record.commit is None else record.commit}"
    yield f"endpoint    {record.endpoint_name} in {record.region}, account {record.account}"
    if record.deployed_at is not None:
        yield f"deployed    {record.deployed_at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"serves      {record.endpoint_config_name or 'nothing: there is no endpoint'}"
    yield f"locked      {record.lock.name} {record.lock.version}, {record.archive_digest}"
    if record.challenger is not None:
        yield f"challenger  {record.challenger.name} {record.challenger.version}"
    for variant in record.variants:
        size = "serverless" if variant.instances is None else f"{variant.instances} instances"
        on = "" if variant.instance_type is None else f" of {variant.instance_type}"
        yield (
            f"variant     {variant.name}{' (shadow)' if variant.shadow else ''}: version "
            f"{variant.model_version}, {size}{on}, image "
            f"{variant.image}{_resolved(variant.image_digest)}"
        )


def exchanges_table(exchanges: Iterable[Exchange]) -> Table:
    """What was asked and answered, cut short."""
    table = Table(show_lines=False)
    for title in ("Request", "Variant", "Status", "Milliseconds", "Body", "Answer"):
        table.add_column(title, overflow="fold")
    for each in exchanges:
        table.add_row(
            escape(each.name),
            escape(each.variant),
            str(each.status),
            f"{each.milliseconds:.1f}",
            escape(_cut(each.body)),
            escape(_cut(str(each.answer))),
        )
    return table


def short_commit(commit: str) -> str:
    """A commit as git shortens it, with its `-dirty`."""
    digest, dash, dirty = commit.partition("-")
    return f"{digest[:_SHORT_COMMIT]}{dash}{dirty}"


def _outcome(outcome: str, failed: Sequence[str]) -> str:
    return outcome if not failed else f"{outcome}: {escape(', '.join(failed))}"


def _shortened(text: str) -> str:
    return _DIGEST.sub(lambda found: f"{found[0][:_SHORT_DIGEST]}…", text)


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:_SHORT_DIGEST]


def _resolved(digest: str | None) -> str:
    return "" if digest is None else f" ({digest})"


def _cut(text: str) -> str:
    shown = text.replace("\n", " ")
    return shown if len(shown) <= _MAX_BODY else f"{shown[:_MAX_BODY]}…"
