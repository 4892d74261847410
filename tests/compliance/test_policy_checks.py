"""What offline policy checks say of every environment of every sample configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import Stack, Validations
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from constructs import IConstruct

SAMPLES = ("forecast", "minimal", "comprehensive")

Acknowledgement = tuple[str, str]
"""Path of the construct, and id of the rule."""


@pytest.fixture(scope="module", params=SAMPLES)
def checked(
    request: pytest.FixtureRequest, synthesize: Callable[..., Any], samples: dict[str, Path]
) -> Any:
    """A sample synthesized with cdk-nag's AwsSolutions; any violation would end the synth."""
    return synthesize(samples[request.param], plugins=AwsSolutionsChecks)


def _reports(checked: Any, name: str) -> list[dict[str, Any]]:
    return [report for report in checked.report["pluginReports"] if report["pluginName"] == name]


def _acknowledged(scope: IConstruct) -> Iterator[tuple[Acknowledgement, str]]:
    for construct in scope.node.find_all():
        for entry in construct.node.metadata:
            if entry.type == Validations.ACKNOWLEDGED_RULES_METADATA_KEY:
                for rule, reason in entry.data.items():
                    yield (construct.node.path, rule), reason


def test_aws_solutions_finds_nothing_unexplained(checked: Any) -> None:
    (report,) = _reports(checked, "AwsSolutions")

    assert report["conclusion"] == "success"
    assert report["violations"] == []
    assert report["suppressedViolations"], "the pack ran on nothing"


def test_template_validation_warns_of_nothing_but_what_we_say_ourselves(checked: Any) -> None:
    violations = [
        violation["ruleName"]
        for report in checked.report["pluginReports"]
        for violation in report["violations"]
    ]

    assert set(violations) <= {"Annotation::forecast:unlistedInstanceType"}


def test_every_acknowledgement_has_a_reason(checked: Any) -> None:
    reasons = [reason for _, reason in _acknowledged(checked.app)]

    assert reasons
    assert all(len(reason.split()) >= 5 for reason in reasons)


def test_every_acknowledgement_is_still_needed(checked: Any) -> None:
    used = {
        (violation["acknowledgedAt"], violation["acknowledgedId"])
        for report in checked.report["pluginReports"]
        for violation in report.get("suppressedViolations", ())
    }

    recorded = {acknowledgement for acknowledgement, _ in _acknowledged(checked.app)}
    assert recorded - used == set()


def test_an_unexplained_finding_ends_the_synth(new_app: Callable[..., Any]) -> None:
    app = new_app()
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    s3.Bucket(Stack(app, "Open"), "Bucket")

    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
