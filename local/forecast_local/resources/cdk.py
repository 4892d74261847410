"""The resource type that the CDK adds for its own statistics."""

from collections.abc import Mapping
from typing import Any

from forecast_local.cloudformation.handler import Handler, Request


class CdkMetadata(Handler):
    """AWS::CDK::Metadata: CloudFormation itself does nothing for it."""

    type_name = "AWS::CDK::Metadata"
    applies = frozenset({"Analytics", "Modules"})

    def create(self, request: Request) -> str:
        """Return a name; there is nothing to create."""
        return request.name(63)

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Do nothing; there is nothing to update."""

    def delete(self, request: Request, physical_id: str) -> None:
        """Do nothing; there is nothing to delete."""
