"""EC2 security groups and their rules."""

from collections.abc import Mapping
from typing import Any, ClassVar

from forecast_local.cloudformation.handler import Handler, Request, tag_changes

_NAME_LIMIT = 255
_EVERYWHERE = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
_GONE = frozenset({"InvalidGroup.NotFound", "InvalidPermission.NotFound"})


def _permission(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Translate a rule of a template to the API's ``IpPermission``."""
    permission: dict[str, Any] = {"IpProtocol": str(rule["IpProtocol"])}
    for port in ("FromPort", "ToPort"):
        if port in rule:
            permission[port] = int(rule[port])
    note = {"Description": rule["Description"]} if "Description" in rule else {}
    group = rule.get("SourceSecurityGroupId", rule.get("DestinationSecurityGroupId"))
    prefix = rule.get("SourcePrefixListId", rule.get("DestinationPrefixListId"))
    if "CidrIp" in rule:
        permission["IpRanges"] = [{"CidrIp": rule["CidrIp"], **note}]
    if "CidrIpv6" in rule:
        permission["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **note}]
    if group is not None:
        permission["UserIdGroupPairs"] = [{"GroupId": group, **note}]
    if prefix is not None:
        permission["PrefixListIds"] = [{"PrefixListId": prefix, **note}]
    return permission


class SecurityGroup(Handler):
    """AWS::EC2::SecurityGroup."""

    type_name = "AWS::EC2::SecurityGroup"
    applies = frozenset(
        {
            "GroupDescription",
            "GroupName",
            "SecurityGroupEgress",
            "SecurityGroupIngress",
            "Tags",
            "VpcId",
        }
    )
    required = frozenset({"GroupDescription"})
    create_only = frozenset({"GroupDescription", "GroupName", "VpcId"})
    attributes = frozenset({"GroupId", "Id"})
    name_property = "GroupName"
    tagged = True
    gone = _GONE

    def create(self, request: Request) -> str:
        """Create the group with its inline rules."""
        ec2, properties = request.client("ec2"), request.properties
        name = request.name(_NAME_LIMIT, property_name="GroupName")
        given = {"VpcId": properties["VpcId"]} if "VpcId" in properties else {}
        tags = properties.get("Tags", [])
        if tags:
            given["TagSpecifications"] = [{"ResourceType": "security-group", "Tags": tags}]
        group = ec2.create_security_group(
            GroupName=name, Description=properties["GroupDescription"], **given
        )["GroupId"]
        self._apply_rules(ec2, request.made(group), properties, {})
        return str(group)

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Change the inline rules and the tags."""
        ec2 = request.client("ec2")
        self._apply_rules(ec2, physical_id, request.properties, old)
        tags, removed = tag_changes(old, request.properties)
        if removed:
            ec2.delete_tags(Resources=[physical_id], Tags=[{"Key": key} for key in removed])
        if tags:
            ec2.create_tags(Resources=[physical_id], Tags=tags)

    @staticmethod
    def _apply_rules(ec2: Any, group: str, new: Mapping[str, Any], old: Mapping[str, Any]) -> None:
        # A new group, and one without egress rules in its template, lets everything out.
        for direction, default in (("Ingress", []), ("Egress", [_EVERYWHERE])):
            key = f"SecurityGroup{direction}"
            before, after = old.get(key) or default, new.get(key) or default
            for rule in before:
                if rule not in after:
                    revoke = getattr(ec2, f"revoke_security_group_{direction.lower()}")
                    revoke(GroupId=group, IpPermissions=[_permission(rule)])
            for rule in after:
                if rule not in before:
                    allow = getattr(ec2, f"authorize_security_group_{direction.lower()}")
                    allow(GroupId=group, IpPermissions=[_permission(rule)])

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the group."""
        request.client("ec2").delete_security_group(GroupId=physical_id)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:  # noqa: ARG002 - the id says it all
        """Return the group's id."""
        return {"GroupId": physical_id, "Id": physical_id}


class _Rule(Handler):
    """A rule of a security group that is a resource of its own."""

    attributes = frozenset({"Id"})
    gone = _GONE
    direction: ClassVar[str]

    def create(self, request: Request) -> str:
        """Allow the traffic."""
        allow = getattr(request.client("ec2"), f"authorize_security_group_{self.direction}")
        answer = allow(
            GroupId=request.properties["GroupId"], IpPermissions=[_permission(request.properties)]
        )
        rules = answer.get("SecurityGroupRules", [])
        return str(rules[0]["SecurityGroupRuleId"]) if rules else request.name(_NAME_LIMIT)

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Change the description, the only thing that can change."""
        self.delete(Request(request.stack, request.logical_id, old), physical_id)
        self.create(request)

    def delete(self, request: Request, physical_id: str) -> None:  # noqa: ARG002 - the properties hold the rule
        """Revoke the rule."""
        revoke = getattr(request.client("ec2"), f"revoke_security_group_{self.direction}")
        revoke(
            GroupId=request.properties["GroupId"], IpPermissions=[_permission(request.properties)]
        )

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:  # noqa: ARG002 - the id says it all
        """Return the rule's id."""
        return {"Id": physical_id}


_COMMON = frozenset({"CidrIp", "CidrIpv6", "FromPort", "GroupId", "IpProtocol", "ToPort"})


class SecurityGroupIngress(_Rule):
    """AWS::EC2::SecurityGroupIngress."""

    type_name = "AWS::EC2::SecurityGroupIngress"
    direction = "ingress"
    create_only = frozenset({*_COMMON, "SourcePrefixListId", "SourceSecurityGroupId"})
    applies = frozenset({*create_only, "Description"})
    required = frozenset({"IpProtocol"})


class SecurityGroupEgress(_Rule):
    """AWS::EC2::SecurityGroupEgress."""

    type_name = "AWS::EC2::SecurityGroupEgress"
    direction = "egress"
    create_only = frozenset({*_COMMON, "DestinationPrefixListId", "DestinationSecurityGroupId"})
    applies = frozenset({*create_only, "Description"})
    required = frozenset({"GroupId", "IpProtocol"})
