"""The budget counts what carries the environment's tag, and tells each severity once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import App, Stack

from forecast_config.settings import Budget
from forecast_constructs.monitoring.budget import EnvironmentBudget

if TYPE_CHECKING:
    from collections.abc import Callable

TOPICS = "arn:aws:sns:eu-central-1:111111111111"


def _notifications(budget: dict[str, Any]) -> list[tuple[float, Any]]:
    return [
        (each["Notification"]["Threshold"], each["Subscribers"])
        for each in budget["NotificationsWithSubscribers"]
    ]


def test_a_budget_is_monthly_and_the_environments_own(watched: Callable[[str], Any]) -> None:
    (properties,) = watched("notified").of("Budgets::Budget").values()

    assert properties["Budget"] == {
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": 400, "Unit": "USD"},
        "CostFilters": {"TagKeyValue": ["user:environment$prod"]},
    }


def test_each_severity_hears_of_its_share(watched: Callable[[str], Any]) -> None:
    built = watched("notified")
    (properties,) = built.of("Budgets::Budget").values()
    topics = {topic["TopicName"]: {"Ref": name} for name, topic in built.of("SNS::Topic").items()}

    assert _notifications(properties) == [
        (100, [{"SubscriptionType": "SNS", "Address": topics["forecast-alerts-high"]}]),
        (80, [{"SubscriptionType": "SNS", "Address": topics["forecast-alerts-medium"]}]),
    ]
    for each in properties["NotificationsWithSubscribers"]:
        assert each["Notification"]["NotificationType"] == "ACTUAL"
        assert each["Notification"]["ThresholdType"] == "PERCENTAGE"


def test_without_a_budget_there_is_none(watched: Callable[[str], Any]) -> None:
    built = watched("realtime")

    assert not built.of("Budgets::Budget")
    assert built.monitoring.budget is None


def test_of_two_severities_with_one_share_the_graver_hears_of_it(
    new_app: Callable[..., App], rendered: Callable[[Stack], dict[str, Any]]
) -> None:
    stack = Stack(new_app(), "Stack")
    EnvironmentBudget(
        stack,
        "Budget",
        environment="prod",
        settings=Budget(monthly_usd=10, thresholds_percent={"medium": 100, "critical": 100}),
        topic_arns={"critical": f"{TOPICS}:critical", "medium": f"{TOPICS}:medium"},
    )
    (budget,) = rendered(stack).values()

    ((percent, (subscriber,)),) = _notifications(budget["Properties"])
    assert percent == 100
    assert subscriber["Address"].endswith(":critical")
