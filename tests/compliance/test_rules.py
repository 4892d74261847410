"""Every rule: its examples are its tests, and it says nothing of what it cannot know."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from cloudformation_yaml import load_template
from planted_defects import TEMPLATES, template_text

from forecast_rules import (
    RuleEngine,
    TemplateUnreadableError,
    find_rule,
    rego_sources,
    rules,
)
from forecast_rules.document import document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_rules import Finding, Rule

REPOSITORY = Path(__file__).parents[2]
FOREIGN = Path(__file__).parent / "templates" / "foreign"
REGION = "eu-central-1"

UNKNOWN: dict[str, Any] = {
    "parameter": {"Ref": "Unknown"},
    "import": {"Fn::ImportValue": "unknown"},
    "condition": {"Fn::If": ["Perhaps", {"Ref": "Unknown"}, {"Ref": "AWS::NoValue"}]},
}

EXPECTED_OF_OURS = {"FC-ENDPOINT-012", "FC-SECURITY-001"}
"""What a configuration may choose: one instance, a model that is not isolated."""


@pytest.fixture(scope="module")
def engine() -> RuleEngine:
    return RuleEngine()


def _ids(findings: list[Finding]) -> set[str]:
    return {finding.rule_id for finding in findings}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.rule_id)
def test_its_passing_example_breaks_no_rule_at_all(engine: RuleEngine, rule: Rule) -> None:
    assert engine.check(rule.passing, region=REGION, builtin=True) == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.rule_id)
def test_its_failing_example_breaks_it(engine: RuleEngine, rule: Rule) -> None:
    found = engine.check(rule.failing, region=REGION)

    assert _ids(found) == {rule.rule_id, *rule.companions}
    (finding, *_) = [finding for finding in found if finding.rule_id == rule.rule_id]
    assert finding.severity == rule.severity
    assert finding.fix == rule.fix
    assert finding.url == rule.url
    assert finding.resource in load_template(rule.failing)["Resources"]
    assert 1 < finding.line <= len(rule.failing.splitlines())


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.rule_id)
def test_it_is_documented_as_the_others_are(rule: Rule) -> None:
    assert re.fullmatch(rf"FC-{rule.group.upper()}-\d{{3}}", rule.rule_id)
    assert rule.title[0].islower()
    assert len(rule.reason.split()) > 3
    assert rule.url.startswith("https://")
    assert find_rule(rule.rule_id.lower()) is rule


def test_the_page_of_the_rules_is_current() -> None:
    page = (REPOSITORY / "docs" / "rules.md").read_text(encoding="utf-8")

    assert page == document(), "run: python -m forecast_rules.document --write docs/rules.md"


def test_no_id_is_used_twice() -> None:
    ids = [rule.rule_id for rule in rules()]

    assert len(ids) == len(set(ids))
    assert len(ids) > 100


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_hardened_template_breaks_no_rule(engine: RuleEngine, name: str) -> None:
    assert engine.check(template_text(name), region=REGION, builtin=True) == []


def test_no_name_is_declared_inside_of_a_loop() -> None:
    # The engine says so only for a template in which the loop comes around a second time.
    late = [
        f"{name}:{number}"
        for name, module in rego_sources()
        for lines in [module.splitlines()]
        for number, line in enumerate(lines, start=1)
        if re.fullmatch(r"\tsome \w+(, \w+)*", line) and not lines[number - 2].endswith("if {")
    ]

    assert late == []


def _places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place below the properties of a resource, except inside of functions."""
    if path:
        yield path
    children: list[tuple[Any, Any]] = []
    if isinstance(node, dict) and not any(key == "Ref" or "Fn::" in key for key in node):
        children = list(node.items())
    elif isinstance(node, list):
        children = list(enumerate(node))
    for key, child in children:
        yield from _places(child, (*path, key))


def _with_unknown(template: dict[str, Any], name: str, path: tuple[Any, ...], kind: str) -> str:
    changed = copy.deepcopy(template)
    block = changed["Resources"][name]["Properties"]
    for key in path[:-1]:
        block = block[key]
    block[path[-1]] = UNKNOWN[kind]
    changed["Parameters"] = {"Unknown": {"Type": "String"}}
    changed["Conditions"] = {"Perhaps": {"Fn::Equals": [{"Ref": "Unknown"}, "yes"]}}
    return json.dumps(changed)


@pytest.mark.parametrize("kind", UNKNOWN)
@pytest.mark.parametrize("name", TEMPLATES)
def test_what_is_known_at_deployment_only_breaks_no_rule(
    engine: RuleEngine, name: str, kind: str
) -> None:
    template = load_template(template_text(name))
    found = {
        (finding.rule_id, resource, *path)
        for resource, content in template["Resources"].items()
        for path in _places(content["Properties"])
        for finding in engine.check(_with_unknown(template, resource, path, kind), region=REGION)
    }

    # The template's own model is then served by nobody, as far as is known.
    model_name = ("Config", "ProductionVariants", 0, "ModelName")
    assert found - {("FC-SECURITY-001", *model_name)} == set()


