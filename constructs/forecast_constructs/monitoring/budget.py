"""The budget of an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_budgets as budgets
from constructs import Construct

from forecast_config.settings import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from aws_cdk import Stack

    from forecast_config.settings import Budget, Severity

COST_TAG = "environment"
"""Tag on everything that an environment owns, by which its costs are told from others'."""


def budgets_of_account(stack: Stack) -> dict[str, Any]:
    """Conditions of a policy that lets AWS Budgets act for the budgets of the account only.

    As in the AWS Cost Management user guide, "Creating an Amazon SNS topic for budget
    notifications".
    """
    return {
        "StringEquals": {"aws:SourceAccount": stack.account},
        "ArnLike": {"aws:SourceArn": f"arn:{stack.partition}:budgets::{stack.account}:*"},
    }


class EnvironmentBudget(Construct):
    """A monthly budget over what carries the environment's tag, with a message at each threshold.

    AWS Budgets sees a tag only after it was activated as a cost allocation tag in the billing
    console of the payer, and looks at the costs up to three times a day (AWS Cost Management user
    guide, "Managing your costs with AWS Budgets"). It has no name of its own: another notification
    means another budget, which two of one name could not be.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        settings: Budget,
        topic_arns: Mapping[Severity, str],
    ) -> None:
        super().__init__(scope, construct_id)
        budgets.CfnBudget(
            self,
            "Resource",
            budget={
                "budgetType": "COST",
                "timeUnit": "MONTHLY",
                "budgetLimit": {"amount": settings.monthly_usd, "unit": "USD"},
                "costFilters": {"TagKeyValue": [f"user:{COST_TAG}${environment}"]},
            },
            notifications_with_subscribers=[
                {
                    "notification": {
                        "notificationType": "ACTUAL",
                        "comparisonOperator": "GREATER_THAN",
                        "threshold": percent,
                        "thresholdType": "PERCENTAGE",
                    },
                    "subscribers": [{"subscriptionType": "SNS", "address": topic_arns[severity]}],
                }
                for percent, severity in _severity_by_percent(settings).items()
            ],
        )


def _severity_by_percent(settings: Budget) -> dict[float, Severity]:
    # A budget takes no two notifications of one threshold: the gravest severity gets it.
    found: dict[float, Severity] = {}
    for severity in SEVERITIES:
        if severity in settings.thresholds_percent:
            found.setdefault(settings.thresholds_percent[severity], severity)
    return found
