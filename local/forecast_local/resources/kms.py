"""KMS keys and aliases."""

import json
from collections.abc import Mapping
from typing import Any

from forecast_local.cloudformation.handler import (
    Handler,
    Request,
    ResourceError,
    tag_changes,
    tag_map,
)

_GONE = frozenset({"NotFoundException", "KMSInvalidStateException"})


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"


class Key(Handler):
    """AWS::KMS::Key."""

    type_name = "AWS::KMS::Key"
    applies = frozenset(
        {
            "Description",
            "EnableKeyRotation",
            "Enabled",
            "KeyPolicy",
            "KeySpec",
            "KeyUsage",
            "PendingWindowInDays",
            "RotationPeriodInDays",
            "Tags",
        }
    )
    attributes = frozenset({"Arn", "KeyId"})
    tagged = True
    gone = _GONE

    def create(self, request: Request) -> str:
        """Create the key, then set rotation and state."""
        kms, properties = request.client("kms"), request.properties
        given = {
            key: properties[key]
            for key in ("Description", "KeySpec", "KeyUsage")
            if key in properties
        }
        if "KeyPolicy" in properties:
            given["Policy"] = json.dumps(properties["KeyPolicy"])
        tags = tag_map(properties.get("Tags"))
        if tags:
            given["Tags"] = [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
        key_id = str(kms.create_key(**given)["KeyMetadata"]["KeyId"])
        self._apply_state(kms, request.made(key_id), properties)
        return key_id

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Change description, policy, rotation, state and tags."""
        kms, new = request.client("kms"), request.properties
        for fixed in ("KeySpec", "KeyUsage"):
            if new.get(fixed) != old.get(fixed):
                raise ResourceError(f"{fixed} of an existing KMS key cannot be changed")
        kms.update_key_description(KeyId=physical_id, Description=new.get("Description", ""))
        if "KeyPolicy" in new:
            policy = json.dumps(new["KeyPolicy"])
            kms.put_key_policy(KeyId=physical_id, PolicyName="default", Policy=policy)
        self._apply_state(kms, physical_id, new)
        tags, removed = tag_changes(old, new)
        if removed:
            kms.untag_resource(KeyId=physical_id, TagKeys=removed)
        if tags:
            pairs = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags]
            kms.tag_resource(KeyId=physical_id, Tags=pairs)

    @staticmethod
    def _apply_state(kms: Any, key_id: str, properties: Mapping[str, Any]) -> None:
        if _is_true(properties.get("EnableKeyRotation", False)):
            period = properties.get("RotationPeriodInDays")
            options = {} if period is None else {"RotationPeriodInDays": int(period)}
            kms.enable_key_rotation(KeyId=key_id, **options)
        else:
            kms.disable_key_rotation(KeyId=key_id)
        if _is_true(properties.get("Enabled", True)):
            kms.enable_key(KeyId=key_id)
        else:
            kms.disable_key(KeyId=key_id)

    def delete(self, request: Request, physical_id: str) -> None:
        """Schedule the deletion of the key."""
        window = int(request.properties.get("PendingWindowInDays", 30))
        kms = request.client("kms")
        kms.schedule_key_deletion(KeyId=physical_id, PendingWindowInDays=window)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:
        """Return ARN and id of the key."""
        key = request.client("kms").describe_key(KeyId=physical_id)["KeyMetadata"]
        return {"Arn": key["Arn"], "KeyId": key["KeyId"]}


class Alias(Handler):
    """AWS::KMS::Alias."""

    type_name = "AWS::KMS::Alias"
    applies = frozenset({"AliasName", "TargetKeyId"})
    required = applies
    create_only = frozenset({"AliasName"})
    name_property = "AliasName"
    gone = _GONE

    def create(self, request: Request) -> str:
        """Create the alias."""
        name = str(request.properties["AliasName"])
        kms = request.client("kms")
        kms.create_alias(AliasName=name, TargetKeyId=self._key_id(request))
        return name

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:  # noqa: ARG002 - only the key can change
        """Point the alias to another key."""
        kms = request.client("kms")
        kms.update_alias(AliasName=physical_id, TargetKeyId=self._key_id(request))

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the alias."""
        request.client("kms").delete_alias(AliasName=physical_id)

    @staticmethod
    def _key_id(request: Request) -> str:
        """Moto lists an alias under a key's id only, never under its ARN."""
        return str(request.properties["TargetKeyId"]).rpartition("/")[2]
