"""What cdk-nag and the CDK's own validation say of every environment of every sample."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import Fn, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks
from synthesis import SAMPLES

from forecast_constructs.acknowledgements import (
    PACKS_OF_RULE,
    acknowledge,
    acknowledge_wildcard,
)
from forecast_constructs.conformance import conformance_packs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from aws_cdk import App

PACK_NAMES = ("AwsSolutions", "NIST.800.53.R5", "PCI.DSS.321", "HIPAA.Security")

WARNINGS = {"Annotation::forecast:singleInstance", "Annotation::forecast:unlistedInstanceType"}
"""What the project itself warns of."""

Acknowledgement = tuple[str, str]
"""Path of the construct, and id of the rule."""


@pytest.fixture(scope="module", params=SAMPLES)
def sample(request: pytest.FixtureRequest, checked: Callable[[str], Any]) -> Any:
    return checked(request.param)


def _acknowledged(app: App) -> Iterator[tuple[Acknowledgement, str]]:
    """What is recorded in the construct tree, as the synth wrote it beside the templates."""
    for file in sorted(Path(app.outdir).glob("*.metadata.json")):
        for path, entries in json.loads(file.read_text("utf-8")).items():
            for entry in entries:
                if entry["type"] == Validations.ACKNOWLEDGED_RULES_METADATA_KEY:
                    for rule, reason in entry["data"].items():
                        yield (path.removeprefix("/"), rule), reason


@pytest.mark.parametrize("pack", PACK_NAMES)
def test_a_pack_finds_nothing_unexplained(pack: str, sample: Any) -> None:
    (report,) = [
        report for report in sample.report["pluginReports"] if report["pluginName"] == pack
    ]

    assert report["conclusion"] == "success"
    assert report["violations"] == []
    assert report["suppressedViolations"], "the pack ran on nothing"


def test_template_validation_warns_of_nothing_but_what_we_say_ourselves(sample: Any) -> None:
    violations = {
        violation["ruleName"]
        for report in sample.report["pluginReports"]
        for violation in report["violations"]
    }

    assert violations <= WARNINGS


def test_every_acknowledgement_has_a_reason(sample: Any) -> None:
    reasons = {reason for _, reason in _acknowledged(sample.app)}

    assert reasons
    assert all(len(reason.split()) >= 5 for reason in reasons)
    assert not [reason for reason in reasons if reason.endswith(".")]


def test_every_acknowledgement_is_still_needed(sample: Any) -> None:
    used = {
        (violation["acknowledgedAt"], violation["acknowledgedId"])
        for report in sample.report["pluginReports"]
        for violation in report.get("suppressedViolations", ())
    }

    recorded = {acknowledgement for acknowledgement, _ in _acknowledged(sample.app)}
    assert recorded - used == set()


def test_no_acknowledgement_covers_a_whole_stack(sample: Any) -> None:
    for (path, _), _ in _acknowledged(sample.app):
        assert "/" in path


def test_an_unexplained_finding_ends_the_synth(new_app: Callable[..., Any]) -> None:
    app = new_app()
    Validations.of(app).add_plugins(*conformance_packs(app))
    s3.Bucket(Stack(app, "Open"), "Bucket")

    with pytest.raises(RuntimeError, match="ValidationFailed") as failure:
        app.synth()
    for pack in PACK_NAMES:
        assert f"({pack})" in str(failure.value)


def test_a_rule_is_recorded_for_every_pack_that_has_it(new_app: Callable[..., Any]) -> None:
    app = new_app()
    bucket = s3.CfnBucket(Stack(app, "Stack"), "Bucket")
    acknowledge(bucket, "S3BucketReplicationEnabled", "what is in it can be made again")
    acknowledge(bucket, "S1", "what is in it can be made again")

    app.synth()

    assert {rule for (_, rule), _ in _acknowledged(app)} == {
        "NIST.800.53.R5::NIST.800.53.R5-S3BucketReplicationEnabled",
        "PCI.DSS.321::PCI.DSS.321-S3BucketReplicationEnabled",
        "HIPAA.Security::HIPAA.Security-S3BucketReplicationEnabled",
        "AwsSolutions::AwsSolutions-S1",
    }


def test_every_rule_of_the_table_was_really_acknowledged(checked: Callable[[str], Any]) -> None:
    recorded = {
        rule.rpartition("-")[2]
        for name in SAMPLES
        for (_, rule), _ in _acknowledged(checked(name).app)
    }

    assert set(PACKS_OF_RULE) <= recorded


@pytest.mark.parametrize("rule", ["S3BucketReplication", "S", "s1", "IAM5[", "IAM5[]", ""])
def test_an_unknown_rule_is_refused(rule: str, new_app: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"got '{rule}'")):
        acknowledge(new_app(), rule, "a reason of at least five words")


def test_an_arn_is_acknowledged_however_it_is_composed(new_app: Callable[..., Any]) -> None:
    app = new_app()
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    stack = Stack(app, "Stack")
    bucket = s3.CfnBucket(stack, "Bucket")
    arns = [
        "arn:aws:s3:::shop/*",
        f"{bucket.attr_arn}/*",
        f"arn:aws:s3:::{bucket.ref}/models/*",
        Fn.sub("arn:${AWS::Partition}:s3:::shop/*"),
        f"{Fn.import_value('BucketArn')}/*",
    ]
    policy = iam.ManagedPolicy(
        stack, "Policy", statements=[iam.PolicyStatement(actions=["s3:GetObject"], resources=arns)]
    )
    for construct, rule in ((bucket, "S1"), (bucket, "S10")):
        acknowledge(construct, rule, "this bucket is there for its ARN")
    for arn in arns:
        acknowledge_wildcard(policy, arn, "every object may be read by everyone here")

    app.synth()


def test_every_finding_and_its_reason_are_in_the_docs(
    checked: Callable[[str], Any], repository: Path
) -> None:
    page = (repository / "docs/security.md").read_text("utf-8")
    table = page.partition("<!-- findings -->\n")[2].partition("<!-- end of findings -->")[0]

    assert table == _render_findings(
        finding
        for sample in map(checked, SAMPLES)
        for finding in (*_acknowledged(sample.app), *_explained_to_checkov(sample.templates))
    )


def _explained_to_checkov(
    templates: dict[str, dict[str, Any]],
) -> Iterator[tuple[Acknowledgement, str]]:
    for stack, template in templates.items():
        for resource in template["Resources"].values():
            for skipped in resource.get("Metadata", {}).get("checkov", {}).get("skip", ()):
                yield (f"{stack}/{resource['Type']}", skipped["id"]), skipped["comment"]


def _render_findings(acknowledged: Iterable[tuple[Acknowledgement, str]]) -> str:
    places: dict[tuple[str, str], set[str]] = {}
    for (path, rule_id), reason in acknowledged:
        # Without the pack, and without the ARN in the id of one finding.
        rule = re.sub(r"^.*?::|\[.*", "", rule_id)
        for pack in PACK_NAMES:
            rule = rule.removeprefix(f"{pack}-")
        place = path.partition("/")[2].removesuffix("/Resource")
        places.setdefault((rule, reason), set()).add(f"`{place}`")
    rows = [
        f"| {rule} | {', '.join(sorted(found))} | {reason} |\n"
        for (rule, reason), found in sorted(places.items())
    ]
    return "".join(("| rule | where | why |\n", "|---|---|---|\n", *rows))
