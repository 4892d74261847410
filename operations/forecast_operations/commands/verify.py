"""`forecast verify`: prove that an endpoint serves what was deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from forecast_config import ForecastError
from forecast_operations.console import byte_progress, out, print_document, say
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentArgument,
    JsonOption,
)

if TYPE_CHECKING:
    from forecast_operations.records.record import DeploymentRecord
    from forecast_operations.verifying.subject import Subject

_SECONDS_PER_MINUTE = 60

WaitOption = Annotated[
    float | None,
    typer.Option(
        "--wait",
        min=0,
        metavar="MINUTES",
        help="How long to wait for a deployment that is under way, and for an asynchronous answer; "
        "as long as the rollout may take unless given, 0 for not at all.",
    ),
]
LatencyOption = Annotated[
    float | None,
    typer.Option(
        "--latency-ms",
        min=0,
        help="Longest that half of the answers may take, with the network; the lowest threshold of "
        "alarms.high_latency unless given.",
    ),
]
NoRecordOption = Annotated[
    bool, typer.Option("--no-record", help="Only look, and write no deployment record.")
]


def verify_command(
    environment: EnvironmentArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    wait: WaitOption = None,
    latency_ms: LatencyOption = None,
    *,
    no_record: NoRecordOption = False,
    as_json: JsonOption = False,
) -> None:
    """Prove that an environment's endpoint serves what is deployed and locked, and serves it well.

    Its configuration, variants, image and archive are compared with the stack and the lock, and
    the golden requests that were packed with the model are asked again. What was found is written
    to the artifact bucket as a deployment record, unless the endpoint is away: stopped, or in its
    off hours. The exit code is 0 when every check passed.
    """
    # With the packaging, which no other command needs to wait for.
    from forecast_operations.returning.intent import drop_intent  # noqa: PLC0415
    from forecast_operations.verifying.subject import find_subject  # noqa: PLC0415
    from forecast_operations.verifying.verify import Patience, verify  # noqa: PLC0415

    with byte_progress("packing") as progress:
        subject = find_subject(config, environment, progress, say)
    patience = Patience(
        wait_seconds=None if wait is None else wait * _SECONDS_PER_MINUTE, latency_ms=latency_ms
    )
    record = verify(subject, patience, say)
    _show(record, as_json=as_json)
    if record.endpoint_config_name is None:
        say("no record is written: without an endpoint nothing is said of the version")
    elif not no_record:
        _write(subject, record)
    if record.outcome == "failed":
        raise typer.Exit(1)
    drop_intent(subject.project.root, environment)


def _show(record: DeploymentRecord, *, as_json: bool) -> None:
    from forecast_operations.verifying.report import checks_report, summary_line  # noqa: PLC0415

    if as_json:
        print_document(record)
        return
    for part in checks_report(record.checks):
        out.print(part)
    out.print(summary_line(record), markup=False)


def _write(subject: Subject, record: DeploymentRecord) -> None:
    from forecast_operations.records.store import RecordStore  # noqa: PLC0415

    store = RecordStore.needed(subject.live, subject.settings)
    try:
        store.keep(record)
    except ForecastError as error:
        raise ForecastError(
            f"the record was not written to {store.address(record.record_id)}: {error}; to look "
            "without writing: --no-record"
        ) from None
    say(f"wrote {store.address(record.record_id)}")
