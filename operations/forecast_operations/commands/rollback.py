"""`forecast rollback`: back to what was verified, from archives that were kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecast_operations.console import err, out, print_json
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    ContextOption,
    EnvironmentArgument,
    JsonOption,
    YesOption,
    confirm,
    warn_of,
)

if TYPE_CHECKING:
    from forecast_config import ForecastError
    from forecast_operations.records.record import DeploymentRecord
    from forecast_operations.returning.plan import Return
    from forecast_operations.updates.obstacles import Permission


def rollback_command(
    environment: EnvironmentArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="VERSION", help="The version to go back to."),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option("--record", metavar="ID", help="The deployment record to go back to."),
    ] = None,
    context: ContextOption = None,
    *,
    allow_rescale: Annotated[
        bool, typer.Option("--allow-rescale", help="As for forecast deploy.")
    ] = False,
    allow_unguarded: Annotated[
        bool, typer.Option("--allow-unguarded", help="As for forecast deploy.")
    ] = False,
    allow_recreate: Annotated[
        bool, typer.Option("--allow-recreate", help="As for forecast deploy.")
    ] = False,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Do not verify it, and write no record.")
    ] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Go back to the last verified version, or to a given one, and correct the lock.

    The archive that was verified is fetched from the environment's own bucket, locked by its digest
    and deployed by the environment's rollout, guarded by its alarms; then it is verified. Neither
    the registry nor the training is needed. A challenger goes. The exit code is 0 when the endpoint
    is proven to serve it.
    """
    # With the packaging, which no other command needs to wait for.
    from forecast_operations.returning import carrying_out  # noqa: PLC0415
    from forecast_operations.returning.plan import plan_return  # noqa: PLC0415
    from forecast_operations.verifying.verify import Patience  # noqa: PLC0415

    plan = plan_return(
        config,
        environment,
        version=to,
        record_id=record,
        context=context or (),
        warn=_warn,
    )
    warn_of(plan.settings)
    answers: dict[Permission, bool] = {
        "rescale": allow_rescale,
        "unguarded": allow_unguarded,
        "recreate": allow_recreate,
    }
    doing = f"take {environment} back to version {plan.record.lock.version}"
    confirm(doing, list(plan.consequences()), yes=yes)
    packaged = carrying_out.fetch_archive(plan)
    carrying_out.deploy(plan, {each for each, given in answers.items() if given}, _say)
    found = None if no_verify else carrying_out.prove(plan, packaged, Patience(), _say)
    carrying_out.finish(plan)
    _show(plan, found, as_json=as_json)
    if found is not None:
        _say(f"wrote {carrying_out.write_record(plan, found)}")
    if found is not None and found.outcome == "failed":
        raise typer.Exit(1)


def _show(plan: Return, found: DeploymentRecord | None, *, as_json: bool) -> None:
    from forecast_operations.verifying.report import (  # noqa: PLC0415
        advice_lines,
        checks_table,
        summary_line,
    )

    if as_json:
        print_json(json.dumps(_document(plan, found)))
        return
    name, version = plan.settings.name, plan.lock.version
    if found is None:
        out.print(f"version {version} is deployed; prove it with: forecast verify {name}")
    else:
        out.print(checks_table(found.checks))
        for line in advice_lines(found.checks):
            out.print(line, markup=False)
        out.print(summary_line(found), markup=False)
    for line in _next_steps(plan):
        out.print(line, markup=False)


def _next_steps(plan: Return) -> list[str]:
    name, version, lock = plan.settings.name, plan.lock.version, plan.config.lock_path
    was = plan.locked
    steps = [f"commit {lock}"]
    if was is not None and was.version != version:
        steps = [f"commit {lock}: without it the next deployment brings version {was.version} back"]
    if plan.ends_comparison:
        steps.append(
            f"take the challenger from the rollout of {name} in {plan.path}: until then nothing is "
            "synthesized for it, as no challenger is locked"
        )
    steps.append(
        f"the registry was not asked: its alias '{plan.settings.model_alias}' may still point to "
        f"another version, which forecast resolve {name} would lock; move it with: forecast "
        f"promote {version} --from {name} --to {name}"
    )
    return steps


def _document(plan: Return, found: DeploymentRecord | None) -> dict[str, Any]:
    standing, record = plan.standing, plan.record
    challenger = standing.challenger
    return {
        "environment": plan.settings.name,
        "endpoint": plan.settings.endpoint.name,
        "from": {
            "version": standing.version,
            "archive_digest": standing.digest,
            "challenger": None if challenger is None else challenger.version,
            "undone_by_sagemaker": standing.undone,
        },
        "to": {
            "version": record.lock.version,
            "archive_digest": record.archive_digest,
            "record": record.record_id,
        },
        "resumed": plan.resumed,
        "lock": str(plan.config.lock_path),
        "verification": None
        if found is None
        else {"record": found.record_id, "outcome": found.outcome},
        "next": _next_steps(plan),
    }


def _warn(error: ForecastError) -> None:
    err.print(f"warning: {error}", markup=False)


def _say(line: str) -> None:
    err.print(line, markup=False)
