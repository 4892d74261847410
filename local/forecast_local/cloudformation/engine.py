"""The deployment engine: brings the resources of one stack from one template to another.

It follows CloudFormation: dependencies first; a changed create-only property creates the new
resource before the old one goes; whatever refers to a replaced resource is updated, or replaced in
its turn; what is no longer needed is deleted last; a failure undoes everything in reverse.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from forecast_local.cloudformation.calls import (
    DeploymentError,
    Report,
    guarded,
    refuse_same_name,
)
from forecast_local.cloudformation.dynamic import resolve_references
from forecast_local.cloudformation.handler import Request, ResourceError, StackIdentity
from forecast_local.cloudformation.intrinsics import Scope
from forecast_local.cloudformation.plan import (
    Action,
    Resource,
    check_template,
    decide,
    effective_properties,
    unknown_types,
)
from forecast_local.cloudformation.target import Output, Target
from forecast_local.cloudformation.template import TemplateError

_REPLACING = (
    "Requested update requires the creation of a new physical resource; hence creating one."
)


class Deployment:
    """One pass from the resources that a stack has to those that a template describes.

    Args:
        identity: The stack.
        target: What it shall become.
        resources: What it owns, in creation order.
        report: Receives the events.
    """

    def __init__(
        self,
        identity: StackIdentity,
        target: Target,
        resources: Mapping[str, Resource],
        report: Report,
    ) -> None:
        self._identity = identity
        self._target = target
        self._previous = dict(resources)
        self._report = report
        self._undo: list[Callable[[], None]] = []
        self._obsolete: list[Resource] = []
        self.resources: dict[str, Resource] = dict(resources)
        self.scope = Scope(
            template=target.template,
            names=target.names,
            lookup=self._lookup,
            exports=target.exports,
        )

    def apply(self) -> None:
        """Create, update and replace resources, and compute nothing else.

        Raises:
            DeploymentError: At the first resource that fails. Call roll_back then.
        """
        order = check_template(self._target.template, self.scope, self._target.names)
        self._refuse_unknown_types()
        for logical_id in order:
            self._apply(logical_id)
        removed = [key for key in self.resources if key not in order]
        self._obsolete.extend(self.resources[key] for key in removed)
        self.resources = {logical_id: self.resources[logical_id] for logical_id in order}

    def outputs(self) -> list[Output]:
        """Evaluate the outputs of the template.

        Raises:
            TemplateError: If an output does not evaluate to a string.
        """
        found = []
        for key, definition in self._target.template.section("Outputs").items():
            if not self.scope.exists(definition):
                continue
            value = self.scope.resolve(definition["Value"])
            if isinstance(value, (dict, list)):
                raise TemplateError(f"Template format error: output {key} must be a string")
            export = definition.get("Export", {}).get("Name")
            name = None if export is None else str(self.scope.resolve(export))
            found.append(Output(key, str(value), definition.get("Description"), name))
        return found

    def clean_up(self) -> None:
        """Delete what the new template no longer needs, newest first.

        A resource that cannot be deleted stays behind with an event, as on AWS.
        """
        kept = {id(resource) for resource in self.resources.values()}
        order = list(self._previous)
        obsolete = sorted(
            (item for item in self._obsolete if id(item) not in kept),
            key=lambda item: order.index(item.logical_resource_id),
            reverse=True,
        )
        for resource in obsolete:
            replaced = resource.logical_resource_id in self.resources
            policy = "UpdateReplacePolicy" if replaced else "DeletionPolicy"
            self.delete(resource, policy)

    def roll_back(self) -> bool:
        """Undo what apply did, last step first.

        Returns:
            Whether everything could be undone.
        """
        complete = True
        for step in reversed(self._undo):
            try:
                step()
            except ResourceError:
                complete = False
        self.resources = dict(self._previous)
        return complete

    def delete(self, resource: Resource, policy: str = "DeletionPolicy") -> bool:
        """Delete one resource unless a policy keeps it.

        Args:
            resource: The resource.
            policy: The attribute of its definition that decides.

        Returns:
            Whether the resource is gone or kept on purpose.
        """
        if resource.is_retained(policy):
            self._report(resource, "DELETE_SKIPPED")
            return True
        self._report(resource, "DELETE_IN_PROGRESS")
        try:
            request = self._request(resource.logical_resource_id, resource.properties)
            guarded(resource.handler.delete, request, resource.physical_resource_id)
        except ResourceError as error:
            cause = error.__cause__
            code = cause.response["Error"]["Code"] if isinstance(cause, ClientError) else ""
            if code not in resource.handler.gone:
                self._report(resource, "DELETE_FAILED", str(error))
                return False
        self._report(resource, "DELETE_COMPLETE")
        return True

    def _refuse_unknown_types(self) -> None:
        unknown = unknown_types(self._target.template, self.scope)
        for logical_id, type_name in unknown.items():
            resource = Resource(logical_id, "", type_name, {}, {})
            self._report(
                resource,
                "CREATE_FAILED",
                f"the local AWS does not know the resource type {type_name} of {logical_id}: it "
                "would be skipped, so the deployment fails instead",
            )
        if unknown:
            raise DeploymentError(
                f"The following resource(s) failed to create: [{', '.join(unknown)}]."
            )

    def _apply(self, logical_id: str) -> None:
        definition = self._target.template.resources[logical_id]
        old = self.resources.get(logical_id)
        verb = "create" if old is None else "update"
        try:
            properties = effective_properties(definition, self.scope, self._target.tags)
            new = Resource(
                logical_resource_id=logical_id,
                physical_resource_id="" if old is None else old.physical_resource_id,
                cf_resource_type=definition["Type"],
                properties=properties,
                definition=definition,
            )
            self.resources[logical_id] = self._reach(old, new)
        except (ResourceError, TemplateError) as error:
            failed = Resource(
                logical_resource_id=logical_id,
                physical_resource_id="" if old is None else old.physical_resource_id,
                cf_resource_type=definition["Type"],
                properties={},
                definition=definition,
            )
            self._report(failed, f"{verb.upper()}_FAILED", str(error))
            raise DeploymentError(
                f"The following resource(s) failed to {verb}: [{logical_id}]."
            ) from error

    def _reach(self, old: Resource | None, new: Resource) -> Resource:
        new.handler.check(self._request(new.logical_resource_id, new.properties))
        decision = decide(old, new.cf_resource_type, new.properties)
        if old is None:
            self._report(new, "CREATE_IN_PROGRESS")
            return self._create(new, "CREATE_COMPLETE")
        if decision.action is Action.KEEP:
            return replace(old, definition=new.definition)
        if decision.action is Action.UPDATE:
            return self._update(old, new)
        self._report(old, "UPDATE_IN_PROGRESS", _REPLACING)
        refuse_same_name(old, new)
        created = self._create(replace(new, physical_resource_id=""), "UPDATE_COMPLETE")
        self._obsolete.append(old)
        return created

    def _create(self, new: Resource, status: str) -> Resource:
        request = self._request(new.logical_resource_id, new.properties)
        try:
            physical_id = guarded(new.handler.create, request)
        except ResourceError:
            for leftover in request.created:
                with contextlib.suppress(ResourceError):
                    guarded(new.handler.delete, request, leftover)
            raise
        created = replace(new, physical_resource_id=physical_id, status=status)
        # Registered before the attributes are read: whatever exists must be undone.
        self._undo.append(lambda: self._remove(created))
        attributes = guarded(new.handler.read, request, physical_id)
        created = replace(created, attributes=attributes)
        self._report(created, status)
        return created

    def _update(self, old: Resource, new: Resource) -> Resource:
        self._report(old, "UPDATE_IN_PROGRESS")
        request = self._request(new.logical_resource_id, new.properties)
        physical_id = old.physical_resource_id
        # Registered before the update: one that fails half way must be undone as well.
        self._undo.append(lambda: self._revert(old, new))
        guarded(new.handler.update, request, physical_id, old.properties)
        attributes = guarded(new.handler.read, request, physical_id)
        updated = replace(new, attributes=attributes, status="UPDATE_COMPLETE")
        self._report(updated, "UPDATE_COMPLETE")
        return updated

    def _remove(self, created: Resource) -> None:
        # Only a plain Retain survives the rollback of the creation; RetainExceptOnCreate does not.
        plain = created.definition.get("DeletionPolicy") == "Retain"
        if not self.delete(created if plain else replace(created, definition={})):
            raise ResourceError(f"{created.logical_resource_id} could not be deleted")

    def _revert(self, old: Resource, new: Resource) -> None:
        self._report(old, "UPDATE_IN_PROGRESS")
        request = self._request(old.logical_resource_id, old.properties)
        try:
            guarded(old.handler.update, request, old.physical_resource_id, new.properties)
        except ResourceError as error:
            self._report(old, "UPDATE_FAILED", str(error))
            raise
        self._report(old, "UPDATE_COMPLETE")

    def _request(self, logical_id: str, properties: Mapping[str, Any]) -> Request:
        resolved = resolve_references(properties, self._identity)
        return Request(stack=self._identity, logical_id=logical_id, properties=resolved)

    def _lookup(self, logical_id: str, attribute: str | None) -> Any:
        resource = self.resources.get(logical_id)
        if resource is None:
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies [{logical_id}]"
            )
        if attribute is None:
            return resource.physical_resource_id
        if attribute not in resource.attributes:
            raise TemplateError(
                f"Template error: resource {logical_id} does not support attribute type "
                f"{attribute} in Fn::GetAtt"
            )
        return resource.attributes[attribute]
