"""What SageMaker must be able to reach when a model is created: its role and its data."""

import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from moto.sagemaker.exceptions import ValidationError

from forecast_local.sagemaker.model_data import list_objects, split_s3_uri
from forecast_local.sagemaker.records import HostedModel

_PRINCIPAL = "sagemaker.amazonaws.com"


def check_role(iam: Any, arn: str) -> None:
    """Refuse a role that does not exist or that SageMaker may not assume.

    Args:
        iam: boto3 client of the account's IAM.
        arn: The execution role.
    """
    message = (
        f"Could not assume role {arn}. Please ensure that the role exists and allows "
        f"principal '{_PRINCIPAL}' to assume the role."
    )
    try:
        role = iam.get_role(RoleName=arn.rpartition("/")[2])["Role"]
    except iam.exceptions.NoSuchEntityException as error:
        raise ValidationError(message=message) from error
    if role["Arn"] != arn or not _trusts_sagemaker(role["AssumeRolePolicyDocument"]):
        raise ValidationError(message=message)


def check_model_data(s3: Any, iam: Any, model: HostedModel, region: str) -> None:
    """Refuse a model whose archive does not exist, or whose files its role may not list and read.

    Args:
        s3: boto3 client of the account's S3.
        iam: boto3 client of its IAM.
        model: The model.
        region: Where it is created.
    """
    role = str(model.request.get("ExecutionRoleArn"))
    bucket, key = split_s3_uri(model.model_data)
    try:
        if not model.model_data.endswith("/"):
            s3.head_object(Bucket=bucket, Key=key)
            return
        found = bool(list_objects(s3, model.model_data))
    except s3.exceptions.ClientError as error:
        raise _no_access(model.model_data, role, "s3:GetObject", region) from error
    arn = f"arn:{role.split(':')[1]}:s3:::{bucket}"
    needed = {"s3:ListBucket": arn, "s3:GetObject": f"{arn}/{key}a-file"}
    statements = _allowing(iam, role)
    for action, resource in needed.items():
        if not found or not _permits(statements, action, resource):
            raise _no_access(model.model_data, role, action, region)


def check_alarm_access(iam: Any, role: str, alarms: Sequence[Any]) -> None:
    """Refuse rollback alarms that the execution role may not describe.

    SageMaker developer guide, "Auto-Rollback Configuration and Monitoring".

    Args:
        iam: boto3 client of the account's IAM.
        role: ARN of the execution role.
        alarms: moto's alarms.
    """
    statements = _allowing(iam, role)
    refused = [
        alarm.name
        for alarm in alarms
        if not _permits(statements, "cloudwatch:DescribeAlarms", alarm.alarm_arn)
    ]
    if refused:
        raise ValidationError(
            message=f'The execution role "{role}" must have the permission '
            f'"cloudwatch:DescribeAlarms" on the auto-rollback alarms {refused}.'
        )


def _no_access(uri: str, role: str, action: str, region: str) -> ValidationError:
    return ValidationError(
        message=f"Could not access model data at {uri}. Please ensure that the role "
        f'"{role}" exists and that its trust relationship policy allows the action '
        f'"sts:AssumeRole" for the service principal "{_PRINCIPAL}". Also ensure that the role '
        f'has "{action}" permissions and that the object is located in {region}.'
    )


def _allowing(iam: Any, role: str) -> list[Mapping[str, Any]]:
    """The statements of a role's policies that allow; conditions and denials are not looked at."""
    return [
        statement
        for document in _policies(iam, role.rpartition("/")[2])
        for statement in _listed(document.get("Statement"))
        if statement["Effect"] == "Allow"
    ]


def _permits(statements: Sequence[Mapping[str, Any]], action: str, resource: str) -> bool:
    return any(
        _matches(statement.get("Action"), action) and _matches(statement.get("Resource"), resource)
        for statement in statements
    )


def _policies(iam: Any, role: str) -> Iterator[Mapping[str, Any]]:
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield _document(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
        yield _document(found["Document"])


def _matches(patterns: Any, value: str) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in _listed(patterns))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _document(document: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(document) if isinstance(document, str) else document
    return found


def _trusts_sagemaker(document: Any) -> bool:
    for statement in _listed(_document(document).get("Statement")):
        services = statement.get("Principal", {})
        services = services.get("Service") if isinstance(services, dict) else None
        if statement.get("Effect") == "Allow" and _PRINCIPAL in _listed(services):
            return True
    return False
