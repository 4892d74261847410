"""IAM roles and policies."""

import json
from collections.abc import Mapping
from typing import Any

from forecast_local.cloudformation.handler import (
    Handler,
    Request,
    tag_changes,
)

_GONE = frozenset({"NoSuchEntity"})
_ROLE_NAME_LIMIT = 64
_POLICY_NAME_LIMIT = 128


def _document(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class Role(Handler):
    """AWS::IAM::Role."""

    type_name = "AWS::IAM::Role"
    applies = frozenset(
        {
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "Path",
            "PermissionsBoundary",
            "Policies",
            "RoleName",
            "Tags",
        }
    )
    required = frozenset({"AssumeRolePolicyDocument"})
    create_only = frozenset({"Path", "RoleName"})
    attributes = frozenset({"Arn", "RoleId"})
    name_property = "RoleName"
    tagged = True
    gone = _GONE

    def create(self, request: Request) -> str:
        """Create the role with its inline and attached policies."""
        iam = request.client("iam")
        name = request.name(_ROLE_NAME_LIMIT, property_name="RoleName")
        given = request.api_arguments(
            "iam",
            "CreateRole",
            skip=("AssumeRolePolicyDocument", "ManagedPolicyArns", "Policies", "RoleName"),
        )
        document = _document(request.properties["AssumeRolePolicyDocument"])
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, **given)
        request.made(name)
        self._apply_policies(iam, name, request.properties, {})
        return name

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Change everything but name and path."""
        iam, new = request.client("iam"), request.properties
        iam.update_assume_role_policy(
            RoleName=physical_id, PolicyDocument=_document(new["AssumeRolePolicyDocument"])
        )
        iam.update_role(
            RoleName=physical_id,
            Description=new.get("Description", ""),
            MaxSessionDuration=int(new.get("MaxSessionDuration", 3600)),
        )
        if "PermissionsBoundary" in new:
            iam.put_role_permissions_boundary(
                RoleName=physical_id, PermissionsBoundary=new["PermissionsBoundary"]
            )
        elif "PermissionsBoundary" in old:
            iam.delete_role_permissions_boundary(RoleName=physical_id)
        self._apply_policies(iam, physical_id, new, old)
        tags, removed = tag_changes(old, new)
        if removed:
            iam.untag_role(RoleName=physical_id, TagKeys=removed)
        if tags:
            iam.tag_role(RoleName=physical_id, Tags=tags)

    def _apply_policies(
        self, iam: Any, name: str, new: Mapping[str, Any], old: Mapping[str, Any]
    ) -> None:
        attached, before = new.get("ManagedPolicyArns", []), old.get("ManagedPolicyArns", [])
        for arn in before:
            if arn not in attached:
                iam.detach_role_policy(RoleName=name, PolicyArn=arn)
        for arn in attached:
            if arn not in before:
                iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        inline = {item["PolicyName"]: item["PolicyDocument"] for item in new.get("Policies", [])}
        for item in old.get("Policies", []):
            if item["PolicyName"] not in inline:
                iam.delete_role_policy(RoleName=name, PolicyName=item["PolicyName"])
        for policy, document in inline.items():
            iam.put_role_policy(
                RoleName=name, PolicyName=policy, PolicyDocument=_document(document)
            )

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the role after its own policies; foreign ones make it fail as on AWS."""
        iam, properties = request.client("iam"), request.properties
        attached = iam.list_attached_role_policies(RoleName=physical_id)["AttachedPolicies"]
        wanted = properties.get("ManagedPolicyArns", [])
        for arn in {item["PolicyArn"] for item in attached}.intersection(wanted):
            iam.detach_role_policy(RoleName=physical_id, PolicyArn=arn)
        own = {item["PolicyName"] for item in properties.get("Policies", [])}
        for name in own & {*iam.list_role_policies(RoleName=physical_id)["PolicyNames"]}:
            iam.delete_role_policy(RoleName=physical_id, PolicyName=name)
        iam.delete_role(RoleName=physical_id)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:
        """Return ARN and id of the role."""
        role = request.client("iam").get_role(RoleName=physical_id)["Role"]
        return {"Arn": role["Arn"], "RoleId": role["RoleId"]}


