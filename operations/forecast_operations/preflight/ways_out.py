"""Ways out of an existing VPC: to Amazon S3 for containers, to the endpoint for the heartbeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_config.alerts import has_heartbeat
from forecast_config.settings import ExistingNetwork
from forecast_operations.preflight.finding import failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.preflight.finding import Finding
    from forecast_operations.preflight.surroundings import Surroundings

_EVERYWHERE = "0.0.0.0/0"
_INTERNET_GATEWAY = "igw-"
"""What a network interface without a public address cannot go out by (Amazon VPC user guide,
"Enable internet access"). Every other target of a default route is taken for a way: gateways for
NAT, transit gateways, endpoints of a firewall or a load balancer, Cloud WAN, Outposts."""


def look_at_ways_out(around: Surroundings) -> Iterator[Finding]:
    """Whether each subnet has the ways that the endpoint needs, and names resolve."""
    network = around.settings.network
    if not isinstance(network, ExistingNetwork):
        return
    here = [{"Name": "vpc-id", "Values": [network.vpc_id]}]
    tables = list(around.cloud.pages("ec2", "describe_route_tables", "RouteTables", Filters=here))
    endpoints = list(
        around.cloud.pages("ec2", "describe_vpc_endpoints", "VpcEndpoints", Filters=here)
    )
    routes = {subnet: _table_of(subnet, tables) for subnet in network.subnet_ids}
    yield _check_s3(around.region, routes, endpoints)
    if has_heartbeat(around.settings):
        yield _check_runtime(around.region, routes, endpoints)
    yield from _check_names(around, network.vpc_id)


def _check_s3(
    region: str, routes: dict[str, dict[str, Any]], endpoints: list[dict[str, Any]]
) -> Finding:
    service = f"com.amazonaws.{region}.s3"
    ready = _ready(endpoints, service)
    gateways = {table for each in ready for table in each.get("RouteTableIds", ())}
    interface = any(each.get("VpcEndpointType") == "Interface" for each in ready)
    without = [
        subnet
        for subnet, table in routes.items()
        if not (interface or table.get("RouteTableId") in gateways or _leads_out(table))
    ]
    check, expected = "way to Amazon S3", "a gateway endpoint or a route out, for each subnet"
    if not without:
        return ok(check, "each subnet has one", expected)
    tables = sorted({str(routes[subnet].get("RouteTableId", "?")) for subnet in without})
    advice = (
        f"aws ec2 create-vpc-endpoint --service-name {service} --vpc-endpoint-type Gateway "
        f"--route-table-ids {' '.join(tables)} --vpc-id … --region {region} (free of charge)"
    )
    return failed(check, f"none from {', '.join(without)}", expected, advice)


def _check_runtime(
    region: str, routes: dict[str, dict[str, Any]], endpoints: list[dict[str, Any]]
) -> Finding:
    service = f"com.amazonaws.{region}.sagemaker.runtime"
    ready = [each for each in _ready(endpoints, service) if each.get("PrivateDnsEnabled")]
    check = "way to the endpoint"
    expected = "an interface endpoint with private DNS or a route out, for the heartbeat"
    if ready or all(_leads_out(table) for table in routes.values()):
        return ok(check, "there is one", expected)
    advice = (
        f"make an interface endpoint for {service} with private DNS, or set alarms.endpoint_down "
        "to null; else the heartbeat calls the endpoint down"
    )
    return failed(check, "none", expected, advice)


def _check_names(around: Surroundings, vpc: str) -> Iterator[Finding]:
    check, expected = "name resolution", "enableDnsSupport"
    answer = around.cloud.ask(
        "ec2",
        "describe_vpc_attribute",
        missing="InvalidVpcID.NotFound",
        VpcId=vpc,
        Attribute="enableDnsSupport",
    )
    if answer is None:
        advice = "give a VPC of this account and region as network.vpc_id"
        yield failed("vpc", f"no {vpc}", vpc, advice)
    elif answer["EnableDnsSupport"]["Value"]:
        yield ok(check, "on", expected)
    else:
        advice = (
            f"aws ec2 modify-vpc-attribute --vpc-id {vpc} --enable-dns-support --region "
            f"{around.region}"
        )
        yield warning(check, "off", expected, advice)


def _ready(endpoints: list[dict[str, Any]], service: str) -> list[dict[str, Any]]:
    return [
        each
        for each in endpoints
        if each.get("ServiceName") == service and str(each.get("State")).lower() == "available"
    ]


def _table_of(subnet: str, tables: list[dict[str, Any]]) -> dict[str, Any]:
    """The route table of a subnet: its own, else the main one of the VPC."""
    main: dict[str, Any] = {}
    for table in tables:
        for association in table.get("Associations", ()):
            if association.get("SubnetId") == subnet:
                return table
            if association.get("Main"):
                main = table
    return main


def _leads_out(table: dict[str, Any]) -> bool:
    return any(
        route.get("DestinationCidrBlock") == _EVERYWHERE
        and route.get("State", "active") == "active"
        and not route.get("GatewayId", "").startswith(_INTERNET_GATEWAY)
        for route in table.get("Routes", ())
    )
