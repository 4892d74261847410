"""An existing network is looked at for all that the endpoint will need of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from forecast_operations.cloud.refusals import CloudError
from forecast_operations.preflight.network import look_at_security_groups, look_at_subnets
from forecast_operations.preflight.offerings import look_at_instance_types
from forecast_operations.preflight.ways_out import look_at_ways_out

if TYPE_CHECKING:
    from collections.abc import Callable

    Around = Callable[..., Any]

VPC = "vpc-0123456789abcdef0"
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
GROUP = "sg-0123456789abcdef0"
EXISTING = {
    "network": {
        "kind": "existing",
        "vpc_id": VPC,
        "subnet_ids": SUBNETS,
        "security_group_ids": [GROUP],
    }
}
S3 = "com.amazonaws.eu-central-1.s3"
RUNTIME = "com.amazonaws.eu-central-1.sagemaker.runtime"


def _subnet(number: int, *, zone: str = "", vpc: str = VPC, free: int = 100) -> dict[str, Any]:
    return {
        "SubnetId": SUBNETS[number],
        "VpcId": vpc,
        "AvailabilityZone": f"eu-central-1{zone or 'ab'[number]}",
        "AvailableIpAddressCount": free,
    }


@pytest.fixture
def subnets(around: Around, refused: Around) -> Around:
    def look(*found: Any) -> dict[str, Any]:
        answer = found[0] if isinstance(found[0], Exception) else {"Subnets": list(found)}
        surroundings = around(
            EXISTING,
            ec2={"describe_subnets": answer},
            sagemaker={"describe_endpoint": refused("V", "Could not find it")},
        )
        return {each.check: each for each in look_at_subnets(surroundings)}

    return look


def test_subnets_of_two_zones_with_addresses_are_fine(subnets: Around) -> None:
    found = subnets(_subnet(0), _subnet(1))

    assert {check: each.status for check, each in found.items()} == {
        "subnets": "ok",
        "zones": "ok",
        "addresses": "ok",
    }


def test_a_subnet_that_is_not_there_fails(subnets: Around, refused: Around) -> None:
    (found,) = subnets(refused("InvalidSubnetID.NotFound", "subnet-x")).values()

    assert found.status == "failed"
    assert "subnet-x" in found.found


def test_a_subnet_of_another_vpc_fails(subnets: Around) -> None:
    (found,) = subnets(_subnet(0), _subnet(1, vpc="vpc-2")).values()

    assert (found.status, found.found) == ("failed", f"{SUBNETS[1]} in another VPC")


def test_one_zone_is_a_warning(subnets: Around) -> None:
    assert subnets(_subnet(0), _subnet(1, zone="a"))["zones"].status == "warning"


@pytest.mark.parametrize(("free", "status"), [(1, "failed"), (2, "ok")])
def test_every_instance_of_both_fleets_needs_an_address(
    free: int, status: str, subnets: Around
) -> None:
    assert subnets(_subnet(0, free=free), _subnet(1, free=free))["addresses"].status == status


def test_what_is_refused_for_another_reason_is_no_finding(subnets: Around, refused: Around) -> None:
    with pytest.raises(CloudError, match="Throttling"):
        subnets(refused("Throttling"))


@pytest.mark.parametrize(("zones", "status"), [(1, "failed"), (2, "ok")])
def test_a_new_network_needs_its_zones(zones: int, status: str, around: Around) -> None:
    listed = {"AvailabilityZones": [{}] * zones}
    surroundings = around({"network": {"kind": "new"}}, ec2={"describe_availability_zones": listed})

    (found,) = look_at_subnets(surroundings)

    assert found.status == status


def _rule(port: int) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}


@pytest.mark.parametrize(
    ("vpc", "egress", "status"),
    [
        (VPC, [{"IpProtocol": "-1"}], "ok"),
        (VPC, [_rule(80), _rule(443)], "ok"),
        (VPC, [_rule(80)], "failed"),
        (VPC, [{"IpProtocol": "udp", "FromPort": 0, "ToPort": 65535}], "failed"),
        ("vpc-2", [{"IpProtocol": "-1"}], "failed"),
    ],
)
def test_a_security_group_lets_https_out(
    vpc: str, egress: list[dict[str, Any]], status: str, around: Around
) -> None:
    group = {"GroupId": GROUP, "VpcId": vpc, "IpPermissionsEgress": egress}
    surroundings = around(EXISTING, ec2={"describe_security_groups": {"SecurityGroups": [group]}})

    (found,) = look_at_security_groups(surroundings)

    assert found.status == status


def test_a_security_group_that_is_not_there_fails(around: Around, refused: Around) -> None:
    missing = refused("InvalidGroup.NotFound", "sg-x")

    (found,) = look_at_security_groups(around(EXISTING, ec2={"describe_security_groups": missing}))

    assert found.status == "failed"


def _table(name: str, subnet: str | None, *routes: dict[str, str]) -> dict[str, Any]:
    association = {"Main": True} if subnet is None else {"SubnetId": subnet}
    return {"RouteTableId": name, "Associations": [association], "Routes": list(routes)}


NAT = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}
INTERNET = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}
BLACKHOLE = {**NAT, "State": "blackhole"}
GATEWAY = {
    "ServiceName": S3,
    "State": "available",
    "VpcEndpointType": "Gateway",
    "RouteTableIds": ["rtb-1", "rtb-main"],
}
INTERFACE = {
    "ServiceName": RUNTIME,
    "State": "available",
    "VpcEndpointType": "Interface",
    "PrivateDnsEnabled": True,
}


@pytest.fixture
def ways(around: Around) -> Around:
    def look(
        tables: list[Any], endpoints: list[Any], dns: Any = None, **changes: Any
    ) -> dict[str, Any]:
        attribute = {"EnableDnsSupport": {"Value": True}} if dns is None else dns
        surroundings = around(
            {**EXISTING, **changes},
            ec2={
                "describe_route_tables": {"RouteTables": tables},
                "describe_vpc_endpoints": {"VpcEndpoints": endpoints},
                "describe_vpc_attribute": attribute,
            },
        )
        return {each.check: each for each in look_at_ways_out(surroundings)}

    return look


def _states(found: dict[str, Any]) -> tuple[str, str]:
    return found["way to Amazon S3"].status, found["way to the endpoint"].status


def test_endpoints_of_the_vpc_are_ways_out(ways: Around) -> None:
    tables = [_table("rtb-1", SUBNETS[0]), _table("rtb-main", None)]

    assert _states(ways(tables, [GATEWAY, INTERFACE])) == ("ok", "ok")


def test_a_nat_gateway_is_a_way_out_and_an_internet_gateway_is_none(ways: Around) -> None:
    assert _states(ways([_table("rtb-main", None, NAT)], [])) == ("ok", "ok")
    assert _states(ways([_table("rtb-main", None, INTERNET)], [])) == ("failed", "failed")
    assert _states(ways([_table("rtb-main", None, BLACKHOLE)], [])) == ("failed", "failed")


@pytest.mark.parametrize(
    "target",
    [
        {"GatewayId": "vpce-0123456789abcdef0"},
        {"GatewayId": "vgw-0123456789abcdef0"},
        {"CoreNetworkArn": "arn:aws:networkmanager::111111111111:core-network/core-network-1"},
        {"LocalGatewayId": "lgw-0123456789abcdef0"},
        {"TransitGatewayId": "tgw-0123456789abcdef0"},
    ],
)
def test_central_egress_is_a_way_out(target: dict[str, str], ways: Around) -> None:
    route = {"DestinationCidrBlock": "0.0.0.0/0", "State": "active", **target}

    assert _states(ways([_table("rtb-main", None, route)], [])) == ("ok", "ok")


def test_a_gateway_endpoint_serves_the_subnets_of_its_route_tables_only(ways: Around) -> None:
    tables = [_table("rtb-1", SUBNETS[0]), _table("rtb-2", SUBNETS[1])]

    found = ways(tables, [GATEWAY, INTERFACE])["way to Amazon S3"]

    assert (found.status, found.found) == ("failed", f"none from {SUBNETS[1]}")
    assert "--route-table-ids rtb-2 " in found.advice
    assert "--region eu-central-1" in found.advice


@pytest.mark.parametrize(
    "change", [{"PrivateDnsEnabled": False}, {"State": "pending"}, {"ServiceName": S3}]
)
def test_an_interface_endpoint_must_be_ready_and_have_private_dns(
    change: dict[str, Any], ways: Around
) -> None:
    tables = [_table("rtb-main", None)]

    found = ways(tables, [GATEWAY, {**INTERFACE, **change}])

    assert found["way to the endpoint"].status == "failed"


def test_without_a_heartbeat_nobody_needs_a_way_to_the_endpoint(ways: Around) -> None:
    found = ways([_table("rtb-main", None)], [GATEWAY], alarms={"endpoint_down": None})

    assert "way to the endpoint" not in found


def test_names_must_resolve_in_a_vpc_that_is_there(ways: Around, refused: Around) -> None:
    tables = [_table("rtb-main", None, NAT)]

    off = ways(tables, [], dns={"EnableDnsSupport": {"Value": False}})
    gone = ways(tables, [], dns=refused("InvalidVpcID.NotFound"))

    assert off["name resolution"].status == "warning"
    assert off["name resolution"].advice.endswith("--region eu-central-1")
    assert gone["vpc"].status == "failed"


@pytest.mark.parametrize(
    ("offered", "changes", "status"),
    [
        ("ab", EXISTING, "ok"),
        ("a", EXISTING, "warning"),
        ("c", {}, "ok"),
        ("", {}, "warning"),
    ],
)
def test_the_zones_must_have_the_instance_type(
    offered: str, changes: dict[str, Any], status: str, around: Around
) -> None:
    listed = [{"Location": f"eu-central-1{zone}"} for zone in offered]
    surroundings = around(
        changes,
        ec2={
            "describe_subnets": {"Subnets": [_subnet(0), _subnet(1)]},
            "describe_instance_type_offerings": {"InstanceTypeOfferings": listed},
        },
    )

    (found,) = look_at_instance_types(surroundings)

    assert found.status == status


def test_no_network_asks_for_nothing(around: Around) -> None:
    surroundings = around({"network": {"kind": "none"}})

    assert [
        *look_at_subnets(surroundings),
        *look_at_security_groups(surroundings),
        *look_at_ways_out(surroundings),
    ] == []
