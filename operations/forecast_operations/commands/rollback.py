"""`forecast rollback`: back to what was verified, from archives that were kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecast_config import ForecastError
from forecast_operations.console import byte_progress, out, print_document, say, warn
from forecast_operations.options import (
    DEFAULT_CONFIG,
    AllowRecreateOption,
    AllowRescaleOption,
    AllowUnguardedOption,
    ConfigOption,
    ContextOption,
    EnvironmentArgument,
    JsonOption,
    YesOption,
    confirm,
    permissions,
    warn_of,
)

if TYPE_CHECKING:
    from forecast_operations.records.record import DeploymentRecord
    from forecast_operations.returning.plan import Return
    from forecast_operations.updates.obstacles import Permission
    from forecast_operations.updates.proposal import Proposal

ToOption = Annotated[
    str | None, typer.Option("--to", metavar="VERSION", help="The version to go back to.")
]
RecordOption = Annotated[
    str | None,
    typer.Option("--record", metavar="ID", help="The deployment record to go back to."),
]
NoVerifyOption = Annotated[
    bool, typer.Option("--no-verify", help="Do not verify it, and write no record.")
]


def rollback_command(
    environment: EnvironmentArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    to: ToOption = None,
    record: RecordOption = None,
    context: ContextOption = None,
    *,
    allow_rescale: AllowRescaleOption = False,
    allow_unguarded: AllowUnguardedOption = False,
    allow_recreate: AllowRecreateOption = False,
    no_verify: NoVerifyOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Go back to the last verified version, or to a given one, and correct the lock.

    The archive that was verified is fetched from the environment's own bucket, locked by its digest
    and deployed by the environment's rollout, guarded by its alarms; then it is verified. Neither
    the registry nor the training is needed. A challenger goes. It is synthesized before it asks, so
    that it names what else the working copy changes. The exit code is 0 when the endpoint is proven
    to serve the version.
    """
    # With the packaging, which no other command needs to wait for.
    from forecast_operations.returning.plan import plan_return  # noqa: PLC0415

    plan = plan_return(
        config, environment, version=to, record_id=record, context=context or (), warn=warn
    )
    warn_of(plan.settings)
    allowed = permissions(rescale=allow_rescale, unguarded=allow_unguarded, recreate=allow_recreate)
    _carry_out(plan, allowed, yes=yes, proves=not no_verify, as_json=as_json)


def _carry_out(
    plan: Return, allowed: set[Permission], *, yes: bool, proves: bool, as_json: bool
) -> None:
    from forecast_operations.deployed.place import where  # noqa: PLC0415
    from forecast_operations.returning import carrying_out  # noqa: PLC0415
    from forecast_operations.returning.consequences import consequences  # noqa: PLC0415
    from forecast_operations.verifying.verify import Patience  # noqa: PLC0415

    def ask(proposal: Proposal) -> None:
        doing = f"take {plan.settings.name} back to version {plan.lock.version}"
        confirm(doing, [where(plan.live), *consequences(plan, proposal)], yes=yes)

    with byte_progress(f"fetching version {plan.lock.version}") as progress:
        packaged = carrying_out.fetch_archive(plan, progress)
    carrying_out.deploy(plan, allowed, ask, say)
    found = carrying_out.prove(plan, packaged, Patience(), say) if proves else None
    carrying_out.finish(plan)
    unwritten = None if found is None else _write(plan, found)
    _show(plan, found, written=unwritten is None, as_json=as_json)
    if unwritten is not None:
        raise unwritten
    if found is not None and found.outcome == "failed":
        raise typer.Exit(1)


def _write(plan: Return, found: DeploymentRecord) -> ForecastError | None:
    """Write a record; why it was not, where it was not, which must not hide what it says."""
    from forecast_operations.returning.carrying_out import write_record  # noqa: PLC0415

    try:
        say(f"wrote {write_record(plan, found)}")
    except ForecastError as error:
        return error
    return None


def _show(plan: Return, found: DeploymentRecord | None, *, written: bool, as_json: bool) -> None:
    from forecast_operations.verifying.report import checks_report, summary_line  # noqa: PLC0415

    if as_json:
        print_document(_document(plan, found, written=written))
        return
    name, version = plan.settings.name, plan.lock.version
    if found is None:
        out.print(f"version {version} is deployed; prove it with: forecast verify {name}")
    else:
        for part in checks_report(found.checks):
            out.print(part)
        out.print(summary_line(found), markup=False)
    for line in _next_steps(plan):
        out.print(line, markup=False)


def _next_steps(plan: Return) -> list[str]:
    name, version, lock = plan.settings.name, plan.lock.version, plan.project.lock_path
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


def _document(plan: Return, found: DeploymentRecord | None, *, written: bool) -> dict[str, Any]:
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
        "lock": str(plan.project.lock_path),
        "verification": None
        if found is None
        else {"record": found.record_id if written else None, "outcome": found.outcome},
        "next": _next_steps(plan),
    }