class Policy(Handler):
    """AWS::IAM::Policy: an inline policy of roles, groups and users."""

    type_name = "AWS::IAM::Policy"
    applies = frozenset({"Groups", "PolicyDocument", "PolicyName", "Roles", "Users"})
    required = frozenset({"PolicyDocument", "PolicyName"})
    gone = _GONE

    def create(self, request: Request) -> str:
        """Put the policy on each of its principals."""
        request.made(request.properties["PolicyName"])
        for kind, name in self._principals(request.properties):
            self._put(request, kind, name)
        return request.name(_POLICY_NAME_LIMIT)

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:  # noqa: ARG002 - the policy has no id of its own
        """Put the policy anew and take it from principals that no longer have it."""
        before, after = self._principals(old), self._principals(request.properties)
        renamed = old["PolicyName"] != request.properties["PolicyName"]
        for kind, name in after:
            self._put(request, kind, name)
        for kind, name in before:
            if renamed or (kind, name) not in after:
                self._remove(request, kind, name, old["PolicyName"])

    def delete(self, request: Request, physical_id: str) -> None:  # noqa: ARG002 - the policy has no id of its own
        """Take the policy from its principals."""
        for kind, name in self._principals(request.properties):
            self._remove(request, kind, name, request.properties["PolicyName"])

    @staticmethod
    def _principals(properties: Mapping[str, Any]) -> list[tuple[str, str]]:
        return [
            (kind, name)
            for kind in ("Role", "Group", "User")
            for name in properties.get(f"{kind}s", [])
        ]

    @staticmethod
    def _put(request: Request, kind: str, name: str) -> None:
        put = getattr(request.client("iam"), f"put_{kind.lower()}_policy")
        put(
            **{f"{kind}Name": name},
            PolicyName=request.properties["PolicyName"],
            PolicyDocument=_document(request.properties["PolicyDocument"]),
        )

    @staticmethod
    def _remove(request: Request, kind: str, name: str, policy: str) -> None:
        remove = getattr(request.client("iam"), f"delete_{kind.lower()}_policy")
        remove(**{f"{kind}Name": name}, PolicyName=policy)


class ManagedPolicy(Handler):
    """AWS::IAM::ManagedPolicy."""

    type_name = "AWS::IAM::ManagedPolicy"
    applies = frozenset({"Description", "ManagedPolicyName", "Path", "PolicyDocument", "Roles"})
    required = frozenset({"PolicyDocument"})
    create_only = frozenset({"Description", "ManagedPolicyName", "Path"})
    attributes = frozenset({"PolicyArn", "PolicyId"})
    name_property = "ManagedPolicyName"
    gone = _GONE

    def create(self, request: Request) -> str:
        """Create the policy and attach it to its roles."""
        iam, properties = request.client("iam"), request.properties
        given = {key: properties[key] for key in ("Description", "Path") if key in properties}
        arn = iam.create_policy(
            PolicyName=request.name(_POLICY_NAME_LIMIT, property_name="ManagedPolicyName"),
            PolicyDocument=_document(properties["PolicyDocument"]),
            **given,
        )["Policy"]["Arn"]
        request.made(arn)
        for role in properties.get("Roles", []):
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        return str(arn)

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Replace the default version and the attachments."""
        iam, new = request.client("iam"), request.properties
        if new["PolicyDocument"] != old["PolicyDocument"]:
            versions = iam.list_policy_versions(PolicyArn=physical_id)["Versions"]
            for version in versions:
                if not version["IsDefaultVersion"]:
                    iam.delete_policy_version(PolicyArn=physical_id, VersionId=version["VersionId"])
            document = _document(new["PolicyDocument"])
            iam.create_policy_version(
                PolicyArn=physical_id, PolicyDocument=document, SetAsDefault=True
            )
        for role in set(old.get("Roles", [])) - set(new.get("Roles", [])):
            iam.detach_role_policy(RoleName=role, PolicyArn=physical_id)
        for role in set(new.get("Roles", [])) - set(old.get("Roles", [])):
            iam.attach_role_policy(RoleName=role, PolicyArn=physical_id)

    def delete(self, request: Request, physical_id: str) -> None:
        """Detach and delete the policy with all its versions."""
        iam = request.client("iam")
        for role in request.properties.get("Roles", []):
            iam.detach_role_policy(RoleName=role, PolicyArn=physical_id)
        for version in iam.list_policy_versions(PolicyArn=physical_id)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=physical_id, VersionId=version["VersionId"])
        iam.delete_policy(PolicyArn=physical_id)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:
        """Return ARN and id of the policy."""
        policy = request.client("iam").get_policy(PolicyArn=physical_id)["Policy"]
        return {"PolicyArn": policy["Arn"], "PolicyId": policy["PolicyId"]}
