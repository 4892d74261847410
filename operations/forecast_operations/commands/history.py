"""`forecast history`: the deployment records of an environment, and which of them is live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecast_config import load_environments
from forecast_operations.console import out, print_document, say, warn
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentArgument,
    JsonOption,
)

if TYPE_CHECKING:
    from forecast_config import EnvironmentSettings
    from forecast_operations.deployed.live import Live
    from forecast_operations.records.record import DeploymentRecord


def history_command(
    environment: EnvironmentArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    limit: Annotated[int, typer.Option(min=1, help="How many records at most.")] = 20,
    *,
    as_json: JsonOption = False,
) -> None:
    """List an environment's deployment records, newest first, and which of them is live now."""
    from forecast_operations.deployed.live import Live, check_account  # noqa: PLC0415
    from forecast_operations.records.store import RecordStore  # noqa: PLC0415
    from forecast_operations.verifying.report import history_table  # noqa: PLC0415

    _, environments = load_environments(config, [environment])
    settings = environments[environment]
    live = Live.in_region(settings.region)
    check_account(live, settings.account)
    store = RecordStore.needed(live, settings)
    records = list(store.records(limit, damaged=warn))
    serving = _serving(live, settings, records)
    if as_json:
        print_document([_row(record, serving) for record in records])
    elif records:
        out.print(history_table(records, serving))
    else:
        say(
            f"there is no deployment record of {environment} that can be read in "
            f"s3://{store.bucket}; make one with: forecast verify {environment}"
        )


def _serving(
    live: Live, settings: EnvironmentSettings, records: list[DeploymentRecord]
) -> str | None:
    """Id of the newest record that found what is served now."""
    endpoint = live.endpoint(settings.endpoint.name)
    configuration = None if endpoint is None else endpoint.get("EndpointConfigName")
    if configuration is None:
        return None
    return next(
        (each.record_id for each in records if each.endpoint_config_name == configuration), None
    )


def _row(record: DeploymentRecord, serving: str | None) -> dict[str, Any]:
    return {
        "record_id": record.record_id,
        "outcome": record.outcome,
        "started_at": record.started_at,
        "version": record.lock.version,
        "archive_digest": record.archive_digest,
        "caller": record.caller,
        "commit": record.commit,
        "seconds": record.seconds,
        "failed_checks": [check.name for check in record.checks if not check.passed],
        "live": record.record_id == serving,
    }
