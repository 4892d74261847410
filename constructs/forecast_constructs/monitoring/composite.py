"""Composite alarms: one incident, one message, to those whom its severity reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from forecast_config import alerts as table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import IConstruct

    from forecast_config.settings import EnvironmentSettings, Severity

MAX_RULE_LENGTH = 10_240
"""Characters of an AlarmRule (Amazon CloudWatch API reference, PutCompositeAlarm)."""


class IncidentAlarms(Construct):
    """One composite alarm for each severity; they alone notify.

    The more severe one silences the less severe ones by its state in their rules. An
    ActionsSuppressor would do it too, but takes one alarm only and asks for a wait and an extension
    period, by which every message would be late; and an incident that gets less severe would not be
    told of, while a rule changes its state then.

    Attributes:
        alarm_names: Names of the composite alarms, as literals, by severity.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: EnvironmentSettings,
        topic_arns: Mapping[Severity, str],
        after: Sequence[IConstruct],
    ) -> None:
        """Define the composite alarms.

        Args:
            scope: The parent.
            construct_id: Id of the construct.
            settings: The environment.
            topic_arns: Where each severity is reported to.
            after: What holds the alarms of the rules, which must exist before.
        """
        super().__init__(scope, construct_id)
        self.alarm_names = table.incident_names(settings)
        watched = table.alarms_by_severity(settings)
        more_severe: list[str] = []
        previous: cloudwatch.CfnCompositeAlarm | None = None
        for severity, name in self.alarm_names.items():
            alarm = cloudwatch.CfnCompositeAlarm(
                self,
                severity.title(),
                alarm_name=name,
                alarm_description=_describe(settings, severity, len(watched[severity])),
                alarm_rule=render_rule(watched[severity], more_severe),
                alarm_actions=[topic_arns[severity]],
                ok_actions=[topic_arns[severity]],
            )
            if previous is None:
                alarm.node.add_dependency(*after)
            else:
                alarm.add_resource_dependency(previous)
            more_severe.append(name)
            previous = alarm


def render_rule(watched: Sequence[str], more_severe: Sequence[str]) -> str:
    """The rule of a composite alarm: any of its own alarms, and none of the more severe incidents.

    Raises:
        ValueError: It is longer than CloudWatch takes.
    """
    own = " OR ".join(f'ALARM("{name}")' for name in watched)
    rule = "".join([f"({own})", *(f' AND NOT ALARM("{name}")' for name in more_severe)])
    if len(rule) > MAX_RULE_LENGTH:
        raise ValueError(
            f"expected an alarm rule of at most {MAX_RULE_LENGTH} characters, got {len(rule)}: "
            "switch alerts off, or shorten the endpoint's name"
        )
    return rule


def _describe(settings: EnvironmentSettings, severity: Severity, count: int) -> str:
    alarms = "the one alarm" if count == 1 else f"at least one of the {count} alarms"
    return (
        f"Incident of {settings.endpoint.name} ({severity}): {alarms} of this severity is in alarm "
        "and no more severe incident is; which one is in the message, and its description says "
        f"what to do. Action: notifies the topic of severity {severity}"
    )
