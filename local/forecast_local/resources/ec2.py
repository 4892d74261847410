"""The parts of a VPC: network, routes, security groups, endpoints and flow logs."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from forecast_local.cloudformation.handler import Handler, Request, ResourceError, tag_changes


def _specification(kind: str, request: Request) -> dict[str, Any]:
    tags = request.properties.get("Tags", [])
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags}]} if tags else {}


class _Tagged(Handler):
    """An EC2 resource whose tags can be changed by its id."""

    tagged = True
    id_attribute: ClassVar[str]

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Change the tags."""
        ec2 = request.client("ec2")
        tags, removed = tag_changes(old, request.properties)
        if removed:
            ec2.delete_tags(Resources=[physical_id], Tags=[{"Key": key} for key in removed])
        if tags:
            ec2.create_tags(Resources=[physical_id], Tags=tags)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:  # noqa: ARG002 - the id says it all
        """Return the resource's id."""
        return {self.id_attribute: physical_id}


class Vpc(_Tagged):
    """AWS::EC2::VPC."""

    type_name = "AWS::EC2::VPC"
    applies = frozenset(
        {"CidrBlock", "EnableDnsHostnames", "EnableDnsSupport", "InstanceTenancy", "Tags"}
    )
    create_only = frozenset({"CidrBlock"})
    attributes = frozenset({"CidrBlock", "DefaultNetworkAcl", "DefaultSecurityGroup", "VpcId"})
    id_attribute = "VpcId"
    gone = frozenset({"InvalidVpcID.NotFound"})

    def create(self, request: Request) -> str:
        """Create the VPC and set its DNS attributes."""
        ec2, properties = request.client("ec2"), request.properties
        tenancy = properties.get("InstanceTenancy", "default")
        vpc = ec2.create_vpc(
            CidrBlock=properties["CidrBlock"],
            InstanceTenancy=tenancy,
            **_specification("vpc", request),
        )["Vpc"]["VpcId"]
        self._apply_dns(ec2, request.made(vpc), properties)
        return str(vpc)

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Change DNS attributes and tags."""
        if request.properties.get("InstanceTenancy") != old.get("InstanceTenancy"):
            raise ResourceError("the local AWS cannot change InstanceTenancy of a VPC")
        self._apply_dns(request.client("ec2"), physical_id, request.properties)
        super().update(request, physical_id, old)

    @staticmethod
    def _apply_dns(ec2: Any, vpc: str, properties: Mapping[str, Any]) -> None:
        for name, default in (("EnableDnsSupport", True), ("EnableDnsHostnames", False)):
            value = str(properties.get(name, default)).lower() == "true"
            ec2.modify_vpc_attribute(VpcId=vpc, **{name: {"Value": value}})

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the VPC; it must be empty."""
        request.client("ec2").delete_vpc(VpcId=physical_id)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:
        """Return id, address range, default security group and default network ACL."""
        ec2 = request.client("ec2")
        mine = [
            {"Name": "vpc-id", "Values": [physical_id]},
        ]
        groups = ec2.describe_security_groups(
            Filters=[*mine, {"Name": "group-name", "Values": ["default"]}]
        )["SecurityGroups"]
        acls = ec2.describe_network_acls(Filters=[*mine, {"Name": "default", "Values": ["true"]}])[
            "NetworkAcls"
        ]
        return {
            "VpcId": physical_id,
            "CidrBlock": request.properties["CidrBlock"],
            "DefaultSecurityGroup": groups[0]["GroupId"],
            "DefaultNetworkAcl": acls[0]["NetworkAclId"],
        }


class Subnet(_Tagged):
    """AWS::EC2::Subnet."""

    type_name = "AWS::EC2::Subnet"
    applies = frozenset({"AvailabilityZone", "CidrBlock", "MapPublicIpOnLaunch", "Tags", "VpcId"})
    required = frozenset({"VpcId"})
    create_only = frozenset({"AvailabilityZone", "CidrBlock", "VpcId"})
    attributes = frozenset({"AvailabilityZone", "CidrBlock", "SubnetId", "VpcId"})
    id_attribute = "SubnetId"
    gone = frozenset({"InvalidSubnetID.NotFound"})

    def create(self, request: Request) -> str:
        """Create the subnet."""
        given = request.api_arguments("ec2", "CreateSubnet", skip=("MapPublicIpOnLaunch", "Tags"))
        ec2 = request.client("ec2")
        answer = ec2.create_subnet(**given, **_specification("subnet", request))
        subnet = str(answer["Subnet"]["SubnetId"])
        self._apply_public_ip(request, request.made(subnet))
        return subnet

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Change the public address rule and the tags."""
        self._apply_public_ip(request, physical_id)
        super().update(request, physical_id, old)

    @staticmethod
    def _apply_public_ip(request: Request, subnet: str) -> None:
        value = str(request.properties.get("MapPublicIpOnLaunch", False)).lower() == "true"
        request.client("ec2").modify_subnet_attribute(
            SubnetId=subnet, MapPublicIpOnLaunch={"Value": value}
        )

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the subnet."""
        request.client("ec2").delete_subnet(SubnetId=physical_id)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:
        """Return id, zone and address range of the subnet."""
        subnet = request.client("ec2").describe_subnets(SubnetIds=[physical_id])["Subnets"][0]
        return {key: subnet[key] for key in ("SubnetId", "AvailabilityZone", "CidrBlock", "VpcId")}


