"""What AWS would refuse of an update is found in the templates, with the way around it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from forecast_operations.synthesis.hosted import hosted_in
from forecast_operations.updates.challengers import NEEDED, end_command
from forecast_operations.updates.obstacles import Templates, find_obstacles
from forecast_operations.updates.steps import plan_steps, without_update_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_operations.updates.challengers import Kind


def _obstacles(old: dict[str, Any], new: dict[str, Any]) -> list[Any]:
    return find_obstacles(Templates(None, old), Templates(None, new))


def test_an_endpoint_is_read_from_its_template(endpoint_template: Callable[..., Any]) -> None:
    hosted = hosted_in(endpoint_template(A="ml.m5.large", B="ml.c5.large", scaled=("A",)))

    assert hosted is not None
    assert (hosted.logical_id, hosted.name, hosted.mode) == ("Endpoint", "forecast", "realtime")
    assert hosted.variants == {"A": "ml.m5.large", "B": "ml.c5.large"}
    assert hosted.scaled == {"A"}
    assert hosted.guarded


def test_another_model_is_no_obstacle(endpoint_template: Callable[..., Any]) -> None:
    old = endpoint_template(A="ml.m5.large", scaled=("A",))
    new = endpoint_template(A="ml.m5.large", scaled=("A",))
    new["Resources"]["Model"]["Properties"]["PrimaryContainer"] = {"Image": "another"}

    assert _obstacles(old, new) == []


def test_a_first_deployment_has_no_obstacle(endpoint_template: Callable[..., Any]) -> None:
    wanted = Templates(None, endpoint_template(A="ml.m5.large", scaled=("A",)))

    assert find_obstacles(Templates(None, None), wanted) == []


def test_an_unscaled_variant_changes_its_type_at_will(
    endpoint_template: Callable[..., Any],
) -> None:
    old, new = endpoint_template(A="ml.m5.large"), endpoint_template(A="ml.c5.large", scaled=("A",))

    assert _obstacles(old, new) == []


@pytest.mark.parametrize("scaled", [("A",), ()])
def test_the_type_of_a_scaled_variant_is_refused_by_name(
    scaled: tuple[str, ...], endpoint_template: Callable[..., Any]
) -> None:
    old = endpoint_template(A="ml.m5.large", scaled=("A",))
    new = endpoint_template(A="ml.c5.large", scaled=scaled)

    (obstacle,) = _obstacles(old, new)

    assert (obstacle.kind, obstacle.permission) == ("rescale", "rescale")
    assert obstacle.reason.startswith(
        "variant A of forecast is scaled and cannot change from ml.m5.large to ml.c5.large: "
    )
    assert obstacle.steps[0].startswith(
        "deploy with autoscaling: null and endpoint.initial_instance_count at the count that serves"
    )


def test_a_scaled_variant_is_not_removed(endpoint_template: Callable[..., Any]) -> None:
    old = endpoint_template(A="ml.m5.large", B="ml.m5.large", scaled=("A", "B"))
    new = endpoint_template(A="ml.m5.large", scaled=("A",), policy=None)

    (obstacle,) = _obstacles(old, new)

    assert obstacle.reason.startswith("variant B of forecast is scaled and cannot be removed")


def test_scaling_is_left_out_first_and_nothing_else(endpoint_template: Callable[..., Any]) -> None:
    old = endpoint_template(A="ml.m5.large", scaled=("A",))
    new = endpoint_template(A="ml.c5.large", scaled=("A",))
    deployed, wanted = Templates(None, old), Templates(None, new)

    first, second = plan_steps(deployed, wanted, find_obstacles(deployed, wanted))

    assert first.template is not None
    assert first.template["Resources"].keys() == {
        "Model",
        "Config",
        "Endpoint",
        "Topic",
        "Incident",
    }
    assert first.template["Outputs"] == old["Outputs"]
    assert first.alone
    assert second.template is None
    assert _obstacles(first.template, new) == []
    assert "TargetA" in old["Resources"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ({"A": None}, {"A": "ml.m5.large"}, "serves as serverless and cannot become realtime"),
        ({"A": "ml.m5.large"}, {"A": None}, "serves as realtime and cannot become serverless"),
        (
            {"A": "ml.m5.large", "config": {"AsyncInferenceConfig": {}}},
            {"A": "ml.m5.large"},
            "serves as async and cannot become realtime",
        ),
    ],
)
def test_a_mode_does_not_change_under_one_name(
    old: dict[str, Any], new: dict[str, Any], words: str, endpoint_template: Callable[..., Any]
) -> None:
    deployed, wanted = endpoint_template(**old), endpoint_template(**new)

    (obstacle,) = _obstacles(deployed, wanted)

    assert (obstacle.kind, obstacle.permission) == ("recreate", "recreate")
    assert words in obstacle.reason
    assert "add a second environment" in obstacle.steps[0]


def test_a_rename_that_cuts_clients_off_is_said(endpoint_template: Callable[..., Any]) -> None:
    old = endpoint_template(A="ml.m5.large", scaled=("A",))
    new = endpoint_template(A=None, name="other")

    (obstacle,) = _obstacles(old, new)

    assert (obstacle.kind, obstacle.permission) == ("rename", "recreate")
    assert "whoever still calls forecast is cut off" in obstacle.reason
    (only,) = plan_steps(Templates(None, old), Templates(None, new), [obstacle])
    assert (only.template, only.alone) == (None, False)


@pytest.mark.parametrize(("before", "after", "word"), [(4, 0, "lose"), (0, 4, "get")])
def test_provisioned_concurrency_of_a_scaled_variant_does_not_come_or_go(
    before: int, after: int, word: str, endpoint_template: Callable[..., Any]
) -> None:
    old, new = (
        _with_warm(endpoint_template(A=None, scaled=("A",), policy=None), count)
        for count in (before, after)
    )

    (obstacle,) = _obstacles(old, new)

    assert (obstacle.kind, obstacle.permission) == ("rescale", "rescale")
    assert f"cannot {word} its provisioned concurrency" in obstacle.reason
    assert "provisioned_concurrency all at what is warm now" in obstacle.steps[0]
    assert _obstacles(old, _with_warm(old, 8 if before else 0)) == []


def _with_warm(template: dict[str, Any], count: int) -> dict[str, Any]:
    changed = copy.deepcopy(template)
    (variant,) = changed["Resources"]["Config"]["Properties"]["ProductionVariants"]
    warm = {"ProvisionedConcurrency": count} if count else {}
    variant["ServerlessConfig"] = {"MemorySizeInMB": 1024, **warm}
    return changed


def test_a_mode_switch_removes_the_endpoint_and_its_scaling_first(
    endpoint_template: Callable[..., Any],
) -> None:
    deployed = Templates(None, endpoint_template(A="ml.m5.large", scaled=("A",)))
    wanted = Templates(None, endpoint_template(A=None, policy=None))

    first, second = plan_steps(deployed, wanted, find_obstacles(deployed, wanted))

    assert first.template is not None
    assert first.template["Resources"].keys() == {"Model", "Config", "Topic", "Incident"}
    assert first.template["Resources"]["Topic"] == {"Type": "AWS::SNS::Topic"}
    assert first.template["Resources"]["Incident"]["Properties"]["ActionsEnabled"] is False
    assert deployed.endpoint is not None
    assert "ActionsEnabled" not in deployed.endpoint["Resources"]["Incident"]["Properties"]
    assert first.template["Outputs"].keys() == {"TopicArn"}
    assert second.template is None


def test_names_of_variants_change_without_an_update_policy_only(
    endpoint_template: Callable[..., Any],
) -> None:
    old = endpoint_template(A="ml.m5.large")
    new = endpoint_template(A="ml.m5.large", B="ml.m5.large")

    (obstacle,) = _obstacles(old, new)

    assert (obstacle.kind, obstacle.permission) == ("variants", "unguarded")
    assert "forecast deploy ENV --allow-unguarded" in obstacle.steps[0]
    assert "has the variants A and would get A and B" in obstacle.reason
    assert _obstacles(old, without_update_policy(new)) == []
    deployed, wanted = Templates(None, old), Templates(None, new)
    first, second = plan_steps(deployed, wanted, [obstacle])
    assert first.template == without_update_policy(new)
    assert second.template is None


def test_an_export_in_use_lets_the_endpoint_go_first(
    endpoint_template: Callable[..., Any], artifacts_template: Callable[..., Any]
) -> None:
    used = ("Artifacts:Subnet1", "Artifacts:Subnet2", "Artifacts:Subnet3")
    old = endpoint_template(A="ml.m5.large", imported=used)
    new = endpoint_template(A="ml.m5.large", imported=used[:2])
    deployed = Templates(artifacts_template(1, 2, 3), old)
    wanted = Templates(artifacts_template(1, 2), new)

    (obstacle,) = find_obstacles(deployed, wanted)

    assert (obstacle.kind, obstacle.permission) == ("exports", "rescale")
    assert "(Subnet3)" in obstacle.reason
    first, second = plan_steps(deployed, wanted, [obstacle])
    assert (first.template, first.alone, second.alone) == (None, True, False)


def test_a_replaced_network_is_left_by_the_endpoint_before(
    endpoint_template: Callable[..., Any], artifacts_template: Callable[..., Any]
) -> None:
    endpoint = endpoint_template(A="ml.m5.large", imported=("Artifacts:Subnet1",))
    deployed = Templates(artifacts_template(1), endpoint)
    wanted = Templates(artifacts_template(1, cidr="10.1.0.0/22"), endpoint)

    (obstacle,) = find_obstacles(deployed, wanted)

    assert (obstacle.kind, obstacle.permission) == ("exports", None)
    assert "network: {kind: none}" in obstacle.steps[0]


def test_an_unused_export_may_go(
    endpoint_template: Callable[..., Any], artifacts_template: Callable[..., Any]
) -> None:
    endpoint = endpoint_template(A="ml.m5.large")

    assert (
        find_obstacles(
            Templates(artifacts_template(1), endpoint), Templates(artifacts_template(), endpoint)
        )
        == []
    )


def _with_weights(template: dict[str, Any], *weights: float) -> dict[str, Any]:
    variants = template["Resources"]["Config"]["Properties"]["ProductionVariants"]
    for variant, weight in zip(variants, weights, strict=True):
        variant["InitialVariantWeight"] = weight
    template["Resources"]["Endpoint"]["Properties"]["RetainAllVariantProperties"] = True
    return template


def test_a_share_that_would_be_ignored_is_said(endpoint_template: Callable[..., Any]) -> None:
    types = {"A": "ml.m5.large", "B": "ml.m5.large"}
    old = _with_weights(endpoint_template(**types), 1, 0.25)
    new = _with_weights(endpoint_template(**types), 1, 1)

    (obstacle,) = _obstacles(old, new)

    assert (obstacle.kind, obstacle.permission) == ("weights", None)
    assert obstacle.steps[0].endswith("forecast deploy ENV --context reset_weights=true")
    new["Resources"]["Endpoint"]["Properties"]["ExcludeRetainedVariantProperties"] = [
        {"VariantPropertyType": "DesiredWeight"}
    ]
    assert _obstacles(old, new) == []


def test_a_shadow_does_not_answer_clients_in_one_step(
    endpoint_template: Callable[..., Any],
) -> None:
    shadow = {"ShadowProductionVariants": [{"VariantName": "B", "InstanceType": "ml.m5.large"}]}
    old = endpoint_template(A="ml.m5.large", config=shadow)

    (obstacle,) = _obstacles(old, endpoint_template(A="ml.m5.large", B="ml.m5.large"))

    assert (obstacle.kind, obstacle.permission) == ("promotion", None)


@pytest.mark.parametrize("kind", ["shadow", "split"])
def test_what_takes_a_challenger_out_is_said_as_it_is_found(
    kind: Kind, endpoint_template: Callable[..., Any]
) -> None:
    shadow = {"ShadowProductionVariants": [{"VariantName": "B", "InstanceType": "ml.m5.large"}]}
    old = endpoint_template(A="ml.m5.large", config=shadow)
    if kind == "split":
        old = endpoint_template(A="ml.m5.large", B="ml.m5.large")

    found = [each.permission for each in _obstacles(old, endpoint_template(A="ml.m5.large"))]

    assert found == [each for each in [NEEDED[kind]] if each is not None]
    option = " --allow-unguarded" if kind == "split" else ""
    assert end_command(kind, "prod") == f"forecast deploy prod{option}"
