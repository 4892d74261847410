"""cfn-lint finds nothing in any template, but for what is recorded here with a reason."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.runner import Runner, run_template_by_data
from synthesis import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from cfnlint.rules import Rules

EXPLAINED = {
    ("E3030", "ml.t3.medium"): (
        "AWS's price list has hosting prices for ml.t3, the API's enumeration lacks it; a warning "
        "at synth says so"
    ),
}
"""Reason by rule and a word of the message."""


@functools.cache
def _rules() -> Rules:
    # Loading the rules takes about as long as linting a template with them.
    return Runner(ConfigMixIn()).rules


def _lint(template: dict[str, Any], region: str) -> list[tuple[str, str]]:
    document, errors = decode_str(json.dumps(template))
    assert errors == []
    matches = run_template_by_data(document, ConfigMixIn(regions=[region]), _rules())
    # "I" rules are advice on style; "E" and "W" are defects.
    return [(match.rule.id, match.message) for match in matches]


def _unexplained(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [
        (rule, message)
        for rule, message in found
        if not any(rule == known and word in message for known, word in EXPLAINED)
    ]


@pytest.fixture(scope="module")
def findings(checked: Callable[[str], Any]) -> dict[str, list[tuple[str, str]]]:
    """What cfn-lint says of every stack of every sample."""
    return {
        name: _lint(template, _region(made.manifest, name))
        for made in map(checked, SAMPLES)
        for name, template in made.templates.items()
    }


def test_cfn_lint_finds_nothing_unexplained(
    findings: dict[str, list[tuple[str, str]]], sample_stacks: dict[str, tuple[str, ...]]
) -> None:
    unexplained = {name: _unexplained(found) for name, found in findings.items()}

    environments = [stack for stacks in sample_stacks.values() for stack in stacks]
    assert unexplained.keys() >= {*environments, *(f"{name}Artifacts" for name in environments)}
    assert {name: found for name, found in unexplained.items() if found} == {}


def test_every_explanation_is_still_needed(findings: dict[str, list[tuple[str, str]]]) -> None:
    found = [finding for several in findings.values() for finding in several]

    for rule, word in EXPLAINED:
        assert any(rule == known and word in message for known, message in found)


def test_cfn_lint_would_find_a_defect(checked: Callable[[str], Any]) -> None:
    broken = json.loads(json.dumps(checked("forecast").templates["ForecastProd"]))
    endpoint = next(
        resource
        for resource in broken["Resources"].values()
        if resource["Type"] == "AWS::SageMaker::Endpoint"
    )
    endpoint["Properties"]["EndpointName"] = {"Fn::GetAtt": ["Nothing", "Name"]}

    assert _unexplained(_lint(broken, "ap-southeast-1")) != []


def _region(manifest: dict[str, Any], stack: str) -> str:
    environment: str = manifest["artifacts"][stack]["environment"]
    return environment.rpartition("/")[2]