class RouteTable(_Tagged):
    """AWS::EC2::RouteTable."""

    type_name = "AWS::EC2::RouteTable"
    applies = frozenset({"Tags", "VpcId"})
    required = frozenset({"VpcId"})
    create_only = frozenset({"VpcId"})
    attributes = frozenset({"RouteTableId"})
    id_attribute = "RouteTableId"
    gone = frozenset({"InvalidRouteTableID.NotFound"})

    def create(self, request: Request) -> str:
        """Create the route table."""
        answer = request.client("ec2").create_route_table(
            VpcId=request.properties["VpcId"], **_specification("route-table", request)
        )
        return str(answer["RouteTable"]["RouteTableId"])

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the route table."""
        request.client("ec2").delete_route_table(RouteTableId=physical_id)


class SubnetRouteTableAssociation(Handler):
    """AWS::EC2::SubnetRouteTableAssociation."""

    type_name = "AWS::EC2::SubnetRouteTableAssociation"
    applies = frozenset({"RouteTableId", "SubnetId"})
    required = applies
    create_only = applies
    attributes = frozenset({"Id"})
    gone = frozenset({"InvalidAssociationID.NotFound"})

    def create(self, request: Request) -> str:
        """Associate subnet and route table."""
        answer = request.client("ec2").associate_route_table(
            RouteTableId=request.properties["RouteTableId"], SubnetId=request.properties["SubnetId"]
        )
        return str(answer["AssociationId"])

    def delete(self, request: Request, physical_id: str) -> None:
        """End the association."""
        request.client("ec2").disassociate_route_table(AssociationId=physical_id)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:  # noqa: ARG002 - the id says it all
        """Return the association's id."""
        return {"Id": physical_id}


class FlowLog(_Tagged):
    """AWS::EC2::FlowLog."""

    type_name = "AWS::EC2::FlowLog"
    create_only = frozenset(
        {
            "DeliverLogsPermissionArn",
            "LogDestination",
            "LogDestinationType",
            "LogFormat",
            "LogGroupName",
            "MaxAggregationInterval",
            "ResourceId",
            "ResourceType",
            "TrafficType",
        }
    )
    applies = frozenset({*create_only, "Tags"})
    required = frozenset({"ResourceId", "ResourceType"})
    attributes = frozenset({"Id"})
    id_attribute = "Id"
    gone = frozenset({"InvalidFlowLogId.NotFound"})

    def create(self, request: Request) -> str:
        """Create the flow log; what EC2 reports as unsuccessful fails the resource."""
        given = request.api_arguments("ec2", "CreateFlowLogs", skip=("ResourceId", "Tags"))
        answer = request.client("ec2").create_flow_logs(
            ResourceIds=[request.properties["ResourceId"]],
            **given,
            **_specification("vpc-flow-log", request),
        )
        for failure in answer.get("Unsuccessful", []):
            raise ResourceError(failure["Error"]["Message"])
        return str(answer["FlowLogIds"][0])

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the flow log."""
        request.client("ec2").delete_flow_logs(FlowLogIds=[physical_id])


class VpcEndpoint(_Tagged):
    """AWS::EC2::VPCEndpoint."""

    type_name = "AWS::EC2::VPCEndpoint"
    applies = frozenset(
        {
            "PolicyDocument",
            "PrivateDnsEnabled",
            "RouteTableIds",
            "SecurityGroupIds",
            "ServiceName",
            "SubnetIds",
            "Tags",
            "VpcEndpointType",
            "VpcId",
        }
    )
    required = frozenset({"VpcId"})
    create_only = frozenset({"ServiceName", "VpcEndpointType", "VpcId"})
    attributes = frozenset({"DnsEntries", "Id", "NetworkInterfaceIds"})
    id_attribute = "Id"
    gone = frozenset({"InvalidVpcEndpointId.NotFound"})

    def create(self, request: Request) -> str:
        """Create the endpoint."""
        given = request.api_arguments("ec2", "CreateVpcEndpoint", skip=("PolicyDocument", "Tags"))
        answer = request.client("ec2").create_vpc_endpoint(
            **given, **self._policy(request), **_specification("vpc-endpoint", request)
        )
        return str(answer["VpcEndpoint"]["VpcEndpointId"])

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Change policy, private DNS, subnets, security groups, route tables and tags."""
        new = request.properties
        changes: dict[str, Any] = dict(self._policy(request))
        if "PrivateDnsEnabled" in new:
            changes["PrivateDnsEnabled"] = str(new["PrivateDnsEnabled"]).lower() == "true"
        for key in ("RouteTable", "SecurityGroup", "Subnet"):
            before, after = set(old.get(f"{key}Ids", [])), set(new.get(f"{key}Ids", []))
            if after - before:
                changes[f"Add{key}Ids"] = sorted(after - before)
            if before - after:
                changes[f"Remove{key}Ids"] = sorted(before - after)
        request.client("ec2").modify_vpc_endpoint(VpcEndpointId=physical_id, **changes)
        super().update(request, physical_id, old)

    @staticmethod
    def _policy(request: Request) -> dict[str, str]:
        document = request.properties.get("PolicyDocument")
        return {} if document is None else {"PolicyDocument": json.dumps(document)}

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the endpoint."""
        request.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[physical_id])

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:
        """Return id, DNS entries and network interfaces of the endpoint."""
        found = request.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[physical_id])
        endpoint = found["VpcEndpoints"][0]
        entries = [
            f"{entry['HostedZoneId']}:{entry['DnsName']}"
            for entry in endpoint.get("DnsEntries", [])
        ]
        interfaces = endpoint.get("NetworkInterfaceIds", [])
        return {"Id": physical_id, "DnsEntries": entries, "NetworkInterfaceIds": interfaces}
