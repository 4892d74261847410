"""AWS Budgets."""

from collections.abc import Mapping
from typing import Any

from forecast_local.cloudformation.handler import Handler, Request, ResourceError

_NAME_LIMIT = 100


class Budget(Handler):
    """AWS::Budgets::Budget; nothing is spent here, so that it never notifies."""

    type_name = "AWS::Budgets::Budget"
    applies = frozenset({"Budget", "NotificationsWithSubscribers", "ResourceTags"})
    required = frozenset({"Budget"})
    create_only = frozenset({"NotificationsWithSubscribers"})
    gone = frozenset({"NotFoundException"})

    def create(self, request: Request) -> str:
        """Create the budget."""
        given = request.properties["Budget"]
        name = str(given.get("BudgetName", request.name(_NAME_LIMIT)))
        self._put(request, name)
        return name

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Replace the budget under its name."""
        if request.properties["Budget"].get("BudgetName") != old["Budget"].get("BudgetName"):
            raise ResourceError("the local AWS cannot rename a budget: give it another logical id")
        self.delete(request, physical_id)
        self._put(request, physical_id)

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the budget."""
        request.client("budgets").delete_budget(
            AccountId=request.stack.account, BudgetName=physical_id
        )

    @staticmethod
    def _put(request: Request, name: str) -> None:
        budget = dict(request.properties["Budget"])
        limit = budget.get("BudgetLimit")
        if limit is not None:
            # The template has a number, the API a text.
            budget["BudgetLimit"] = {**limit, "Amount": str(limit["Amount"])}
        request.client("budgets").create_budget(
            AccountId=request.stack.account,
            Budget={**budget, "BudgetName": name},
            NotificationsWithSubscribers=request.properties.get("NotificationsWithSubscribers", []),
        )
