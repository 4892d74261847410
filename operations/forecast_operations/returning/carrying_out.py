"""A return carried out: archive, lock, guarded update, proof."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_operations.deployed.stacks import is_under_way
from forecast_operations.records.fetching import beside, provide
from forecast_operations.returning.intent import drop_intent, keep_intent
from forecast_operations.updates.proposal import carry_out, check_obstacles, propose
from forecast_operations.verifying.subject import Subject, look_at_stack
from forecast_operations.verifying.verify import Patience, verify
from forecast_packaging import write_lock
from forecast_packaging.errors import LockChangedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from forecast_config import ModelsLock, PackagedModel
    from forecast_operations.records.record import DeploymentRecord
    from forecast_operations.returning.intent import Intent
    from forecast_operations.returning.plan import Return
    from forecast_operations.updates.obstacles import Permission
    from forecast_operations.updates.proposal import Proposal
    from forecast_packaging import Progress


def fetch_archive(plan: Return, progress: Progress) -> PackagedModel:
    """The archive that is gone back to, fetched where it is not here; nothing else is changed.

    Args:
        plan: The return.
        progress: Told how far the fetching is.

    Raises:
        ForecastError: It is nowhere, or the environment's image cannot run it any more.
    """
    cloud_in = beside(plan.live.cloud)
    return provide(plan.project, plan.settings, plan.lock, progress, cloud_in)


def deploy(
    plan: Return,
    allowed: Collection[Permission],
    ask: Callable[[Proposal], None],
    say: Callable[[str], None],
) -> None:
    """Lock an environment to a record and deploy it, guarded by its rollout.

    The lock comes first, as it is what is synthesized, and what is synthesized is what is asked
    about; when nothing of the endpoint was changed it is put back. A return that is interrupted can
    be run again at any point.

    Args:
        plan: What is done; its archive is here.
        allowed: Obstacles that may be led around.
        ask: Asks whether to go on with what is proposed, and raises when not.
        say: Told the title of each step.

    Raises:
        ForecastError: AWS would refuse the update, the answer is no, a deployment failed, or
            SageMaker has undone the rollout.
    """
    with _ended_as_by_hand():
        proposal, written = _agreed(plan, allowed, ask, say)
    begun = plan.intent.model_copy(update={"begun": True})
    keep_intent(plan.project.root, plan.settings.name, begun)
    try:
        carry_out(proposal, say)
    except KeyboardInterrupt:
        say(_still(plan))
        raise
    except ForecastError as error:
        raise ForecastError(f"{error}\n{_after_failure(plan, proposal, written)}") from None


def _agreed(
    plan: Return,
    allowed: Collection[Permission],
    ask: Callable[[Proposal], None],
    say: Callable[[str], None],
) -> tuple[Proposal, ModelsLock]:
    """What was asked about with the answer yes, and the lock as it was written for that."""
    intent, name = plan.intent, plan.settings.name
    keep_intent(plan.project.root, name, intent)
    try:
        written = write_lock(plan.project.lock_path, name, plan.lock, planned=plan.before)
    except ForecastError:
        drop_intent(plan.project.root, name)
        raise
    try:
        proposal = propose(plan.path, name, plan.context)
        _check_leads_on(plan, proposal)
        check_obstacles(proposal.obstacles, allowed)
        ask(proposal)
    except BaseException:
        # What has begun, here or elsewhere, may have changed the stack.
        changed = intent.begun or plan.standing.digest != intent.origin
        say(_still(plan) if changed else _put_back(plan, intent, written))
        raise
    return proposal, written


@contextmanager
def _ended_as_by_hand() -> Iterator[None]:
    """A time in which a closed terminal or a cancelled job is an interruption, as Ctrl-C is."""
    # What is ignored stays ignored, as with nohup.
    deadly = [
        each for each in (signal.SIGHUP, signal.SIGTERM) if signal.getsignal(each) is signal.SIG_DFL
    ]
    for each in deadly:
        signal.signal(each, signal.default_int_handler)
    try:
        yield
    finally:
        for each in deadly:
            signal.signal(each, signal.SIG_DFL)


def prove(
    plan: Return, packaged: PackagedModel, patience: Patience, say: Callable[[str], None]
) -> DeploymentRecord:
    """Verify what was gone back to.

    Args:
        plan: What was done.
        packaged: The archive that must be served.
        patience: How long it waits.
        say: Told what is waited for.

    Returns:
        The record of it, which nobody has written yet.
    """
    subject = Subject(
        project=plan.project,
        settings=plan.settings,
        live=plan.live,
        account=plan.live.account(),
        deployed=look_at_stack(plan.live, plan.settings),
        lock=plan.lock,
        champion=packaged,
    )
    return verify(subject, patience, say)


def write_record(plan: Return, record: DeploymentRecord) -> str:
    """Write the record of a return that has come to its end.

    Returns:
        Its address.

    Raises:
        ForecastError: It was not written.
    """
    address = plan.store.address(record.record_id)
    try:
        plan.store.keep(record)
    except ForecastError as error:
        raise ForecastError(
            f"version {plan.lock.version} is deployed, and the record of it was not written to "
            f"{address}: {error}; once it can be, write one with: forecast verify "
            f"{plan.settings.name}"
        ) from None
    return address


def finish(plan: Return) -> None:
    """Note that a return has come to its end."""
    drop_intent(plan.project.root, plan.settings.name)


def _check_leads_on(plan: Return, proposal: Proposal) -> None:
    """Refuse to deploy anew what SageMaker has undone for another reason than its version."""
    answers_it = plan.standing.answering_digest == plan.record.archive_digest
    for obstacle in proposal.obstacles:
        if obstacle.kind == "undone" and answers_it:
            retry = "".join(f"\n  {step}" for step in obstacle.steps[1:])
            raise ForecastError(
                f"{obstacle.reason}; version {plan.lock.version} answers already, so that another "
                f"change was undone, which a return does not take back: put {plan.path} back as "
                f"it was before that (git), and run: forecast deploy {plan.settings.name}{retry}"
            )


def _still(plan: Return) -> str:
    return (
        f"{plan.project.lock_path.name} names version {plan.lock.version} now; forecast rollback "
        f"{plan.settings.name} goes on"
    )


def _put_back(plan: Return, intent: Intent, written: ModelsLock) -> str:
    """Put the lock back, unless somebody else has changed it since, and say which of both."""
    path, name = plan.project.lock_path, plan.settings.name
    drop_intent(plan.project.root, name)
    try:
        write_lock(path, name, intent.champion, intent.challenger, planned=written)
    except LockChangedError as error:
        return f"nothing was deployed, and {path.name} is left as it is: {error}"
    return f"nothing was changed, and {path.name} is as it was before"


def _after_failure(plan: Return, proposal: Proposal, written: ModelsLock) -> str:
    """What became of the lock, after a look whether the deployment changed anything."""
    lock, version = plan.project.lock_path.name, plan.lock.version
    try:
        stack = plan.live.stack(proposal.stack) or {"StackStatus": "gone"}
        unchanged = (
            plan.changes
            and not is_under_way(str(stack["StackStatus"]))
            and plan.live.template(proposal.stack) == proposal.deployed.endpoint
        )
    except ForecastError as error:
        return f"{lock} names version {version}; whether that is deployed is not known: {error}"
    if unchanged:
        return _put_back(plan, plan.intent, written)
    return (
        f"{lock} names version {version}, which the stack has been changed towards; the return can "
        f"be run again, and goes back to what answers where SageMaker has undone it: forecast "
        f"rollback {plan.settings.name}"
    )
