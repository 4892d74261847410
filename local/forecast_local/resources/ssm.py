"""Parameters of the Systems Manager parameter store."""

from collections.abc import Mapping
from typing import Any

from forecast_local.cloudformation.handler import Handler, Request, tag_list

_NAME_LIMIT = 1000


class Parameter(Handler):
    """AWS::SSM::Parameter."""

    type_name = "AWS::SSM::Parameter"
    applies = frozenset({"AllowedPattern", "Description", "Name", "Tags", "Tier", "Type", "Value"})
    required = frozenset({"Type", "Value"})
    create_only = frozenset({"Name"})
    name_property = "Name"
    gone = frozenset({"ParameterNotFound"})

    def create(self, request: Request) -> str:
        """Create the parameter; its tags are an object in CloudFormation."""
        name = request.name(_NAME_LIMIT, property_name="Name")
        self._put(request, name, overwrite=False)
        self._apply_tags(request, request.made(name), {})
        return name

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Overwrite the parameter and change its tags."""
        self._put(request, physical_id, overwrite=True)
        self._apply_tags(request, physical_id, old)

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the parameter."""
        request.client("ssm").delete_parameter(Name=physical_id)

    @staticmethod
    def _put(request: Request, name: str, *, overwrite: bool) -> None:
        given = request.api_arguments("ssm", "PutParameter", skip=("Name", "Tags"))
        request.client("ssm").put_parameter(Name=name, Overwrite=overwrite, **given)

    @staticmethod
    def _apply_tags(request: Request, name: str, old: Mapping[str, Any]) -> None:
        ssm, kind = request.client("ssm"), "Parameter"
        before, after = old.get("Tags", {}), request.properties.get("Tags", {})
        removed = sorted(set(before) - set(after))
        if removed:
            ssm.remove_tags_from_resource(ResourceType=kind, ResourceId=name, TagKeys=removed)
        if after:
            ssm.add_tags_to_resource(ResourceType=kind, ResourceId=name, Tags=tag_list(after))
