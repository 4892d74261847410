"""The actions of alarms, held back as long as a suppressor says so.

Amazon CloudWatch API reference, PutCompositeAlarm: ActionsSuppressor, its wait and its extension
period.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from moto.cloudwatch.models import Alarm

from forecast_local.cloudwatch.composites import alarm_name


@dataclass(frozen=True)
class Suppressor:
    """What holds the actions of a composite alarm back.

    Attributes:
        alarm: Name of the alarm that does while it is in ALARM.
        wait_seconds: How long the actions wait for it.
        extension_seconds: How long it goes on afterwards.
    """

    alarm: str
    wait_seconds: float
    extension_seconds: float


@dataclass(frozen=True)
class Pending:
    """A change of state whose actions have not been performed.

    Attributes:
        old_state: The state before.
        since: When it changed, in seconds since 1970.
    """

    old_state: str
    since: float


class ActionGate:
    """Decides when the actions of a change of state are performed."""

    def __init__(self) -> None:
        self.suppressors: dict[str, Suppressor] = {}
        self._pending: dict[str, Pending] = {}
        self._last_suppressed: dict[str, float] = {}

    def suppress(self, composite: str, given: Mapping[str, str]) -> None:
        """Remember the suppressor of a composite alarm, or that it has none."""
        self.suppressors.pop(composite, None)
        if given.get("ActionsSuppressor"):
            self.suppressors[composite] = Suppressor(
                alarm_name(given["ActionsSuppressor"]),
                float(given.get("ActionsSuppressorWaitPeriod") or 0),
                float(given.get("ActionsSuppressorExtensionPeriod") or 0),
            )

    def changed(self, name: str, old_state: str, now: float) -> None:
        """Note a change of state."""
        self._pending[name] = Pending(old_state, now)

    def due(
        self, alarms: Mapping[str, Alarm], state_of: Callable[[str], str | None], now: float
    ) -> Iterator[tuple[Alarm, str]]:
        """Yield each alarm whose actions are to be performed now, with its old state."""
        for name, pending in list(self._pending.items()):
            alarm = alarms.get(name)
            if alarm is None:
                del self._pending[name]
            elif not self._holds_back(name, pending, state_of, now):
                del self._pending[name]
                if alarm.actions_enabled:
                    yield alarm, pending.old_state

    def _holds_back(
        self, name: str, pending: Pending, state_of: Callable[[str], str | None], now: float
    ) -> bool:
        suppressor = self.suppressors.get(name)
        if suppressor is None:
            return False
        if state_of(suppressor.alarm) == "ALARM":
            self._last_suppressed[name] = now
            return True
        extended = self._last_suppressed.get(name, 0.0) + suppressor.extension_seconds
        return now < extended or now < pending.since + suppressor.wait_seconds
