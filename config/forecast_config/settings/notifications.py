"""Whom an alarm reaches: the targets of each severity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from forecast_config.settings.autoscaling import EntryName
from forecast_config.settings.base import Settings
from forecast_config.settings.fields import Matching
from forecast_config.settings.ruling import rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_config.settings.ruling import Broken

    Targets = Mapping[str, Mapping[str, Any]]

Severity = Literal["critical", "high", "medium"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium")


class EmailTarget(Settings):
    """A mailbox; it must confirm its subscription once."""

    kind: Literal["email"]
    """E-mail."""

    address: Annotated[
        str, Matching(r"^[^@\s]+@[^@\s]+\.[^@\s]+$", "an e-mail address such as team@example.com")
    ]
    """The address."""


class SlackTarget(Settings):
    """A Slack channel, by way of Amazon Q Developer in chat applications (AWS Chatbot)."""

    kind: Literal["slack"]
    """Slack; the workspace is authorized once in the console."""

    workspace_id: Annotated[str, Matching(r"^[0-9A-Z]{1,255}$", "an id such as T012ABCDEFG")]
    """Id of the workspace."""

    channel_id: Annotated[str, Matching(r"^[A-Za-z0-9]+$", "an id such as C012ABCDEFG")]
    """Id of the channel."""


class TeamsTarget(Settings):
    """A channel of Microsoft Teams, by way of Amazon Q Developer in chat applications."""

    kind: Literal["teams"]
    """Microsoft Teams; the team is authorized once in the console."""

    tenant_id: Annotated[
        str, Matching(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "a UUID")
    ]
    """Id of the tenant."""

    team_id: Annotated[
        str, Matching(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", "a UUID")
    ]
    """Id of the team."""

    channel_id: Annotated[str, Field(min_length=1, max_length=255)]
    """Id of the channel, URL-encoded as in its link."""


class PagerDutyTarget(Settings):
    """A PagerDuty service; its integration URL is a secret."""

    kind: Literal["pagerduty"]
    """PagerDuty's integration for Amazon CloudWatch."""

    secret_name: Annotated[
        str, Matching(r"^[A-Za-z0-9/_+=.@-]{1,512}$", "the name of a secret such as oncall/url")
    ]
    """Secret of AWS Secrets Manager that holds the integration URL as its text."""


class WebhookTarget(Settings):
    """Any HTTPS address that confirms a subscription of Amazon SNS."""

    kind: Literal["webhook"]
    """HTTPS."""

    url: Annotated[str, Matching(r"^https://\S+$", "an address that starts with https://")]
    """The address; what is secret in one belongs to kind pagerduty's secret_name."""


NotificationTarget = Annotated[
    EmailTarget | SlackTarget | TeamsTarget | PagerDutyTarget | WebhookTarget,
    Field(discriminator="kind"),
]


@rule("critical", "high", "medium")
def _targets_differ(critical: Targets, high: Targets, medium: Targets) -> Iterator[Broken]:
    # A subscription of Amazon SNS is one by its topic and its target, whatever made it.
    for severity, targets in (("critical", critical), ("high", high), ("medium", medium)):
        first: dict[tuple[str, ...], str] = {}
        for name, target in targets.items():
            where = tuple(f"{key}={value}".lower() for key, value in sorted(target.items()))
            other = first.setdefault(where, name) if target else name
            if other != name:
                yield (severity, name), f"expected a target of its own, got that of '{other}'"


class NotificationSettings(Settings):
    """Targets by severity, each by a name of its own."""

    critical: dict[EntryName, NotificationTarget] = Field(default_factory=dict)
    """Whom to wake."""

    high: dict[EntryName, NotificationTarget] = Field(default_factory=dict)
    """Whom to notify at once."""

    medium: dict[EntryName, NotificationTarget] = Field(default_factory=dict)
    """Whom to tell in working hours."""

    rules = (_targets_differ,)
