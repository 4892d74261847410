"""`forecast show`: one deployment record."""

from __future__ import annotations

from typing import Annotated

import typer

from forecast_config import load_environments
from forecast_operations.console import out, print_document
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentArgument,
    JsonOption,
)


def show_command(
    environment: EnvironmentArgument,
    record_id: Annotated[
        str, typer.Argument(metavar="[RECORD_ID]", help="The record, or `latest`.")
    ] = "latest",
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    lock: Annotated[
        bool,
        typer.Option("--lock", help="Print the entry of models.lock.json that was verified."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show one deployment record: its checks, and what was asked and answered."""
    from forecast_operations.deployed.live import Live, check_account  # noqa: PLC0415
    from forecast_operations.records.store import RecordStore  # noqa: PLC0415
    from forecast_operations.verifying.report import (  # noqa: PLC0415
        checks_report,
        exchanges_table,
        record_lines,
    )

    _, environments = load_environments(config, [environment])
    settings = environments[environment]
    live = Live.in_region(settings.region)
    check_account(live, settings.account)
    record = RecordStore.needed(live, settings).find(record_id)
    if lock:
        print_document(record.pinned)
        return
    if as_json:
        print_document(record)
        return
    for line in record_lines(record):
        out.print(line, markup=False)
    for part in checks_report(record.checks):
        out.print(part)
    if record.exchanges:
        out.print(exchanges_table(record.exchanges))
