"""Quotas are weighed with a second fleet, with scaling, and with what others use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from forecast_operations.preflight.quotas import (
    look_at_functions,
    look_at_networks,
    look_at_quotas,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Around = Callable[..., Any]

LARGE = "ml.m5.large for endpoint usage"
SERVERLESS = "Maximum total concurrency that can be allocated across all serverless endpoints"
SCALED = {
    "autoscaling": {
        "min_instance_count": 2,
        "max_instance_count": 6,
        "targets": {"cpu": {"kind": "cpu_utilization", "percent": 70}},
        "scheduled": {
            "feast": {"schedule": "cron(0 4 ? * FRI *)", "max_instance_count": 9},
        },
    }
}


def _quota(name: str, value: float, *, adjustable: bool = True) -> dict[str, Any]:
    return {"QuotaName": name, "QuotaCode": "L-1", "Value": value, "Adjustable": adjustable}


def _endpoint(name: str, count: int, status: str = "InService", **variant: Any) -> dict[str, Any]:
    return {
        "EndpointName": name,
        "EndpointStatus": status,
        "EndpointConfigName": name,
        "ProductionVariants": [
            {
                "VariantName": "A",
                "CurrentInstanceCount": count,
                "DesiredInstanceCount": count,
                **variant,
            }
        ],
    }


def _listed(endpoint: dict[str, Any]) -> dict[str, Any]:
    return {key: endpoint[key] for key in ("EndpointName", "EndpointStatus")}


@pytest.fixture
def quotas(around: Around, refused: Around) -> Around:
    """The one finding about quotas, in an account with these quotas and endpoints."""

    def look(
        *applied: dict[str, Any],
        changes: Any = None,
        defaults: tuple[dict[str, Any], ...] = (),
        endpoints: tuple[dict[str, Any], ...] = (),
        types: dict[str, str] | None = None,
    ) -> Any:
        by_name = {each["EndpointName"]: each for each in endpoints}

        def describe_endpoint(EndpointName: str) -> Any:  # noqa: N803 - as AWS calls it
            return by_name.get(EndpointName, refused("ValidationException", "Could not find it"))

        def describe_endpoint_config(EndpointConfigName: str) -> Any:  # noqa: N803 - as AWS
            chosen = (types or {}).get(EndpointConfigName, "ml.m5.large")
            return {"ProductionVariants": [{"VariantName": "A", "InstanceType": chosen}]}

        surroundings = around(
            changes,
            sagemaker={
                "list_endpoints": {"Endpoints": [_listed(each) for each in endpoints]},
                "describe_endpoint": describe_endpoint,
                "describe_endpoint_config": describe_endpoint_config,
            },
            service_quotas={
                "list_service_quotas": {"Quotas": list(applied)},
                "list_aws_default_service_quotas": {"Quotas": list(defaults)},
            },
        )
        (finding,) = look_at_quotas(surroundings)
        return finding

    return look


@pytest.mark.parametrize(("value", "status"), [(3, "failed"), (4, "ok")])
def test_a_rollout_needs_the_instances_twice(value: float, status: str, quotas: Around) -> None:
    found = quotas(_quota(LARGE, value))

    assert found.status == status
    assert "at least 4" in found.expected


def test_a_rolling_update_needs_a_batch_more_only(quotas: Around) -> None:
    rolling = {"rollout": {"kind": "rolling", "batch_percent": 50}}

    assert quotas(_quota(LARGE, 3), changes=rolling).status == "ok"
    assert quotas(_quota(LARGE, 2), changes=rolling).status == "failed"


@pytest.mark.parametrize(("value", "status"), [(3, "failed"), (17, "warning"), (18, "ok")])
def test_an_endpoint_that_has_scaled_out_needs_its_largest_count_twice(
    value: float, status: str, quotas: Around
) -> None:
    found = quotas(_quota(LARGE, value), changes=SCALED)

    assert found.status == status
    assert "scaled out 18" in found.expected
    assert found.status == "ok" or "--quota-code L-1 --desired-value 18" in found.advice


def test_what_other_endpoints_use_counts(quotas: Around) -> None:
    others = (
        _endpoint("other", 3),
        _endpoint("away", 50, "Deleting"),
        _endpoint("forecast-live", 2),
        _endpoint("of-another-type", 7),
    )

    found = quotas(_quota(LARGE, 6), endpoints=others, types={"of-another-type": "ml.c5.large"})

    assert found.status == "failed"
    assert found.found == "6, of which other endpoints use 3"
    assert "at least 7" in found.expected


def test_a_fleet_that_is_growing_counts_as_large_as_it_will_be(quotas: Around) -> None:
    growing = _endpoint("other", 1, DesiredInstanceCount=5)

    assert "use 5" in quotas(_quota(LARGE, 9), endpoints=(growing,)).found


def test_the_count_that_scaling_keeps_is_the_one_that_is_doubled(quotas: Around) -> None:
    scaled_out = _endpoint("forecast-live", 6)

    found = quotas(_quota(LARGE, 11), changes=SCALED, endpoints=(scaled_out,))

    assert found.status == "failed"
    assert "at least 12" in found.expected


def test_a_type_that_does_not_serve_yet_is_needed_once(quotas: Around) -> None:
    small = {"forecast-live": "ml.m5.xlarge"}
    serving = (_endpoint("forecast-live", 2),)

    enough = quotas(_quota(LARGE, 2), endpoints=serving, types=small)
    twice = quotas(_quota(LARGE, 4), endpoints=serving, types=small)
    few = quotas(_quota(LARGE, 1), endpoints=serving, types=small)

    assert (enough.status, twice.status, few.status) == ("warning", "ok", "failed")
    assert "at least 2, scaled out 4 (2, as what serves is of another type" in few.expected


def test_a_rolling_update_to_another_type_needs_no_batch_more(quotas: Around) -> None:
    rolling = {"rollout": {"kind": "rolling", "batch_percent": 50}}
    serving, other = (_endpoint("forecast-live", 2),), {"forecast-live": "ml.m5.xlarge"}

    found = quotas(_quota(LARGE, 2), changes=rolling, endpoints=serving, types=other)

    assert found.status == "warning"


def test_the_fleet_that_serves_counts_as_large_as_it_is(quotas: Around) -> None:
    # Two are wanted, and one serves: three are there at once.
    found = quotas(_quota(LARGE, 3), endpoints=(_endpoint("forecast-live", 1),))

    assert "at least 3" in found.expected
    assert found.status != "failed"


def test_a_first_deployment_says_why_it_asks_for_two_fleets(quotas: Around) -> None:
    assert "for the update after this first deployment" in quotas(_quota(LARGE, 3)).expected


def test_a_challenger_of_the_same_type_counts_too(quotas: Around) -> None:
    split = {
        "rollout": {
            "kind": "split",
            "challenger": {"alias": "challenger"},
            "challenger_percent": 10,
            "initial_instance_count": 3,
        }
    }

    assert "at least 10" in quotas(_quota(LARGE, 10), changes=split).expected


def test_the_default_holds_where_no_value_is_applied(quotas: Around) -> None:
    assert quotas(defaults=(_quota(LARGE, 0),)).found.startswith("0, ")
    assert quotas().status == "skipped"


def test_a_quota_that_is_never_raised_is_not_asked_to_be(quotas: Around) -> None:
    assert "does not raise" in quotas(_quota(LARGE, 1, adjustable=False)).advice


def test_serverless_shares_one_concurrency(quotas: Around) -> None:
    serverless = {
        "endpoint": {
            "kind": "serverless",
            "name": "forecast-live",
            "memory_mib": 2048,
            "max_concurrency": 8,
        }
    }
    other = _endpoint("other", 0, CurrentServerlessConfig={"MaxConcurrency": 5})

    assert quotas(_quota(SERVERLESS, 10), changes=serverless).status == "ok"
    crowded = quotas(_quota(SERVERLESS, 10), changes=serverless, endpoints=(other,))
    assert (crowded.status, crowded.found) == ("failed", "10, of which other endpoints use 5")


@pytest.mark.parametrize(
    ("free", "deployed", "status"),
    [
        (10, None, "failed"),
        (100, None, "failed"),
        (101, None, "ok"),
        (100, "CREATE_COMPLETE", "ok"),
        (100, "ROLLBACK_COMPLETE", "failed"),
    ],
)
def test_the_heartbeat_reserves_an_execution(
    free: int, deployed: str | None, status: str, around: Around, refused: Around
) -> None:
    stack: Any = {"Stacks": [{"StackStatus": deployed}]}
    surroundings = around(
        cloudformation={"describe_stacks": stack if deployed else refused("V", "x does not exist")},
        **{"lambda": {"get_account_settings": _account_limit(free)}},
    )

    (found,) = look_at_functions(surroundings)

    assert found.status == status


def test_without_a_heartbeat_nothing_is_reserved(around: Around) -> None:
    assert list(look_at_functions(around({"alarms": {"endpoint_down": None}}))) == []


@pytest.mark.parametrize("never_made", [True, False])
@pytest.mark.parametrize(("used", "status"), [(4, "ok"), (5, "failed")])
def test_a_new_network_needs_one_more_vpc(
    used: int, status: str, around: Around, refused: Around, *, never_made: bool
) -> None:
    undone = {"Stacks": [{"StackStatus": "ROLLBACK_COMPLETE"}]}
    missing = refused("V", "x does not exist")
    surroundings = around(
        {"network": {"kind": "new"}},
        cloudformation={"describe_stacks": undone if never_made else missing},
        service_quotas={"get_service_quota": {"Quota": {"Value": 5.0}}},
        ec2={"describe_vpcs": {"Vpcs": [{}] * used}},
    )

    (found,) = look_at_networks(surroundings)

    assert found.status == status


def _account_limit(free: int) -> dict[str, Any]:
    return {"AccountLimit": {"UnreservedConcurrentExecutions": free}}