def _twice(template: dict[str, Any]) -> dict[str, Any]:
    """A template with a second, independent copy of all of its resources."""
    text = json.dumps(template["Resources"])
    for name in template["Resources"]:
        text = re.sub(rf'(?<="){name}(?=")|(?<=\${{){name}(?=[.}}])', f"{name}Two", text)
    text = re.sub(r"forecast-(prod|dev|async)", r"forecast-\1-two", text)
    text = text.replace('"forecaster"', '"forecaster-two"').replace("forecast-config", "config-two")
    return {"Resources": {**template["Resources"], **json.loads(text)}}


@pytest.mark.parametrize("name", TEMPLATES)
def test_two_endpoints_in_one_template_are_kept_apart(engine: RuleEngine, name: str) -> None:
    template = _twice(load_template(template_text(name)))

    assert engine.check(json.dumps(template), region=REGION, builtin=True) == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.rule_id)
def test_it_is_broken_by_each_of_two(engine: RuleEngine, rule: Rule) -> None:
    template = _twice(load_template(rule.failing))

    found = engine.check(json.dumps(template), region=REGION)

    broken = {finding.resource for finding in found if finding.rule_id == rule.rule_id}
    assert broken >= {f"{name}Two" for name in broken if f"{name}Two" in template["Resources"]}
    assert len(broken) >= 2


@pytest.mark.parametrize("name", ["parameters", "components", "unrelated"])
def test_foreign_templates_break_no_rule(engine: RuleEngine, name: str) -> None:
    text = (FOREIGN / f"{name}.yaml").read_text(encoding="utf-8")

    assert engine.check(text, region="us-east-1") == []


def test_a_first_template_hears_of_all_that_is_wrong_with_it(engine: RuleEngine) -> None:
    text = (FOREIGN / "tutorial.yaml").read_text(encoding="utf-8")

    found = engine.check(text, region="us-east-1")

    assert sorted(_ids(found)) == [
        "FC-ALARM-001",
        "FC-ALARM-003",
        "FC-ALARM-009",
        "FC-DELETION-001",
        "FC-DELETION-002",
        "FC-ENDPOINT-001",
        "FC-ENDPOINT-002",
        "FC-ENDPOINT-012",
        "FC-ENDPOINT-018",
        "FC-ROLLOUT-007",
        "FC-ROLLOUT-020",
        "FC-SCALING-006",
        "FC-SECURITY-001",
        "FC-SECURITY-002",
        "FC-SECURITY-006",
        "FC-SECURITY-009",
    ]


def test_the_reviewed_templates_of_this_project_break_no_rule(engine: RuleEngine) -> None:
    snapshots = sorted((REPOSITORY / "tests/snapshot/__snapshots__").rglob("*.json"))

    found = {
        (finding.rule_id, path.name)
        for path in snapshots
        for finding in engine.check(path.read_bytes(), name=path.name)
    }

    assert len(snapshots) > 10
    assert {entry for entry in found if entry[0] not in EXPECTED_OF_OURS} == set()


def test_a_condition_decides_whether_two_resources_meet(engine: RuleEngine) -> None:
    rule = find_rule("FC-SCALING-010")
    assert rule is not None
    template = load_template(rule.failing)
    template["Parameters"] = {"Stage": {"Type": "String"}}
    template["Conditions"] = {
        "Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
        "Other": {"Fn::Not": [{"Condition": "Prod"}]},
    }
    template["Resources"]["ScalingTarget"]["Condition"] = "Prod"
    template["Resources"]["Another"]["Condition"] = "Other"

    assert rule.rule_id not in _ids(engine.check(json.dumps(template)))


def test_a_rule_on_regions_needs_the_region(engine: RuleEngine) -> None:
    rule = find_rule("FC-ENDPOINT-011")
    assert rule is not None

    assert _ids(engine.check(rule.failing)) == set()
    assert _ids(engine.check(rule.failing, region="us-west-2")) == set()
    assert _ids(engine.check(rule.failing, region=REGION)) == {rule.rule_id}


def test_json_and_yaml_are_read_alike(engine: RuleEngine) -> None:
    template = load_template(rules()[0].failing)

    as_json = engine.check(json.dumps(template))
    as_yaml = engine.check(yaml.safe_dump(template))

    assert _ids(as_json) == _ids(as_yaml) == {rules()[0].rule_id}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Empty YAML document"),
        ("plain text", "must be a YAML mapping"),
        ('{"Resources": {', "line 1: JSON parse error"),
        ("Resources: [", "YAML parse error"),
        ("Outputs: {}", "it has no Resources"),
    ],
)
def test_what_is_no_template_is_refused(engine: RuleEngine, text: str, message: str) -> None:
    with pytest.raises(TemplateUnreadableError, match=re.escape(message)):
        engine.check(text)
