"""`forecast promote`: what was verified in one environment is locked in another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecast_operations.console import byte_progress, out, print_document, warn
from forecast_operations.options import DEFAULT_CONFIG, ConfigOption, JsonOption, warn_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forecast_operations.promoting.promotion import Moved, Promotion


def promote_command(
    source: Annotated[
        str, typer.Option("--from", metavar="ENV", help="The environment that verified it.")
    ],
    target: Annotated[
        str, typer.Option("--to", metavar="ENV", help="The environment that shall run it.")
    ],
    version: Annotated[
        str | None,
        typer.Argument(metavar="VERSION", help="The version; what was verified last unless named."),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    no_alias: Annotated[
        bool, typer.Option("--no-alias", help="Leave the registry's alias where it is.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Say what would be done, and change nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Lock an environment to the very archive that was verified in another, and move its alias.

    The newest deployment record of the version in the first environment must be one of a verified
    deployment. Nothing is deployed: that is for the pipeline, once the lock is committed. From an
    environment to itself it ends a comparison: the challenger becomes the champion.
    """
    # With the packaging, which no other command needs to wait for.
    from forecast_operations.promoting.promotion import plan_promotion, promote  # noqa: PLC0415

    with byte_progress("fetching the archive") as progress:
        promotion = plan_promotion(
            config,
            version,
            source,
            target,
            moves_alias=not no_alias,
            progress=progress,
            warn=warn,
        )
    warn_of(promotion.target)
    moved = None if check else promote(promotion)
    if as_json:
        print_document(_document(promotion, moved))
        return
    for line in (*_proof(promotion), *_done(promotion, moved), *_next_steps(promotion)):
        out.print(line, markup=False)


def _proof(promotion: Promotion) -> Iterator[str]:
    record, lock = promotion.record, promotion.lock
    yield (
        f"version {lock.version} was verified as the {promotion.role} of {promotion.source.name} "
        f"on {record.started_at:%Y-%m-%d %H:%M} UTC by {record.caller} (record {record.record_id})"
    )
    yield f"its archive is {lock.archive_digest}"


def _done(promotion: Promotion, moved: Moved | None) -> Iterator[str]:
    target, version = promotion.target.name, promotion.lock.version
    was = "nothing" if promotion.locked is None else f"version {promotion.locked.version}"
    would = "" if moved is not None else "would be "
    if promotion.is_locked:
        yield f"lock: {target} is locked to it already"
    else:
        yield f"lock: {target} {would}locked to version {version}, was {was}"
    if promotion.alias is None:
        yield "alias: the registry is left alone"
    elif moved is None:
        yield f"alias: {promotion.alias} would point to version {version}"
    elif moved.alias_before == version:
        yield f"alias: {promotion.alias} points to version {version} already"
    else:
        before = "nothing" if moved.alias_before is None else f"version {moved.alias_before}"
        yield f"alias: {promotion.alias} points to version {version}, was {before}"
    if promotion.others:
        yield (
            f"alias: {promotion.alias} is that of {_listed(promotion.others)}, too: resolved, they "
            f"get version {version}, which {promotion.source.name} has proved, and not they"
        )


def _next_steps(promotion: Promotion) -> list[str]:
    # With the reading of templates, which no other command needs to wait for.
    from forecast_config.settings import ChallengerRollout  # noqa: PLC0415
    from forecast_operations.updates.challengers import end_command  # noqa: PLC0415

    target, lock_path = promotion.target.name, promotion.project.lock_path
    rollout = promotion.target.rollout
    steps = [f"commit {lock_path}; then: forecast plan {target}, forecast deploy {target}"]
    is_own = promotion.role == "challenger" and promotion.source.name == target
    if is_own and isinstance(rollout, ChallengerRollout):
        steps.append(
            f"deploy it while the challenger is still in the rollout of {target}: the champion "
            "changes guarded, and both variants serve one version; take the challenger out of the "
            f"configuration afterwards, and run: {end_command(rollout.kind, target)}"
        )
    if promotion.others:
        steps.append(
            f"keep {_listed((target, *promotion.others))} apart: give each its own alias "
            f"(model_alias, such as champion-{target}); until then do not run forecast resolve for "
            f"{_listed(promotion.others)}, or leave the alias where it is (--no-alias)"
        )
    before = promotion.locked
    if before is not None and before.version != promotion.lock.version:
        steps.append(
            f"the way back: put {lock_path.name} back as long as it is not deployed; once it is: "
            f"forecast rollback {target}"
        )
    return steps


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _document(promotion: Promotion, moved: Moved | None) -> dict[str, Any]:
    record, lock, locked = promotion.record, promotion.lock, promotion.locked
    return {
        "version": lock.version,
        "archive_digest": lock.archive_digest,
        "from": promotion.source.name,
        "to": promotion.target.name,
        "role": promotion.role,
        "record": record.record_id,
        "verified_at": record.started_at.isoformat(),
        "verified_by": record.caller,
        "lock": {
            "path": str(promotion.project.lock_path),
            "version_before": None if locked is None else locked.version,
            "changed": not promotion.is_locked if moved is None else moved.lock_changed,
        },
        "alias": None
        if promotion.alias is None
        else {
            "name": promotion.alias,
            "version_before": None if moved is None else moved.alias_before,
            "shared_with": list(promotion.others),
        },
        "done": moved is not None,
        "next": _next_steps(promotion),
    }
