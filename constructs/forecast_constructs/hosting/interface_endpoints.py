"""What functions in an isolated network may reach: AWS APIs, one interface endpoint for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from forecast_constructs.acknowledgements import acknowledge, acknowledge_wildcard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import IConstruct

_HTTPS = 443

_NO_TRAFFIC = ec2.CfnSecurityGroup.EgressProperty(
    ip_protocol="icmp",
    from_port=252,
    to_port=86,
    cidr_ip="255.255.255.255/32",
    description="No traffic",
)
"""A rule that no packet matches: without any, EC2 would allow everything outbound."""

_INTERFACE_ACTIONS = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
)
_DESCRIBE_ACTIONS = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")


@dataclass(frozen=True, kw_only=True)
class InterfaceService:
    """An AWS API, and the little of it that can be asked from inside the network.

    Attributes:
        name: Name of the service among the VPC endpoints, such as `sagemaker.runtime`.
        actions: The actions that pass.
        resource_arns: What they pass for.
    """

    name: str
    actions: tuple[str, ...]
    resource_arns: tuple[str, ...]

    @property
    def construct_id(self) -> str:
        """Id of its endpoint: `SagemakerRuntime`."""
        return "".join(word.capitalize() for word in self.name.split("."))


class InterfaceEndpoints(Construct):
    """Interface endpoints of an isolated network, and the group of the functions that use them.

    Each endpoint costs money by the hour and zone, so there is one only for an API that a function
    calls from within: AWS Lambda itself writes a function's logs and fills its dead-letter queue
    from outside of the network.

    Attributes:
        function_security_group_id: Group whose members reach the endpoints, and nothing else.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc_id: str,
        subnet_ids: Sequence[str],
        services: Sequence[InterfaceService],
    ) -> None:
        super().__init__(scope, construct_id)
        self._vpc_id = vpc_id
        group = ec2.CfnSecurityGroup(
            self,
            "EndpointGroup",
            vpc_id=vpc_id,
            group_description="Interface endpoints: HTTPS from functions, nothing outbound",
            security_group_egress=[_NO_TRAFFIC],
        ).attr_group_id
        self.function_security_group_id = self._build_function_group(group)
        for service in services:
            self._build_endpoint(service, group, list(subnet_ids))

    def _build_function_group(self, endpoint_group_id: str) -> str:
        group = ec2.CfnSecurityGroup(
            self,
            "FunctionGroup",
            vpc_id=self._vpc_id,
            group_description="Functions: HTTPS to the interface endpoints, nothing inbound",
            security_group_egress=[
                ec2.CfnSecurityGroup.EgressProperty(
                    ip_protocol="tcp",
                    from_port=_HTTPS,
                    to_port=_HTTPS,
                    destination_security_group_id=endpoint_group_id,
                    description="HTTPS to the interface endpoints",
                )
            ],
        ).attr_group_id
        # A resource of its own: each group names the other.
        ec2.CfnSecurityGroupIngress(
            self,
            "FromFunctions",
            group_id=endpoint_group_id,
            ip_protocol="tcp",
            from_port=_HTTPS,
            to_port=_HTTPS,
            source_security_group_id=group,
            description="HTTPS from functions",
        )
        return group

    def _build_endpoint(
        self, service: InterfaceService, group_id: str, subnet_ids: list[str]
    ) -> None:
        ec2.CfnVPCEndpoint(
            self,
            service.construct_id,
            vpc_id=self._vpc_id,
            vpc_endpoint_type="Interface",
            # The CDK knows in which partitions the name starts with another domain.
            service_name=ec2.InterfaceVpcEndpointAwsService(service.name).name,
            subnet_ids=subnet_ids,
            security_group_ids=[group_id],
            private_dns_enabled=True,
            policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": "*"},
                        "Action": list(service.actions),
                        "Resource": list(service.resource_arns),
                        "Condition": {
                            "StringEquals": {"aws:PrincipalAccount": Stack.of(self).account}
                        },
                    }
                ],
            },
        )


def function_network_statements(stack: Stack, function_arn: str) -> list[dict[str, Any]]:
    """Statements with which AWS Lambda puts a function into a VPC, and its code does nothing.

    Calls and resources are those that the AWS Lambda developer guide asks for ("Giving Lambda
    functions access to resources in an Amazon VPC"): an interface that is not created yet has no
    narrower name. The refusal is that of the same page's example, for the code that has the role
    too.

    Args:
        stack: The stack of the function.
        function_arn: ARN of the function, by its name.
    """
    anything = f"arn:{stack.partition}:ec2:{stack.region}:{stack.account}:*/*"
    return [
        {"Effect": "Allow", "Action": list(_INTERFACE_ACTIONS), "Resource": anything},
        {"Effect": "Allow", "Action": list(_DESCRIBE_ACTIONS), "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": [*_INTERFACE_ACTIONS, *_DESCRIBE_ACTIONS],
            "Resource": "*",
            "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": function_arn}},
        },
    ]


def acknowledge_function_network(policy: IConstruct) -> None:
    """Record why a policy with `function_network_statements` names no resources."""
    stack = Stack.of(policy)
    acknowledge_wildcard(
        policy,
        f"arn:{stack.partition}:ec2:{stack.region}:{stack.account}:*/*",
        "an interface gets its id when AWS Lambda creates it; the function's own code is refused",
    )
    acknowledge(
        policy,
        "IAM5[Resource::*]",
        "ec2:Describe* knows no resources; the function's own code is refused",
    )
