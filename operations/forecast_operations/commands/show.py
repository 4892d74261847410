"""`forecast show`: one deployment record."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from forecast_config import load_environments
from forecast_operations.console import out, print_json
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
        advice_lines,
        checks_table,
        exchanges_table,
        record_lines,
    )

    _, environments = load_environments(config, [environment])
    settings = environments[environment]
    live = Live.in_region(settings.region)
    check_account(live, settings.account)
    record = RecordStore.needed(live, settings).find(record_id)
    if lock:
        entry = record.lock.model_dump(mode="json")
        print_json(json.dumps(entry, indent=2, sort_keys=True))
        return
    if as_json:
        print_json(record.model_dump_json(indent=2))
        return
    for line in record_lines(record):
        out.print(line, markup=False)
    out.print(checks_table(record.checks))
    for line in advice_lines(record.checks):
        out.print(line, markup=False)
    if record.exchanges:
        out.print(exchanges_table(record.exchanges))
