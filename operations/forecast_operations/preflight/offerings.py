"""Instance types: whether the zones that the endpoint may run in have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.fleets import fleets_of
from forecast_config.instances import is_listed_by_api
from forecast_config.settings import ExistingNetwork
from forecast_operations.preflight.finding import ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.preflight.finding import Finding
    from forecast_operations.preflight.surroundings import Surroundings


def look_at_instance_types(around: Surroundings) -> Iterator[Finding]:
    """Whether Amazon EC2 offers what each hosting type runs on, there where it must.

    SageMaker publishes no list of its own that could be asked; a zone without the EC2 type has no
    hosting type either, so that this warns and proves nothing.
    """
    zones = _zones(around)
    for hosting_type in dict.fromkeys(each.instance_type for each in fleets_of(around.settings)):
        name = hosting_type.removeprefix("ml.")
        offered = {
            each["Location"]
            for each in around.cloud.pages(
                "ec2",
                "describe_instance_type_offerings",
                "InstanceTypeOfferings",
                LocationType="availability-zone",
                Filters=[{"Name": "instance-type", "Values": [name]}],
            )
        }
        yield _judge(hosting_type, offered, zones, around.region)


def _judge(hosting_type: str, offered: set[str], zones: set[str], region: str) -> Finding:
    check = f"instance type {hosting_type}"
    expected = f"offered in {', '.join(sorted(zones)) or region}"
    lacking = sorted(zones - offered)
    found = f"Amazon EC2 offers it in {', '.join(sorted(offered)) or 'no zone'}"
    if not offered or lacking:
        advice = "choose another type, or subnets of zones that have it"
        return warning(check, found, expected, advice)
    if not is_listed_by_api(hosting_type):
        advice = "the SageMaker API does not enumerate it; when it is refused, use ml.t2.medium"
        return warning(check, found, expected, advice)
    return ok(check, found, expected)


def _zones(around: Surroundings) -> set[str]:
    """Zones of the subnets that the configuration names; none where SageMaker chooses."""
    network = around.settings.network
    if not isinstance(network, ExistingNetwork):
        return set()
    subnets = around.cloud.ask(
        "ec2", "describe_subnets", missing="NotFound", SubnetIds=list(network.subnet_ids)
    )
    return {each["AvailabilityZone"] for each in (subnets or {}).get("Subnets", ())}
