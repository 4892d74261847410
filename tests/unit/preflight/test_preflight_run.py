"""All checks look, whatever one of them finds, and the exit code says what came of it."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from forecast_config import ForecastError, names
from forecast_local.simulation import Simulation
from forecast_operations.cli import app
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.refusals import CloudError
from forecast_operations.preflight import preflight
from forecast_operations.preflight.finding import Finding, failed, ok, skipped, warning
from forecast_operations.preflight.preflight import CHECKS, Check, run_checks

if TYPE_CHECKING:
    from collections.abc import Callable

CALLER = {"Account": "111111111111", "Arn": "arn:aws:iam::111111111111:user/someone"}
IDENTITY = {
    "sts": {"get_caller_identity": CALLER},
    "ec2": {"describe_regions": {"Regions": [{"OptInStatus": "opted-in"}]}},
}


@pytest.fixture
def run(config_of: Callable[..., Any], cloud_of: Callable[..., Cloud]) -> Callable[..., Any]:
    """The findings of checks of one's own, without those of credentials and region."""

    def look(*checks: Check, identity: Any = None, **options: Any) -> list[Finding]:
        config = config_of()
        cloud = cloud_of(**(identity or IDENTITY))
        settings = config.environments["live"]
        found = run_checks(config, settings, cloud=cloud, home=cloud, checks=checks, **options)
        return found[2:]

    return look


def _raising(error: Exception) -> Any:
    def look(_: Any) -> Any:
        yield ok("before", "seen")
        raise error

    return look


def test_a_missing_permission_is_named_and_stops_nobody(
    run: Callable[..., Any], cloud_of: Callable[..., Cloud], refused: Callable[..., Any]
) -> None:
    denied = cloud_of(kms={"describe_key": refused("AccessDeniedException")})

    def look(_: Any) -> Any:
        yield ok("first", "seen")
        denied.ask("kms", "describe_key", KeyId="x")

    found = run(Check("key", look), Check("next", lambda _: [ok("next", "seen")]))

    assert [(each.check, each.status) for each in found] == [
        ("first", "ok"),
        ("key", "skipped"),
        ("next", "ok"),
    ]
    missing = found[1]
    assert missing.found == "permission kms:DescribeKey is missing"
    assert missing.advice.startswith("allow kms:DescribeKey")


def test_what_was_seen_before_an_error_is_kept(run: Callable[..., Any]) -> None:
    found = run(Check("model", _raising(ForecastError("the file is broken"))))

    assert found == [ok("before", "seen"), failed("model", "the file is broken", "", "")]


def test_an_error_of_the_program_is_not_hidden(run: Callable[..., Any]) -> None:
    with pytest.raises(KeyError):
        run(Check("broken", _raising(KeyError("x"))))


def test_a_page_of_html_is_told_in_its_words(run: Callable[..., Any]) -> None:
    page = "AWS refuses it: <!doctype html>\n<html lang=en>\n<h1>Not Found</h1>\n (404)"

    found = run(Check("quotas", _raising(CloudError(page))))

    assert found[1] == skipped("quotas", "AWS refuses it: Not Found (404)")


def test_checks_of_this_machine_look_without_credentials(
    run: Callable[..., Any], refused: Callable[..., Any]
) -> None:
    unknown = {"sts": {"get_caller_identity": refused("InvalidClientTokenId")}}

    found = run(
        Check("here", lambda _: [ok("here", "seen")], asks_aws=False),
        Check("there", _raising(AssertionError("it was asked"))),
        identity=unknown,
    )

    assert found == [
        ok("here", "seen"),
        skipped("there", "credentials, account or region do not fit"),
    ]


def test_checks_wait_side_by_side_and_are_told_of_in_their_order(
    run: Callable[..., Any],
) -> None:
    both = threading.Barrier(2, timeout=10)

    def look(name: str) -> Any:
        def wait(_: Any) -> list[Finding]:
            both.wait()
            return [ok(name, "seen")]

        return wait

    done: list[str] = []
    found = run(Check("a", look("a")), Check("b", look("b")), done=done.append)

    assert [each.check for each in found] == ["a", "b"]
    assert sorted(done) == ["a", "b", "credentials"]


@pytest.mark.parametrize(
    ("findings", "options", "code"),
    [
        ([ok("a", "x")], [], 0),
        ([warning("a", "x", "y", "z"), skipped("b", "x")], [], 0),
        ([failed("a", "x", "y", "z"), ok("b", "x")], [], 1),
        ([warning("a", "x", "y", "z")], ["--strict"], 1),
        ([skipped("b", "x")], ["--strict"], 1),
        ([ok("a", "x")], ["--strict"], 0),
    ],
)
def test_the_exit_code_says_whether_to_go_on(
    findings: list[Finding],
    options: list[str],
    code: int,
    config_of: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preflight, "run_checks", lambda *_, **__: findings)
    source = str(config_of().source)

    done = CliRunner().invoke(app, ["preflight", "live", "-c", source, "--json", *options])

    document = json.loads(done.stdout)
    assert done.exit_code == code
    assert document["passed"] is (code == 0)
    assert [each["status"] for each in document["findings"]] == [each.status for each in findings]


