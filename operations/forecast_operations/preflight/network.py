"""The network: whether an existing VPC can hold the endpoint, and a new one has its zones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_config.settings import ExistingNetwork, NewNetwork
from forecast_operations.cloud.refusals import CloudError, NotAllowedError
from forecast_operations.preflight.demands import instance_demands
from forecast_operations.preflight.finding import failed, ok, warning
from forecast_operations.preflight.usage import Usage, usage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from forecast_operations.preflight.finding import Finding
    from forecast_operations.preflight.surroundings import Surroundings

_ZONES = 2
_NONE = frozenset({"InvalidSubnetID.NotFound", "InvalidGroup.NotFound", "InvalidVpcID.NotFound"})


def look_at_subnets(around: Surroundings) -> Iterator[Finding]:
    """Whether the subnets are there, in the VPC, in several zones, and have addresses left."""
    network = around.settings.network
    if isinstance(network, NewNetwork):
        yield _check_zones(around, network)
        return
    if not isinstance(network, ExistingNetwork):
        return
    wanted = list(network.subnet_ids)
    expected = f"{', '.join(wanted)} in {network.vpc_id}"

    def ask() -> Any:
        return around.cloud.ask("ec2", "describe_subnets", SubnetIds=wanted)

    subnets = _found("subnets", ask, "Subnets")
    if not isinstance(subnets, list):
        advice = "give ids of subnets of this account and region as network.subnet_ids"
        yield failed("subnets", subnets, expected, advice)
        return
    elsewhere = [each["SubnetId"] for each in subnets if each["VpcId"] != network.vpc_id]
    if elsewhere:
        found = f"{', '.join(elsewhere)} in another VPC"
        yield failed("subnets", found, expected, "give subnets of network.vpc_id only")
        return
    yield ok("subnets", f"all in {network.vpc_id}", expected)
    yield _check_spread(subnets)
    yield from _check_addresses(around, subnets)


def look_at_security_groups(around: Surroundings) -> Iterator[Finding]:
    """Whether the security groups are there, in the VPC, and let HTTPS out."""
    network = around.settings.network
    if not isinstance(network, ExistingNetwork):
        return
    check, wanted = "security groups", list(network.security_group_ids)
    expected = f"{', '.join(wanted)} in {network.vpc_id}, with HTTPS out"

    def ask() -> Any:
        return around.cloud.ask("ec2", "describe_security_groups", GroupIds=wanted)

    groups = _found(check, ask, "SecurityGroups")
    if not isinstance(groups, list):
        advice = "give ids of groups of this account and region as network.security_group_ids"
        yield failed(check, groups, expected, advice)
        return
    elsewhere = [each["GroupId"] for each in groups if each["VpcId"] != network.vpc_id]
    if elsewhere:
        found = f"{', '.join(elsewhere)} in another VPC"
        yield failed(check, found, expected, "give groups of network.vpc_id only")
    elif not any(_lets_https_out(each) for each in groups):
        advice = "allow TCP 443 out: to the prefix list of Amazon S3, and to the interface endpoint"
        yield failed(check, "no rule lets HTTPS out", expected, advice)
    else:
        yield ok(check, f"all in {network.vpc_id}, HTTPS goes out", expected)


def _found(check: str, ask: Callable[[], Any], key: str) -> list[dict[str, Any]] | str:
    """What EC2 lists; the sentence in which it says that something is not there."""
    try:
        listed: list[dict[str, Any]] = ask()[key]
    except NotAllowedError:
        raise
    except CloudError as error:
        if error.code in _NONE:
            return f"some of the {check} are not there: {error}"
        raise
    return listed


def _check_zones(around: Surroundings, network: NewNetwork) -> Finding:
    zones = around.cloud.ask(
        "ec2",
        "describe_availability_zones",
        Filters=[
            {"Name": "zone-type", "Values": ["availability-zone"]},
            {"Name": "state", "Values": ["available"]},
        ],
    )["AvailabilityZones"]
    check, expected = "zones", f"at least {network.max_azs} (network.max_azs)"
    found = f"{len(zones)} in {around.region}"
    if len(zones) >= network.max_azs:
        return ok(check, found, expected)
    return failed(check, found, expected, f"set network.max_azs to {len(zones)}")


def _check_spread(subnets: list[dict[str, Any]]) -> Finding:
    zones = sorted({each["AvailabilityZone"] for each in subnets})
    check, expected = "zones", f"at least {_ZONES}"
    if len(zones) >= _ZONES:
        return ok(check, ", ".join(zones), expected)
    advice = "add a subnet of another zone: when this one fails, every instance does"
    return warning(check, ", ".join(zones), expected, advice)


def _check_addresses(around: Surroundings, subnets: list[dict[str, Any]]) -> Iterator[Finding]:
    own = Usage() if around.endpoint is None else usage_of(around.live, around.endpoint)
    demands = instance_demands(around.settings, own.instances, Usage().instances)
    # Every instance has a network interface in one of the subnets; those there now have theirs.
    now = sum(each.now for each in demands) - own.instances.total()
    most = sum(each.most for each in demands) - own.instances.total()
    free = sum(each["AvailableIpAddressCount"] for each in subnets)
    check, found = "addresses", f"{free} free"
    expected = f"at least {now}, scaled out {most}"
    advice = "free some, or add larger subnets to network.subnet_ids"
    if free < now:
        yield failed(check, found, expected, advice)
    elif free < most:
        yield warning(check, found, expected, advice)
    else:
        yield ok(check, found, expected)


def _lets_https_out(group: dict[str, Any]) -> bool:
    return any(
        rule.get("IpProtocol") == "-1"
        or (rule.get("IpProtocol") == "tcp" and rule["FromPort"] <= 443 <= rule["ToPort"])  # noqa: PLR2004 - the port
        for rule in group.get("IpPermissionsEgress", ())
    )
