"""What SageMaker must be able to reach when a model is created: its role and its data."""

import json
from typing import Any

from moto.sagemaker.exceptions import ValidationError

from forecast_local.sagemaker.fleet import split_s3_uri
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


def check_model_data(s3: Any, model: HostedModel, region: str) -> None:
    """Refuse a model whose archive does not exist.

    Args:
        s3: boto3 client of the account's S3.
        model: The model.
        region: Where it is created.
    """
    bucket, key = split_s3_uri(model.model_data)
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except s3.exceptions.ClientError as error:
        role = model.request.get("ExecutionRoleArn")
        raise ValidationError(
            message=f"Could not access model data at {model.model_data}. Please ensure that "
            f'the role "{role}" exists and that its trust relationship policy allows the '
            f'action "sts:AssumeRole" for the service principal "{_PRINCIPAL}". Also ensure '
            'that the role has "s3:GetObject" permissions and that the object is located in '
            f"{region}."
        ) from error


def _trusts_sagemaker(document: Any) -> bool:
    policy = json.loads(document) if isinstance(document, str) else document
    statements = policy.get("Statement", [])
    for statement in [statements] if isinstance(statements, dict) else statements:
        services = statement.get("Principal", {})
        services = services.get("Service", []) if isinstance(services, dict) else []
        listed = [services] if isinstance(services, str) else services
        if statement.get("Effect") == "Allow" and _PRINCIPAL in listed:
            return True
    return False
