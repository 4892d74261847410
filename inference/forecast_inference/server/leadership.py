"""Which thread of a server waits for all connections, and which of them predict.

The leader waits. It answers small requests itself, as handing them over would cost more than they
do; for a large one it gives up the lead to a thread that stands by, so that several predict at
once. A leader that is held up loses the lead all the same: whatever a model does, ``/ping`` is
answered. The last thread never predicts: what it reads then waits for its turn.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Final, Generic, TypeVar

HELD_UP_SECONDS: Final = 0.1
"""How long a leader may predict before another thread takes the lead from it."""

Task = TypeVar("Task")


class LeadEndedError(Exception):
    """The thread does not lead any more; it must not touch what only the leader may."""


class Leadership(Generic[Task]):
    """The lead, the threads that stand by for it, and the tasks that wait for a thread.

    Attributes:
        stopped: set when the threads are to end.
    """

    def __init__(self) -> None:
        self.stopped = False
        self._lead = threading.Lock()
        self._state = threading.Lock()
        """Guards what follows, and is held for a few instructions only."""
        self._term = 0
        self._held_since = 0.0
        self._standing_by = 0
        self._tasks: deque[Task] = deque()

    def take(self) -> int:
        """Stand by until the lead is free or its holder is held up.

        Returns:
            The term, which is above 0; 0 when there is something else to do first.
        """
        with self._state:
            if self._tasks:
                return 0
            self._standing_by += 1
        while True:
            is_free = self._lead.acquire(timeout=HELD_UP_SECONDS)
            with self._state:
                if is_free or self._is_held_up():
                    # In the second case the lock stays locked, and changes hands.
                    self._standing_by -= 1
                    self._held_since = 0.0
                    self._term += 1
                    return self._term
                if self.stopped:
                    self._standing_by -= 1
                    return 0

    def _is_held_up(self) -> bool:
        return self._held_since > 0 and time.monotonic() - self._held_since > HELD_UP_SECONDS

    def give_up(self) -> None:
        """Let the next thread lead."""
        self._lead.release()

    def begin(self, task: Task, *, alone: bool) -> bool:
        """Whether the leader may do a task itself; else it waits for a thread.

        Args:
            task: what is to be done.
            alone: whether the lead must be given up for it.

        Raises:
            LeadEndedError: the lead was given up, so that the task is done now.
        """
        with self._state:
            if self._standing_by and not alone:
                self._held_since = time.monotonic()
                return True
            self._tasks.append(task)
            if not self._standing_by:
                return False
        self.give_up()
        raise LeadEndedError

    def end(self, term: int) -> bool:
        """Whether the thread that has done a task itself still leads."""
        with self._state:
            leads = self._term == term
            if leads:
                self._held_since = 0.0
            return leads

    def next_task(self) -> Task | None:
        """The task that has waited longest."""
        with self._state:
            return self._tasks.popleft() if self._tasks else None
