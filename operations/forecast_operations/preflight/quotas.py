"""Quotas of the account: whether the deployment fits into them beside what runs already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config.alerts import has_heartbeat
from forecast_config.settings import NewNetwork, ServerlessEndpoint
from forecast_operations.preflight.demands import concurrency_demand, instance_demands
from forecast_operations.preflight.finding import failed, ok, skipped, warning
from forecast_operations.preflight.usage import Usage, usage_besides, usage_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forecast_operations.cloud.cloud import Cloud
    from forecast_operations.preflight.demands import Demand
    from forecast_operations.preflight.finding import Finding
    from forecast_operations.preflight.surroundings import Surroundings

_SERVICE = "sagemaker"
_UNRESERVED = 100
"""Executions that AWS Lambda keeps unreserved (AWS Lambda developer guide, "Configuring reserved
concurrency")."""

_VPC_QUOTA = "L-F678F1CE"
"""Code of the quota "VPCs per Region" (Amazon VPC user guide, "Amazon VPC quotas")."""


@dataclass(frozen=True)
class Quota:
    """A quota of the account.

    Attributes:
        code: Its code in Service Quotas.
        value: What it allows.
        adjustable: Whether AWS raises it on request.
    """

    code: str
    value: float
    adjustable: bool


def look_at_quotas(around: Surroundings) -> Iterator[Finding]:
    """Whether instances or concurrency are enough, a second fleet and other endpoints included."""
    others = usage_besides(around.live, around.endpoint_name)
    own = Usage() if around.endpoint is None else usage_of(around.live, around.endpoint)
    endpoint = around.settings.endpoint
    if isinstance(endpoint, ServerlessEndpoint):
        demands = [concurrency_demand(endpoint, others.concurrency)]
    else:
        demands = instance_demands(around.settings, own.instances, others.instances)
    quotas = find_quotas(around.cloud, {demand.quota for demand in demands})
    for demand in demands:
        yield _compare(demand, quotas.get(demand.quota), around.region)


def find_quotas(cloud: Cloud, names: Iterable[str]) -> dict[str, Quota]:
    """Quotas of SageMaker by their names: those of the account, else AWS's defaults.

    Service Quotas lists applied values for some quotas only, and finds none by its name.

    Args:
        cloud: AWS in the region.
        names: Names of the quotas.

    Raises:
        CloudError: AWS refuses.
    """
    wanted, found = set(names), dict[str, Quota]()
    applied = cloud.pages("service-quotas", "list_service_quotas", "Quotas", ServiceCode=_SERVICE)
    _gather(applied, wanted, found)
    if wanted - found.keys():
        defaults = cloud.pages(
            "service-quotas", "list_aws_default_service_quotas", "Quotas", ServiceCode=_SERVICE
        )
        _gather(defaults, wanted, found)
    return found


def look_at_functions(around: Surroundings) -> Iterator[Finding]:
    """Whether the heartbeat's function can reserve the one execution that it runs in."""
    if not has_heartbeat(around.settings):
        return
    check = "quota for functions"
    limits = around.cloud.ask("lambda", "get_account_settings")["AccountLimit"]
    free = limits["UnreservedConcurrentExecutions"]
    least = _UNRESERVED + (0 if around.is_deployed(around.stack_names[1]) else 1)
    expected = f"at least {least} unreserved executions, as the heartbeat reserves one"
    if free >= least:
        yield ok(check, f"{free} unreserved executions", expected)
        return
    advice = (
        "ask for more: aws service-quotas request-service-quota-increase --service-code lambda "
        f"--quota-code L-B99A9384 --desired-value 1000 --region {around.region}; or set "
        "alarms.endpoint_down to null"
    )
    yield failed(check, f"{free} unreserved executions", expected, advice)


def look_at_networks(around: Surroundings) -> Iterator[Finding]:
    """Whether the account may have the VPC that the environment makes."""
    if not isinstance(around.settings.network, NewNetwork):
        return
    if around.is_deployed(around.stack_names[0]):
        return
    check = "quota for VPCs"
    quota = around.cloud.ask(
        "service-quotas", "get_service_quota", ServiceCode="vpc", QuotaCode=_VPC_QUOTA
    )["Quota"]["Value"]
    used = sum(1 for _ in around.cloud.pages("ec2", "describe_vpcs", "Vpcs"))
    found, expected = f"{used} of {quota:.0f} VPCs are taken", "one more (network.kind: new)"
    if used < quota:
        yield ok(check, found, expected)
    else:
        advice = _ask_for("vpc", _VPC_QUOTA, used + 1, around.region)
        yield failed(check, found, expected, advice)


def _gather(listed: Iterable[dict[str, object]], wanted: set[str], found: dict[str, Quota]) -> None:
    for each in listed:
        name = str(each["QuotaName"])
        if name in wanted and name not in found:
            value = float(str(each["Value"]))
            found[name] = Quota(str(each["QuotaCode"]), value, bool(each.get("Adjustable")))
        if wanted <= found.keys():
            return


def _compare(demand: Demand, quota: Quota | None, region: str) -> Finding:
    check = f"quota '{demand.quota}'"
    if quota is None:
        return skipped(check, "Service Quotas does not list it", "look it up in the console")
    found = f"{quota.value:.0f}, of which other endpoints use {demand.used_by_others}"
    needed = demand.used_by_others + demand.now
    most = demand.used_by_others + demand.most
    expected = f"at least {needed}, scaled out {most} ({demand.why})"
    if quota.value >= most:
        return ok(check, found, expected)
    advice = _ask_for(_SERVICE, quota.code, most, region)
    if not quota.adjustable:
        advice = "AWS does not raise this one: use less, or another region"
    if quota.value >= needed:
        return warning(check, found, expected, advice)
    return failed(check, found, expected, advice)


def _ask_for(service: str, code: str, value: int, region: str) -> str:
    return (
        f"aws service-quotas request-service-quota-increase --service-code {service} "
        f"--quota-code {code} --desired-value {value} --region {region}"
    )
