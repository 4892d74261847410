"""Where the containers run: subnets and security groups, existing or new."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Fn, Stack, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from forecast_constructs.acknowledgements import acknowledge
from forecast_constructs.hosting.interface_endpoints import InterfaceEndpoints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_s3 as s3

    from forecast_config.settings import ExistingNetwork
    from forecast_constructs.hosting.interface_endpoints import InterfaceService
    from forecast_constructs.storage.log_group import NamedLogGroup

_SUBNET_BITS = 2
"""Quarters of the VPC: up to three zones, and a fourth zone later moves none of them."""

_HTTPS = 443


@dataclass(frozen=True)
class Placement:
    """Subnets and security groups that a model's containers are put into.

    Attributes:
        subnet_ids: Ids of 1 to 16 subnets of one VPC.
        security_group_ids: Ids of 1 to 5 security groups of the same VPC.
    """

    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]

    @classmethod
    def from_existing(cls, settings: ExistingNetwork) -> Placement:
        """The placement in a VPC that exists; its ids are taken as they are, without a lookup."""
        return cls(settings.subnet_ids, settings.security_group_ids)

    def render_vpc_config(self) -> sagemaker.CfnModel.VpcConfigProperty:
        """The placement as a property of a model."""
        return sagemaker.CfnModel.VpcConfigProperty(
            subnets=list(self.subnet_ids), security_group_ids=list(self.security_group_ids)
        )


class IsolatedNetwork(Construct):
    """A VPC without a way to the internet, from which S3 and what functions need can be reached.

    S3 is all that hosting needs there: the archive and the captured requests travel through the
    VPC, while SageMaker pulls the image and ships the logs from outside of it (Amazon SageMaker
    developer guide, "Give SageMaker AI hosted endpoints access to resources in your Amazon VPC").
    Functions beside the containers reach the APIs of `interface_services`, and not S3. It is made
    of L1 resources, because the L2 VPC asks AWS for the account's zones at synth.

    It belongs into another stack than the endpoint, deployed before it: a container there can reach
    S3 only when the routes exist, and the network interfaces that SageMaker leaves behind for a
    while make a deletion of the network right after that of the endpoint fail
    (aws-cloudformation/cloudformation-coverage-roadmap#1327).

    Attributes:
        placement: The subnets, one in each zone, and the security group of the containers.
        function_placement: The same subnets and the security group of functions; None: there are
            no interface services.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cidr: str,
        max_azs: int,
        bucket: s3.IBucket,
        flow_logs: NamedLogGroup,
        interface_services: Sequence[InterfaceService] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self._vpc = ec2.CfnVPC(
            self, "Vpc", cidr_block=cidr, enable_dns_support=True, enable_dns_hostnames=True
        )
        Tags.of(self._vpc).add("Name", self.node.path)
        acknowledge(
            self._vpc,
            "VPCDefaultSecurityGroupClosed",
            "CloudFormation cannot change a VPC's default group; nothing is ever put into it, and "
            "it admits its own members only",
        )
        route_table = ec2.CfnRouteTable(self, "RouteTable", vpc_id=self._vpc.attr_vpc_id)
        subnets = self._build_subnets(cidr, max_azs)
        self._build_routes(subnets, route_table)
        security_group = self._build_security_group()
        self._build_s3_endpoint(bucket, route_table)
        self._build_flow_log(flow_logs)
        self.placement = Placement(
            subnet_ids=tuple(subnet.attr_subnet_id for subnet in subnets),
            security_group_ids=(security_group.attr_group_id,),
        )
        self.function_placement = self._place_functions(interface_services)

    def _place_functions(self, services: Sequence[InterfaceService]) -> Placement | None:
        if not services:
            return None
        subnet_ids = self.placement.subnet_ids
        endpoints = InterfaceEndpoints(
            self,
            "InterfaceEndpoints",
            vpc_id=self._vpc.attr_vpc_id,
            subnet_ids=subnet_ids,
            services=services,
        )
        return Placement(subnet_ids, (endpoints.function_security_group_id,))

    def _build_subnets(self, cidr: str, max_azs: int) -> list[ec2.CfnSubnet]:
        ranges = ipaddress.IPv4Network(cidr).subnets(prefixlen_diff=_SUBNET_BITS)
        zones = Fn.get_azs()
        return [
            ec2.CfnSubnet(
                self,
                f"Subnet{number + 1}",
                vpc_id=self._vpc.attr_vpc_id,
                cidr_block=str(block),
                availability_zone=Fn.select(number, zones),
                map_public_ip_on_launch=False,
            )
            for number, block in zip(range(max_azs), ranges, strict=False)
        ]

    def _build_routes(self, subnets: list[ec2.CfnSubnet], route_table: ec2.CfnRouteTable) -> None:
        for subnet in subnets:
            ec2.CfnSubnetRouteTableAssociation(
                self,
                f"{subnet.node.id}Routes",
                route_table_id=route_table.attr_route_table_id,
                subnet_id=subnet.attr_subnet_id,
            )

    def _build_security_group(self) -> ec2.CfnSecurityGroup:
        return ec2.CfnSecurityGroup(
            self,
            "SecurityGroup",
            vpc_id=self._vpc.attr_vpc_id,
            group_description="Containers of the endpoint: HTTPS to S3, nothing inbound",
            security_group_egress=[
                ec2.CfnSecurityGroup.EgressProperty(
                    ip_protocol="tcp",
                    from_port=_HTTPS,
                    to_port=_HTTPS,
                    # S3's addresses have no other name in a template; the only route is to S3.
                    cidr_ip="0.0.0.0/0",
                    description="HTTPS to Amazon S3 by way of the gateway endpoint",
                )
            ],
        )

    def _build_s3_endpoint(self, bucket: s3.IBucket, route_table: ec2.CfnRouteTable) -> None:
        statement = iam.PolicyStatement(
            principals=[iam.AnyPrincipal()],
            actions=["s3:GetObject", "s3:ListBucket", "s3:PutObject"],
            resources=[bucket.bucket_arn, bucket.arn_for_objects("*")],
        )
        ec2.CfnVPCEndpoint(
            self,
            "S3Endpoint",
            vpc_id=self._vpc.attr_vpc_id,
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{Stack.of(self).region}.s3",
            route_table_ids=[route_table.attr_route_table_id],
            policy_document=iam.PolicyDocument(statements=[statement]),
        )

    def _build_flow_log(self, flow_logs: NamedLogGroup) -> None:
        role = self._build_flow_log_role()
        policy = iam.ManagedPolicy(
            self,
            # Not "FlowLogPolicy", which was an inline one: CloudFormation refuses to make another
            # type of a resource under its logical id.
            "FlowLogPermissions",
            description="Delivers the flow logs of the endpoint's VPC",
            roles=[role],
            statements=[
                iam.PolicyStatement(
                    actions=[
                        "logs:CreateLogStream",
                        "logs:DescribeLogStreams",
                        "logs:PutLogEvents",
                    ],
                    resources=[flow_logs.log_group_arn],
                )
            ],
        )
        flow_log = ec2.CfnFlowLog(
            self,
            "FlowLog",
            resource_id=self._vpc.attr_vpc_id,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_group_name=flow_logs.log_group_name,
            deliver_logs_permission_arn=role.role_arn,
        )
        flow_log.node.add_dependency(policy, flow_logs)

    def _build_flow_log_role(self) -> iam.Role:
        # Trust of the Amazon VPC user guide, "Publish flow logs to CloudWatch Logs"; a flow log
        # gets its id after its role.
        stack = Stack.of(self)
        return iam.Role(
            self,
            "FlowLogRole",
            assumed_by=iam.ServicePrincipal(
                "vpc-flow-logs.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {
                        "aws:SourceArn": (
                            f"arn:{stack.partition}:ec2:{stack.region}:{stack.account}"
                            ":vpc-flow-log/*"
                        )
                    },
                },
            ),
            description="Delivers the flow logs of the endpoint's VPC",
        )
