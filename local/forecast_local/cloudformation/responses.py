"""The actions of CloudFormation's API that moto lacks or answers differently from AWS."""

import contextlib
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult, EmptyResult

from forecast_local.cloudformation.changesets import ChangeSetNotFoundError, find_change_set
from forecast_local.cloudformation.handler import tag_map
from forecast_local.cloudformation.models import LocalCloudFormationBackend
from forecast_local.cloudformation.plan import Resource
from forecast_local.cloudformation.stack import LocalStack


class LocalCloudFormationResponse(CloudFormationResponse):
    """moto's answers, with change sets found by stack and name, and real resource states."""

    @property
    def _local(self) -> LocalCloudFormationBackend:
        backend = self.cloudformation_backend
        assert isinstance(backend, LocalCloudFormationBackend)  # noqa: S101 - see extensions.py
        return backend

    def create_change_set(self) -> ActionResult:
        """CreateChangeSet."""
        request = self._get_params()
        template = request.get("TemplateBody")
        if request.get("TemplateURL"):
            template = self._get_stack_from_s3_url(request["TemplateURL"])
        if template is None and not request.get("UsePreviousTemplate"):
            raise ValidationError(message="Either Template URL or Template Body must be specified.")
        tags = tag_map(request["Tags"]) if request.get("Tags") else None
        change_set = self._local.prepare_change_set(request, template, tags)
        return ActionResult({"Id": change_set.change_set_id, "StackId": change_set.stack_id})

    def describe_change_set(self) -> ActionResult:
        """DescribeChangeSet."""
        return ActionResult(self._change_set())

    def delete_change_set(self) -> ActionResult:
        """DeleteChangeSet; one that does not exist is no error."""
        name, stack = self._get_param("ChangeSetName"), self._get_param("StackName")
        with contextlib.suppress(ChangeSetNotFoundError):
            found = find_change_set(self._local.change_sets, name, stack)
            del self._local.change_sets[found.change_set_id]
        return EmptyResult()

    def list_change_sets(self) -> ActionResult:
        """ListChangeSets."""
        name = self._get_param("StackName")
        found = [
            change_set
            for change_set in self._local.change_sets.values()
            if name in {change_set.stack_name, change_set.stack_id}
        ]
        return ActionResult({"Summaries": found})

    def _change_set(self) -> Any:
        return find_change_set(
            self._local.change_sets,
            self._get_param("ChangeSetName"),
            self._get_param("StackName"),
        )

    def update_termination_protection(self) -> ActionResult:
        """UpdateTerminationProtection."""
        stack = self._local.local_stack(self._get_param("StackName"))
        stack.enable_termination_protection = bool(self._get_param("EnableTerminationProtection"))
        return ActionResult({"StackId": stack.stack_id})

    def describe_stack_resource(self) -> ActionResult:
        """DescribeStackResource."""
        stack, wanted = self._stack(), self._get_param("LogicalResourceId")
        if wanted not in stack.resources:
            raise ValidationError(
                message=f"Resource {wanted} does not exist for stack {stack.name}"
            )
        return ActionResult({"StackResourceDetail": _described(stack, stack.resources[wanted])})

    def describe_stack_resources(self) -> ActionResult:
        """DescribeStackResources."""
        stack, wanted = self._stack(), self._get_param("LogicalResourceId")
        found = [
            _described(stack, resource)
            for key, resource in stack.resources.items()
            if wanted in {None, key}
        ]
        return ActionResult({"StackResources": found})

    def list_stack_resources(self) -> ActionResult:
        """ListStackResources."""
        stack = self._stack()
        found = [_described(stack, resource) for resource in stack.resources.values()]
        return ActionResult({"StackResourceSummaries": found})

    def _stack(self) -> LocalStack:
        stack = self._local.get_stack(self._get_param("StackName"))
        assert isinstance(stack, LocalStack)  # noqa: S101 - only these are stored
        return stack


def _described(stack: LocalStack, resource: Resource) -> dict[str, Any]:
    changed = stack.last_updated_time or stack.creation_time
    return {
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "LogicalResourceId": resource.logical_resource_id,
        "PhysicalResourceId": resource.physical_resource_id,
        "ResourceType": resource.cf_resource_type,
        "ResourceStatus": resource.status,
        "Timestamp": changed,
        "LastUpdatedTimestamp": changed,
    }
