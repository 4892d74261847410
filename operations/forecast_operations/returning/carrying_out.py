"""A return carried out: archive, lock, guarded update, proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_operations.console import byte_progress
from forecast_operations.returning.fetching import beside, provide
from forecast_operations.returning.intent import drop_intent, keep_intent
from forecast_operations.updates.proposal import carry_out, check_obstacles, propose
from forecast_operations.verifying.subject import Subject, look_at_stack
from forecast_operations.verifying.verify import Patience, verify
from forecast_packaging import write_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from forecast_config import PackagedModel
    from forecast_operations.records.record import DeploymentRecord
    from forecast_operations.returning.intent import Intent
    from forecast_operations.returning.plan import Return
    from forecast_operations.updates.obstacles import Permission
    from forecast_operations.updates.proposal import Proposal

_UNDER_WAY = "_IN_PROGRESS"


def fetch_archive(plan: Return) -> PackagedModel:
    """The archive that is gone back to, fetched where it is not here; nothing else is changed.

    Raises:
        ForecastError: It is nowhere, or the environment's image cannot run it any more.
    """
    cloud_in = beside(plan.live.cloud)
    with byte_progress(f"fetching version {plan.lock.version}") as progress:
        return provide(plan.config, plan.settings, plan.lock, progress, cloud_in)


def deploy(plan: Return, allowed: Collection[Permission], say: Callable[[str], None]) -> None:
    """Lock an environment to a record and deploy it, guarded by its rollout.

    The lock comes first, as it is what is synthesized; when nothing of the endpoint was changed it
    is put back. A return that is interrupted can be run again at any point.

    Args:
        plan: What is done; its archive is here.
        allowed: Obstacles that may be led around.
        say: Told the title of each step.

    Raises:
        ForecastError: AWS would refuse the update, a deployment failed, or SageMaker has undone
            the rollout.
    """
    intent = plan.intent
    keep_intent(plan.config.root, plan.settings.name, intent)
    write_lock(plan.config.lock_path, plan.settings.name, plan.lock)
    try:
        proposal = propose(plan.path, plan.settings.name, plan.context)
        check_obstacles(proposal.obstacles, allowed)
    except BaseException:
        _put_back(plan, intent)
        raise
    try:
        carry_out(proposal, say)
    except ForecastError as error:
        raise ForecastError(f"{error}\n{_after_failure(plan, proposal, intent)}") from None


def prove(
    plan: Return, packaged: PackagedModel, patience: Patience, say: Callable[[str], None]
) -> DeploymentRecord:
    """Verify what was gone back to, and write the record of it.

    Args:
        plan: What was done.
        packaged: The archive that must be served.
        patience: How long it waits.
        say: Told what is waited for.
    """
    subject = Subject(
        config=plan.config,
        settings=plan.settings,
        live=plan.live,
        account=plan.live.account(),
        deployed=look_at_stack(plan.live, plan.settings),
        lock=plan.lock,
        champion=packaged,
    )
    record = verify(subject, patience, say)
    plan.store.write(record)
    finish(plan)
    return record


def finish(plan: Return) -> None:
    """Note that a return has come to its end."""
    drop_intent(plan.config.root, plan.settings.name)


def _put_back(plan: Return, intent: Intent) -> None:
    write_lock(plan.config.lock_path, plan.settings.name, intent.champion, intent.challenger)
    drop_intent(plan.config.root, plan.settings.name)


def _after_failure(plan: Return, proposal: Proposal, intent: Intent) -> str:
    """What became of the lock, after a look whether the deployment changed anything."""
    again = f"the return can be run again: forecast rollback {plan.settings.name}"
    lock, version = plan.config.lock_path.name, plan.lock.version
    try:
        stack = plan.live.stack(proposal.stack) or {"StackStatus": "gone"}
        unchanged = (
            plan.changes
            and not str(stack["StackStatus"]).endswith(_UNDER_WAY)
            and plan.live.template(proposal.stack) == proposal.deployed.endpoint
        )
    except ForecastError as error:
        return f"{lock} names version {version}; whether that is deployed is not known: {error}"
    if unchanged:
        _put_back(plan, intent)
        return f"nothing was changed, and {lock} is as it was before"
    return f"{lock} names version {version}, which the stack has been changed towards; {again}"
