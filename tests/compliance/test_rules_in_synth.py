"""The rules inside a synth: they see the finished template, whatever was done to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import Acknowledgment, CfnResource, Stack, Validations
from aws_cdk import aws_sagemaker as sagemaker
from cloudformation_yaml import load_template
from planted_defects import template_text

from forecast_constructs.rules import SageMakerRules
from forecast_rules import find_rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import App

RULE = "CloudFormation-Validate::FC-ROLLOUT-001"
PERCENT = "DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration.CanarySize.Value"


@pytest.fixture(scope="module")
def plugin() -> SageMakerRules:
    # One for all apps, as the engine inside takes a second to start.
    return SageMakerRules()


@pytest.fixture
def app(new_app: Callable[..., App], plugin: SageMakerRules) -> App:
    app = new_app()
    Validations.of(app).add_plugins(plugin)
    return app


def _endpoint(app: App) -> sagemaker.CfnEndpoint:
    """The hardened template as constructs, and the endpoint in it."""
    stack = Stack(app, "Hardened")
    endpoint = sagemaker.CfnEndpoint(stack, "Endpoint", endpoint_config_name="replaced")
    endpoint.override_logical_id("Endpoint")
    for name, content in load_template(template_text("realtime"))["Resources"].items():
        if name == "Endpoint":
            endpoint.add_override("Properties", content["Properties"])
            endpoint.add_override("DependsOn", content["DependsOn"])
            continue
        resource = CfnResource(stack, name, type=content["Type"])
        resource.override_logical_id(name)
        for key, value in content.items():
            resource.add_override(key, value)
    return endpoint


def _report(app: App) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(Path(app.outdir, "validation-report.json").read_text())
    return report


def test_a_hardened_template_is_synthesized(app: App) -> None:
    _endpoint(app)

    app.synth()

    assert _report(app)["pluginReports"] == []


def test_what_an_escape_hatch_breaks_ends_the_synth(app: App) -> None:
    _endpoint(app).add_property_override(PERCENT, 60)

    with pytest.raises(RuntimeError, match="the canary takes 60 % of the instances") as caught:
        app.synth()

    rule = find_rule("FC-ROLLOUT-001")
    assert rule is not None
    assert "Hardened/Endpoint" in str(caught.value)
    assert rule.fix in str(caught.value)


def test_an_acknowledged_finding_is_recorded_with_its_reason(app: App) -> None:
    endpoint = _endpoint(app)
    endpoint.add_property_override(PERCENT, 60)
    reason = "this endpoint is there to try the refusal out"
    Validations.of(endpoint).acknowledge(Acknowledgment(id=RULE, reason=reason))

    app.synth()

    (entry,) = _report(app)["pluginReports"]
    assert entry["violations"] == []
    (suppressed,) = entry["suppressedViolations"]
    assert suppressed["ruleName"] == "FC-ROLLOUT-001"
    assert suppressed["acknowledgedAt"] == endpoint.node.path


def test_the_built_in_rules_still_run(app: App) -> None:
    _endpoint(app).add_property_override("EndpointNam", "misspelt")

    with pytest.raises(RuntimeError, match="EndpointNam"):
        app.synth()


def test_an_app_adds_rules_of_its_own(new_app: Callable[..., App]) -> None:
    own = """package shop

import rego.v1

violation contains make_diag("SHOP-001", "ERROR", name, "endpoints are called shop-…") if {
	some name in resources_of_type("AWS::SageMaker::Endpoint")
	not startswith(input.resources[name].properties.EndpointName, "shop-")
}
"""
    app = new_app()
    plugin = SageMakerRules(additional_rego_rules=[("shop.rego", own)])
    Validations.of(app).add_plugins(plugin)
    _endpoint(app).add_property_override(PERCENT, 60)

    with pytest.raises(RuntimeError, match="endpoints are called shop-") as caught:
        app.synth()
    assert "FC-ROLLOUT-001" in str(caught.value)
