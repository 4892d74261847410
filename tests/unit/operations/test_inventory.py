"""What a template stores is listed with its key and its end, and nothing is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from forecast_config import ForecastError
from forecast_operations.commands import inventory
from forecast_operations.documents import as_json
from forecast_operations.storing.inventory import list_records, read_inventory
from forecast_operations.storing.record import UNKNOWN, Record
from forecast_operations.storing.report import MARK, as_markdown, with_markdown

REPOSITORY = Path(__file__).parents[3]
SNAPSHOTS = REPOSITORY / "tests/snapshot/__snapshots__/test_templates"
PAGE = REPOSITORY / "docs/data-inventory.md"
KEY = {"Fn::GetAtt": ["EncryptionKey3A692D6E", "Arn"]}
IMPORTED = {"Fn::ImportValue": "Artifacts:Key"}


def _snapshot(stack: str) -> Path:
    return SNAPSHOTS / f"test_template_is_as_reviewed[{stack}].json"


def _records(kind: str, properties: dict[str, Any], **policies: str) -> list[Record]:
    resource = {"Type": f"AWS::{kind}", "Properties": properties, **policies}
    return list_records({"Stack": {"Resources": {"Thing0123ABCD": resource}}})


def _record(kind: str, properties: dict[str, Any], **policies: str) -> Record:
    (record,) = _records(kind, properties, **policies)
    return record


def _bucket(*rules: dict[str, Any], name: str = "store", **properties: Any) -> dict[str, Any]:
    enabled = [{"Status": "Enabled", **rule} for rule in rules]
    return {
        "Type": "AWS::S3::Bucket",
        "Properties": {
            "BucketName": name,
            "LifecycleConfiguration": {"Rules": enabled},
            **properties,
        },
    }


VERSIONED = {"VersioningConfiguration": {"Status": "Enabled"}}


def test_each_prefix_of_a_bucket_has_its_own_end() -> None:
    bucket = _bucket(
        {"NoncurrentVersionExpiration": {"NoncurrentDays": 90}},
        {
            "Prefix": "data-capture/",
            "ExpirationInDays": 30,
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
        },
        **VERSIONED,
    )

    captured, rest = list_records({"Stack": {"Resources": {"Bucket": bucket}}})

    assert captured.where == "s3://store/data-capture/"
    assert captured.kept == "30 days, then 1 day as a noncurrent version"
    assert captured.personal.startswith("possible")
    assert rest.kept == "until it is deleted, then 90 days as a noncurrent version"


def test_a_rule_that_is_disabled_deletes_nothing() -> None:
    bucket = _bucket({"ExpirationInDays": 30, "Status": "Disabled"})

    (record,) = list_records({"Stack": {"Resources": {"Bucket": bucket}}})

    assert record.kept == "until it is deleted"


def test_what_is_captured_is_found_by_where_the_endpoint_puts_it() -> None:
    config = {
        "Type": "AWS::SageMaker::EndpointConfig",
        "Properties": {
            "DataCaptureConfig": {
                "EnableCapture": True,
                "InitialSamplingPercentage": 20,
                "DestinationS3Uri": {"Fn::Sub": "s3://store-${AWS::AccountId}/elsewhere"},
            },
            "AsyncInferenceConfig": {
                "OutputConfig": {"S3OutputPath": "s3://store-<account>/async/answers/"}
            },
        },
    }
    bucket = _bucket(name="store-<account>")

    records = list_records({"A": {"Resources": {"B": bucket}}, "E": {"Resources": {"C": config}}})

    places = {record.where: record.what for record in records}
    assert places["s3://store-<account>/elsewhere/"].startswith("captured requests")
    assert "20 %" in places["s3://store-<account>/elsewhere/"]
    assert places["s3://store-<account>/async/answers/"] == "answers to asynchronous requests"


def test_capture_that_is_switched_off_is_not_listed() -> None:
    config = {
        "Type": "AWS::SageMaker::EndpointConfig",
        "Properties": {
            "DataCaptureConfig": {"EnableCapture": False, "DestinationS3Uri": "s3://store/captured"}
        },
    }

    records = list_records({"S": {"Resources": {"Bucket": _bucket(), "Config": config}}})

    assert [record.where for record in records] == ["s3://store/"]


@pytest.mark.parametrize(
    "container",
    [
        {"ModelDataUrl": "s3://store/models/abc/model.tar.gz"},
        {"ModelDataSource": {"S3DataSource": {"S3Uri": "s3://store/models/abc.gz"}}},
        {"ModelDataSource": {"S3DataSource": {"S3Uri": "s3://store/models/abc/"}}},
    ],
)
def test_deployment_records_lie_beside_the_archives(container: dict[str, Any]) -> None:
    model = {"Type": "AWS::SageMaker::Model", "Properties": {"PrimaryContainer": container}}

    records = list_records({"S": {"Resources": {"Bucket": _bucket(**VERSIONED), "Model": model}}})

    (kept,) = [record for record in records if record.where == "s3://store/deployments/"]
    assert kept.personal.startswith("yes: who verified")
    assert kept.kept.startswith("until it is deleted")


def test_a_model_of_another_layout_has_no_deployment_records() -> None:
    model = {
        "Type": "AWS::SageMaker::Model",
        "Properties": {"PrimaryContainer": {"ModelDataUrl": "s3://store/other/model.tar.gz"}},
    }

    records = list_records({"S": {"Resources": {"Bucket": _bucket(), "Model": model}}})

    assert "s3://store/deployments/" not in [record.where for record in records]


def test_templates_with_the_same_ids_are_not_taken_for_each_other() -> None:
    def template(name: str) -> dict[str, Any]:
        logging = {"DestinationBucketName": {"Ref": "Logs"}, "LogFilePrefix": "artifacts/"}
        logs = {"Type": "AWS::S3::Bucket", "Properties": {}}
        store = _bucket(name=name, LoggingConfiguration=logging)
        return {"Resources": {"Logs": logs, "Store": store}}

    records = list_records({"One": template("first"), "Two": template("second")})

    told = {record.stack: record.what for record in records if "access logs" in record.what}
    assert told == {"One": "access logs of first", "Two": "access logs of second"}


@pytest.mark.parametrize(
    ("encryption", "shown"),
    [
        ({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}, "KMS key EncryptionKey"),
        ({"SSEAlgorithm": "aws:kms"}, "a key that AWS owns"),
        ({"SSEAlgorithm": "AES256"}, "a key of Amazon S3 (SSE-S3)"),
    ],
)
def test_a_bucket_names_its_key(encryption: dict[str, Any], shown: str) -> None:
    rules = [{"ServerSideEncryptionByDefault": encryption}]
    properties = {"BucketEncryption": {"ServerSideEncryptionConfiguration": rules}}

    assert _record("S3::Bucket", properties).encryption == shown


def test_a_key_of_another_template_is_named() -> None:
    artifacts = {
        "Resources": {},
        "Outputs": {"Out": {"Value": KEY, "Export": {"Name": "Artifacts:Key"}}},
    }
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"KmsKeyId": IMPORTED}}

    (together,) = list_records({"A": artifacts, "E": {"Resources": {"Logs": group}}})
    (alone,) = list_records({"E": {"Resources": {"Logs": group}}})

    assert together.encryption == "KMS key EncryptionKey"
    assert alone.encryption == "KMS key Artifacts:Key"


@pytest.mark.parametrize(
    ("kind", "properties", "kept"),
    [
        ("Logs::LogGroup", {}, "without end"),
        ("Logs::LogGroup", {"RetentionInDays": 365}, "365 days"),
        ("SQS::Queue", {}, "4 days"),
        ("SQS::Queue", {"MessageRetentionPeriod": 1209600}, "14 days"),
        ("SageMaker::Endpoint", {}, "15 months"),
        ("SNS::Topic", {}, "not stored; retried for at most 23 days"),
        ("StepFunctions::StateMachine", {}, "90 days after the end of each"),
        ("KMS::Key", {}, "as long as the stack; never rotated"),
        ("SSM::Parameter", {"Type": "String"}, "as long as the stack"),
        ("Lambda::Function", {}, "as long as the stack"),
        ("Budgets::Budget", {}, "as long as the stack"),
        ("Scheduler::Schedule", {"Target": {"Input": "{}"}}, "as long as the stack"),
        ("Events::Rule", {"Targets": [{"Input": "{}"}]}, "as long as the stack"),
    ],
)
def test_what_is_kept_ends_as_the_template_says(
    kind: str, properties: dict[str, Any], kept: str
) -> None:
    assert _record(kind, properties).kept == kept


@pytest.mark.parametrize(
    ("kind", "properties"),
    [("Events::Rule", {"Targets": [{"Arn": "a"}]}), ("Scheduler::Schedule", {"Target": {}})],
)
def test_what_sends_nothing_of_its_own_stores_nothing(
    kind: str, properties: dict[str, Any]
) -> None:
    assert _records(kind, properties) == []


@pytest.mark.parametrize(
    ("variant", "key", "shown"),
    [
        ({"InstanceType": "ml.m5.large"}, KEY, "KMS key EncryptionKey"),
        ({"InstanceType": "ml.m5.large"}, None, "a key that AWS owns"),
        ({"InstanceType": "ml.m5d.large"}, None, "the instance's hardware"),
        ({"ServerlessConfig": {}}, None, "a key that AWS owns"),
    ],
)
def test_the_storage_of_instances_names_its_key(
    variant: dict[str, Any], key: Any, shown: str
) -> None:
    properties = {"ProductionVariants": [{"VariantName": "AllTraffic", **variant}], "KmsKeyId": key}

    assert _record("SageMaker::EndpointConfig", properties).encryption == shown


def test_a_shadow_has_storage_too() -> None:
    properties = {
        "ProductionVariants": [{"VariantName": "Champion"}],
        "ShadowProductionVariants": [{"VariantName": "Shadow"}],
    }

    wheres = [each.where for each in _records("SageMaker::EndpointConfig", properties)]

    assert wheres == ["storage of the instances of Champion", "storage of the instances of Shadow"]


@pytest.mark.parametrize(
    ("kind", "policies", "shown"),
    [
        ("Logs::LogGroup", {}, "deleted"),
        ("Logs::LogGroup", {"DeletionPolicy": "RetainExceptOnCreate"}, "kept"),
        ("S3::Bucket", {"DeletionPolicy": "Retain"}, "kept"),
        ("S3::Bucket", {}, "deleted if empty, else the deletion fails"),
        ("KMS::Key", {}, "deleted after 30 days"),
    ],
)
def test_what_outlives_its_stack_is_said(kind: str, policies: dict[str, str], shown: str) -> None:
    assert _record(kind, {}, **policies).on_deletion == shown


@pytest.mark.parametrize(
    ("kind", "properties", "hint"),
    [
        ("SNS::Subscription", {"Protocol": "email"}, "yes: an e-mail address"),
        ("SNS::Subscription", {"Protocol": "lambda"}, "no"),
        ("Logs::LogGroup", {"LogGroupName": "/aws/vpc/flow-logs/a"}, "yes: IP addresses"),
        ("Logs::LogGroup", {"LogGroupName": "/aws/lambda/a"}, "no"),
        ("Logs::LogGroup", {"LogGroupName": "/aws/vendedlogs/states/a"}, "no"),
        ("Logs::LogGroup", {"LogGroupName": "mine"}, "possible: whatever is written to it"),
    ],
)
def test_personal_data_is_pointed_at(kind: str, properties: dict[str, Any], hint: str) -> None:
    assert _record(kind, properties).personal == hint


def test_an_unknown_type_is_listed_and_not_dropped() -> None:
    record = _record("DynamoDB::Table", {})

    assert (record.what, record.kept, record.where) == (UNKNOWN, UNKNOWN, "Thing")
    assert f"{UNKNOWN} (AWS::DynamoDB::Table)" in as_markdown([record])


def test_what_stores_nothing_is_not_listed() -> None:
    assert _records("IAM::Role", {}) == []


def test_every_type_that_the_project_makes_is_known() -> None:
    records = read_inventory(sorted(SNAPSHOTS.glob("*.json")))

    assert {record.resource_type for record in records if record.what == UNKNOWN} == set()


def test_the_page_in_the_docs_is_current() -> None:
    records = read_inventory([_snapshot("ForecastProdArtifacts"), _snapshot("ForecastProd")])
    page = PAGE.read_text()

    assert MARK in page
    assert page == with_markdown(page, records)


def test_a_page_keeps_what_stands_before_its_mark() -> None:
    records = _records("SQS::Queue", {"QueueName": "a|b"})

    page = with_markdown(f"# Mine\n\n{MARK}\nold", records)

    assert page.startswith(f"# Mine\n\n{MARK}\n\n## Stack\n")
    assert "old" not in page
    assert "a\\|b" in page
    assert with_markdown("", records) == as_markdown(records)


def test_the_records_are_json_for_programs() -> None:
    (document,) = json.loads(as_json(_records("SQS::Queue", {})))

    assert document["logical_id"] == "Thing0123ABCD"
    assert document["stack"] == "Stack"
    assert document["on_deletion"] == "deleted"


def test_an_environment_is_its_templates_of_the_last_synth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {}}}}
    for name in ("ForecastProdArtifacts", "ForecastProd"):
        (tmp_path / f"{name}.template.json").write_text(json.dumps(queue))
    config = REPOSITORY / "config/forecast.yaml"

    inventory.inventory_command(["prod"], config=config, folder=tmp_path, as_json=True)

    documents = json.loads(capsys.readouterr().out)
    assert [each["stack"] for each in documents] == ["ForecastProdArtifacts", "ForecastProd"]


def test_without_a_synth_it_says_what_to_run(tmp_path: Path) -> None:
    config = REPOSITORY / "config/forecast.yaml"

    with pytest.raises(ForecastError, match=r"no such file; run: cdk synth"):
        inventory.inventory_command(["prod"], config=config, folder=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Resources:", "expected a template in JSON"),
        ("[]", "expected a CloudFormation template with Resources"),
        ('{"Resources": {"A": {}}}', "expected a CloudFormation template with Resources"),
    ],
)
def test_what_is_no_template_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    path.write_text(text)

    with pytest.raises(ForecastError, match=message):
        inventory.inventory_command([str(path)])


def test_the_table_and_the_file_name_what_is_stored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "Mine.template.json"
    path.write_text(json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}))

    inventory.inventory_command([str(path)])
    inventory.inventory_command([str(path)], markdown=True)
    inventory.inventory_command([str(path)], write=tmp_path / "page.md")

    shown = capsys.readouterr().out
    assert "Kept for" in shown
    assert "## Mine" in shown
    assert "4 days" in (tmp_path / "page.md").read_text()
    with pytest.raises(ForecastError, match="cannot write"):
        inventory.inventory_command([str(path)], write=tmp_path)
