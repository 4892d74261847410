"""What happens here by itself: alarms are evaluated, schedules are due.

One thread looks every second. Alarms and schedules go by this machine's time; only the waiting
times of rollouts are shortened.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.events.models import events_backends
from moto.scheduler.models import scheduler_backends

from forecast_local.sagemaker import container_logs
from forecast_local.sagemaker.instance_metrics import publish_instance_metrics
from forecast_local.sagemakerruntime.async_inference import publish_backlogs
from forecast_local.schedule_targets import Firing, fire
from forecast_local.schedules import ScheduleError, parse_schedule

_LOG = logging.getLogger(__name__)
_TICK_SECONDS = 1.0
_ALARM_TICKS = 5
_METRIC_TICKS = 60


@dataclass(frozen=True)
class Entry:
    """Something that is due by a schedule.

    Attributes:
        key: What it is known by; a changed schedule is another entry.
        expression: Its schedule.
        timezone: Its time zone.
        run: What to do.
        begin: The first moment that counts, if there is one.
        end: The last moment that counts, if there is one.
    """

    key: tuple[str, ...]
    expression: str
    timezone: str
    run: Callable[[], None]
    begin: datetime | None = None
    end: datetime | None = None


class Ticker:
    """The clockwork of a server.

    Args:
        now: Returns the time, in UTC with a time zone.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._due: dict[tuple[str, ...], datetime | None] = {}
        self._stop = threading.Event()

    def start(self) -> None:
        """Run in the background until the process ends or stop is called."""
        threading.Thread(target=self._run, name="ticker", daemon=True).start()

    def stop(self) -> None:
        """End after the tick that is under way."""
        self._stop.set()

    def _run(self) -> None:
        count = 0
        while not self._stop.wait(_TICK_SECONDS):
            count += 1
            try:
                self.run_schedules()
                container_logs.tell()
                if count % _METRIC_TICKS == 0:
                    publish_instance_metrics()
                if count % _ALARM_TICKS == 0:
                    publish_backlogs()
                    evaluate_alarms()
            except Exception:  # noqa: BLE001 - the next tick may succeed
                _LOG.exception("tick failed")

    def run_schedules(self) -> None:
        """Do what is due now, each thing in the background."""
        now, known = self._now(), set()
        for entry in _entries():
            known.add(entry.key)
            if entry.key not in self._due:
                self._due[entry.key] = _following(entry, now)
            due = self._due[entry.key]
            if due is None or due > now:
                continue
            self._due[entry.key] = _following(entry, now)
            if (entry.begin is None or due >= entry.begin) and (
                entry.end is None or due <= entry.end
            ):
                threading.Thread(target=entry.run, daemon=True).start()
        for key in set(self._due) - known:
            del self._due[key]


def evaluate_alarms() -> None:
    """Evaluate every alarm there is and perform the actions that are due."""
    for backend in _existing(cloudwatch_backends):
        if backend.alarms:
            backend.evaluate()
            backend.perform_actions()


def _following(entry: Entry, now: datetime) -> datetime | None:
    try:
        return parse_schedule(entry.expression, entry.timezone).following(now)
    except ScheduleError as error:
        _LOG.warning("%s: %s", entry.key, error)
        return None


def _entries() -> Iterator[Entry]:
    for backend in _existing(scheduler_backends):
        groups = list(backend.schedule_groups.values())
        schedules = [item for group in groups for item in list(group.schedules.values())]
        yield from (_schedule_entry(backend, item) for item in schedules if item.state == "ENABLED")
    for backend in _existing(events_backends):
        buses = list(backend.event_buses.values())
        rules = [rule for bus in buses for rule in list(bus.rules.values())]
        yield from (
            _rule_entry(backend, rule)
            for rule in rules
            if rule.state == "ENABLED" and rule.scheduled_expression
        )
    for backend in _existing(applicationautoscaling_backends):
        yield from (_action_entry(backend, item) for item in list(backend.scheduled_actions))


def _existing(backends: Any) -> Iterator[Any]:
    for regions in list(backends.values()):
        yield from list(regions.values())


def _schedule_entry(backend: Any, schedule: Any) -> Entry:
    firing = Firing(schedule.name, schedule.target, backend.account_id, backend.region_name)
    return Entry(
        (schedule.arn, schedule.schedule_expression, schedule.schedule_expression_timezone),
        schedule.schedule_expression,
        schedule.schedule_expression_timezone,
        lambda: fire(firing),
        _moment(schedule.start_date),
        _moment(schedule.end_date),
    )


def _rule_entry(backend: Any, rule: Any) -> Entry:
    def run() -> None:
        for target in list(rule.targets):
            fire(Firing(rule.name, target, backend.account_id, backend.region_name))

    return Entry((rule.arn, rule.scheduled_expression), rule.scheduled_expression, "UTC", run)


def _action_entry(backend: Any, action: Any) -> Entry:
    return Entry(
        (action.arn, action.scalable_dimension, action.schedule, str(action.timezone)),
        action.schedule,
        action.timezone or "UTC",
        lambda: backend.apply_scheduled(action),
        _moment(action.start_time),
        _moment(action.end_time),
    )


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, str) and not value.replace(".", "").isdecimal():
        found = datetime.fromisoformat(value)
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return datetime.fromtimestamp(float(value), UTC)