def test_only_problems_can_be_shown(
    config_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = [ok("fine thing", "x"), failed("bad thing", "found it", "better", "mend it")]
    monkeypatch.setattr(preflight, "run_checks", lambda *_, **__: findings)

    done = CliRunner().invoke(
        app, ["preflight", "live", "-c", str(config_of().source), "--problems"]
    )

    assert "bad thing" in done.stdout
    assert "mend it" in done.stdout
    assert "fine thing" not in done.stdout
    assert "1 ok, 1 failed: mend what failed" in done.stderr


def test_an_account_can_be_given_where_the_file_has_none(
    config_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def look(_: Any, settings: Any, **__: Any) -> list[Finding]:
        seen.append(settings.account)
        return []

    monkeypatch.setattr(preflight, "run_checks", look)
    command = ["preflight", "live", "-c", str(config_of().source), "--account"]

    CliRunner().invoke(app, [*command, "222222222222"])
    wrong = CliRunner().invoke(app, [*command, "22"])

    assert seen == ["222222222222"]
    assert "expected an account id of 12 digits" in str(wrong.exception)


@pytest.fixture
def stubbed(cloud_of: Callable[..., Cloud]) -> Cloud:
    """What the simulation does not have: quotas."""
    quota = {
        "QuotaName": "ml.m5.large for endpoint usage",
        "QuotaCode": "L-1",
        "Value": 4.0,
        "Adjustable": True,
    }
    limits = {"AccountLimit": {"UnreservedConcurrentExecutions": 1000}}
    return cloud_of(
        service_quotas={
            "list_service_quotas": {"Quotas": [quota]},
            "get_service_quota": {"Quota": {"Value": 5.0}},
        },
        **{"lambda": {"get_account_settings": limits}},
    )


def _looked_at(aws: Simulation, config: Any, stubs: dict[str, Any]) -> list[Finding]:
    """What the checks that ask AWS find of the environment `live`."""
    settings = config.environments["live"]
    services = ["sts", "ec2", "ssm", "cloudformation", "s3", "ecr", "sagemaker", "logs", "iam"]
    clients = {name: aws.client(name) for name in [*services, "cloudwatch", "kms"]} | stubs
    cloud = Cloud(settings.region, clients=clients)
    checks = [check for check in CHECKS if check.asks_aws]
    return run_checks(config, settings, cloud=cloud, home=cloud, checks=checks)


def test_an_empty_account_passes_but_for_what_it_lacks(
    config_of: Callable[..., Any], stubbed: Cloud
) -> None:
    config = config_of(network={"kind": "new"})
    settings = config.environments["live"]
    stubs = {name: stubbed.client(name) for name in ("service-quotas", "lambda")}
    with Simulation(region=settings.region) as aws:
        found = _looked_at(aws, config, stubs)
        aws.client("s3").create_bucket(
            Bucket=names.artifact_bucket("forecast-live", aws.account, settings.region),
            CreateBucketConfiguration={"LocationConstraint": settings.region},
        )
        again = _looked_at(aws, config, stubs)

    assert {each.check: each.status for each in found if each.status != "ok"} == {
        "bootstrap version": "failed"
    }
    assert {each.check for each in again if each.status == "failed"} == {
        "bootstrap version",
        "name of the bucket",
    }


def test_a_first_deployment_that_failed_leaves_nothing_in_the_way(
    config_of: Callable[..., Any], cloud_of: Callable[..., Cloud], stubbed: Cloud
) -> None:
    config = config_of(network={"kind": "new"})
    gone = {"PhysicalResourceId": "forecast-live", "ResourceStatus": "DELETE_COMPLETE"}
    endpoint = {
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {"ProductionVariants": []},
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": "forecast-live",
                "EndpointConfigName": {"Ref": "Config"},
            },
        },
    }
    stacks = cloud_of(
        cloudformation={
            "describe_stacks": {"Stacks": [{"StackStatus": "ROLLBACK_COMPLETE"}]},
            "list_stack_resources": {"StackResourceSummaries": [gone]},
            "get_template": {"TemplateBody": json.dumps({"Resources": endpoint})},
        }
    )
    stubs = {name: stubbed.client(name) for name in ("service-quotas", "lambda")}
    stubs["cloudformation"] = stacks.client("cloudformation")
    with Simulation(region=config.environments["live"].region) as aws:
        found = _looked_at(aws, config, stubs)

    assert {each.check for each in found if each.status == "failed"} == {"bootstrap version"}
    assert {each.check for each in found if each.status == "warning"} == {
        "stack ForecastLiveArtifacts",
        "stack ForecastLive",
    }
