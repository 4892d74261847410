"""Application Auto Scaling targets and policies."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from forecast_local import shapes
from forecast_local.cloudformation.handler import (
    Handler,
    Request,
    ResourceError,
    tag_changes,
    tag_map,
)

_SERVICE = "application-autoscaling"
_GONE = frozenset({"ObjectNotFoundException"})
_KEY_PARTS = 3


def _key(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ServiceNamespace": properties["ServiceNamespace"],
        "ResourceId": properties["ResourceId"],
        "ScalableDimension": properties["ScalableDimension"],
    }


class ScalableTarget(Handler):
    """AWS::ApplicationAutoScaling::ScalableTarget."""

    type_name = "AWS::ApplicationAutoScaling::ScalableTarget"
    applies = frozenset(
        {
            "MaxCapacity",
            "MinCapacity",
            "ResourceId",
            "RoleARN",
            "ScalableDimension",
            "ScheduledActions",
            "ServiceNamespace",
            "SuspendedState",
            "Tags",
        }
    )
    required = frozenset(
        {"MaxCapacity", "MinCapacity", "ResourceId", "ScalableDimension", "ServiceNamespace"}
    )
    create_only = frozenset({"ResourceId", "ScalableDimension", "ServiceNamespace"})
    attributes = frozenset({"Id"})
    tagged = True
    gone = _GONE

    def create(self, request: Request) -> str:
        """Register the target and its scheduled actions."""
        key = _key(request.properties)
        client = request.client(_SERVICE)
        if client.describe_scalable_targets(
            ServiceNamespace=key["ServiceNamespace"],
            ResourceIds=[key["ResourceId"]],
            ScalableDimension=key["ScalableDimension"],
        )["ScalableTargets"]:
            raise ResourceError(f"{_identifier(key)} already exists")
        self._register(request, skip=())
        request.made(_identifier(key))
        self._schedule(request, {})
        return _identifier(key)

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:  # noqa: ARG002 - the properties hold the key
        """Change capacities, suspension, scheduled actions and tags."""
        arn = self._register(request, skip=("Tags",))
        self._schedule(request, old)
        client = request.client(_SERVICE)
        tags, removed = tag_changes(old, request.properties)
        if removed:
            client.untag_resource(ResourceARN=arn, TagKeys=removed)
        if tags:
            client.tag_resource(ResourceARN=arn, Tags=tag_map(tags))

    def delete(self, request: Request, physical_id: str) -> None:  # noqa: ARG002 - the properties hold the key
        """Deregister the target; its policies and scheduled actions go with it, as on AWS."""
        request.client(_SERVICE).deregister_scalable_target(**_key(request.properties))

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:  # noqa: ARG002 - the id says it all
        """Return the target's id."""
        return {"Id": physical_id}

    @staticmethod
    def _register(request: Request, skip: tuple[str, ...]) -> str:
        properties = {**request.properties, "Tags": tag_map(request.properties.get("Tags"))}
        given = replace(request, properties=properties).api_arguments(
            _SERVICE, "RegisterScalableTarget", skip=("ScheduledActions", *skip)
        )
        answer = request.client(_SERVICE).register_scalable_target(**given)
        return str(answer["ScalableTargetARN"])

    @staticmethod
    def _schedule(request: Request, old: Mapping[str, Any]) -> None:
        client, key = request.client(_SERVICE), _key(request.properties)
        wanted = request.properties.get("ScheduledActions", [])
        names = [action["ScheduledActionName"] for action in wanted]
        for action in old.get("ScheduledActions", []):
            if action["ScheduledActionName"] not in names:
                name = action["ScheduledActionName"]
                client.delete_scheduled_action(ScheduledActionName=name, **key)
        shape = shapes.input_shape(_SERVICE, "PutScheduledAction")
        for action in wanted:
            given = {name: shapes.conform(shape.members[name], action[name]) for name in action}
            client.put_scheduled_action(**key, **given)


def _identifier(key: Mapping[str, Any]) -> str:
    return f"{key['ResourceId']}|{key['ScalableDimension']}|{key['ServiceNamespace']}"


class ScalingPolicy(Handler):
    """AWS::ApplicationAutoScaling::ScalingPolicy."""

    type_name = "AWS::ApplicationAutoScaling::ScalingPolicy"
    applies = frozenset(
        {
            "PolicyName",
            "PolicyType",
            "ResourceId",
            "ScalableDimension",
            "ScalingTargetId",
            "ServiceNamespace",
            "StepScalingPolicyConfiguration",
            "TargetTrackingScalingPolicyConfiguration",
        }
    )
    required = frozenset({"PolicyName", "PolicyType"})
    create_only = frozenset(
        {"PolicyName", "ResourceId", "ScalableDimension", "ScalingTargetId", "ServiceNamespace"}
    )
    attributes = frozenset({"Arn"})
    name_property = "PolicyName"
    gone = _GONE

    def create(self, request: Request) -> str:
        """Put the policy on its target."""
        return self._put(request)

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:  # noqa: ARG002 - a put replaces everything
        """Put the policy anew."""
        self._put(request)

    def delete(self, request: Request, physical_id: str) -> None:  # noqa: ARG002 - the properties hold the key
        """Delete the policy."""
        request.client(_SERVICE).delete_scaling_policy(
            PolicyName=request.properties["PolicyName"], **self._target(request)
        )

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:  # noqa: ARG002 - the id says it all
        """Return the policy's ARN."""
        return {"Arn": physical_id}

    def _put(self, request: Request) -> str:
        given = request.api_arguments(
            _SERVICE,
            "PutScalingPolicy",
            skip=("ResourceId", "ScalableDimension", "ScalingTargetId", "ServiceNamespace"),
        )
        answer = request.client(_SERVICE).put_scaling_policy(**given, **self._target(request))
        return str(answer["PolicyARN"])

    @staticmethod
    def _target(request: Request) -> dict[str, Any]:
        properties = request.properties
        if "ScalingTargetId" not in properties:
            try:
                return _key(properties)
            except KeyError as error:
                raise ResourceError(
                    f"{error} is required when there is no ScalingTargetId"
                ) from error
        parts = str(properties["ScalingTargetId"]).split("|")
        if len(parts) != _KEY_PARTS:
            raise ResourceError(
                f"ScalingTargetId: expected the Ref of a ScalableTarget, got {'|'.join(parts)}"
            )
        return dict(
            zip(("ResourceId", "ScalableDimension", "ServiceNamespace"), parts, strict=True)
        )
