"""Policies for one environment: what each permission is bound to, as far as IAM can bind it.

Which action knows which resources and condition keys: AWS Service Authorization Reference. What
knows none, and what only lists or describes a region, is in `UNBOUND`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ACCOUNT = "111111111111"
REGION = "ap-southeast-1"
ENVIRONMENT = "prod"
PREFIX = "Forecast"
ENDPOINT = "produce-forecast-prod"

BUCKET = f"arn:aws:s3:::{names.artifact_bucket(ENDPOINT, ACCOUNT, REGION)}"
ACCESS_LOGS = f"arn:aws:s3:::{names.stack(PREFIX, ENVIRONMENT, 'Artifacts').lower()}-*"
"""The bucket of the access logs, which CloudFormation names after its stack."""

BOOTSTRAP = f"arn:aws:s3:::cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"

UNBOUND = frozenset(
    {
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingActivities",
        "application-autoscaling:DescribeScalingPolicies",
        "application-autoscaling:DescribeScheduledActions",
        "cloudwatch:DescribeAlarmHistory",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetMetricData",
        "cloudwatch:ListMetrics",
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeInstanceTypeOfferings",
        "ec2:DescribeRegions",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcAttribute",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeVpcs",
        "lambda:GetAccountSettings",
        "logs:DescribeLogGroups",
        "pricing:GetProducts",
        "sagemaker:ListEndpointConfigs",
        "sagemaker:ListEndpoints",
        "sagemaker:ListModels",
        "scheduler:ListSchedules",
        "servicequotas:GetServiceQuota",
        "servicequotas:ListAwsDefaultServiceQuotas",
        "servicequotas:ListServiceQuotas",
    }
)
"""Permissions for `*`. Composite alarms are shown to those only who may see all alarms (Amazon
CloudWatch API reference, DescribeAlarms and DescribeAlarmHistory)."""


@dataclass(frozen=True)
class Bound:
    """Permissions, and what they are for.

    Attributes:
        permissions: The permissions.
        resources: ARNs and patterns of them.
        condition: What must be true besides.
    """

    permissions: frozenset[str]
    resources: tuple[str, ...]
    condition: Mapping[str, Mapping[str, str | list[str]]] | None = None

    def statement(self, wanted: Iterable[str]) -> dict[str, object]:
        """The statement that allows those permissions that are wanted."""
        statement: dict[str, object] = {
            "Effect": "Allow",
            "Action": sorted(self.permissions & frozenset(wanted)),
            "Resource": list(self.resources),
        }
        return statement if self.condition is None else statement | {"Condition": self.condition}


def _arn(service: str, *resources: str, region: str = REGION) -> tuple[str, ...]:
    return tuple(f"arn:aws:{service}:{region}:{ACCOUNT}:{each}" for each in resources)


def _bound(
    permissions: str,
    resources: Sequence[str],
    condition: Mapping[str, Mapping[str, str | list[str]]] | None = None,
) -> Bound:
    """A bound of permissions as in "s3: GetObject PutObject"."""
    service, _, actions = permissions.partition(": ")
    return Bound(
        frozenset(f"{service}:{each}" for each in actions.split()), tuple(resources), condition
    )


_STACKS = _arn(
    "cloudformation",
    f"stack/{names.stack(PREFIX, ENVIRONMENT)}/*",
    f"stack/{names.stack(PREFIX, ENVIRONMENT, 'Artifacts')}/*",
)
_BY_SERVICES = {
    "StringEquals": {
        "kms:ViaService": [f"s3.{REGION}.amazonaws.com", f"scheduler.{REGION}.amazonaws.com"]
    }
}
_OF_THE_ENVIRONMENT = {"StringEquals": {"aws:ResourceTag/environment": ENVIRONMENT}}
_KEYS = _arn("kms", "key/*")
_ENDPOINT = _arn("sagemaker", f"endpoint/{ENDPOINT}")
_CONFIGS, _MODELS = _arn("sagemaker", "endpoint-config/*", "model/*")
_SCHEDULES = _arn("scheduler", "schedule/*OffHoursSchedules*/*")

LOOKS = (
    _bound(
        "cloudformation: DescribeStackEvents DescribeStacks GetTemplate ListStackResources",
        _arn("cloudformation", "stack/CDKToolkit/*", "stack/Forecast*/*"),
    ),
    _bound(
        "cloudwatch: GetDashboard",
        _arn(
            "cloudwatch",
            f"dashboard/{names.dashboard(ENDPOINT)}",
            f"dashboard/{names.overview_dashboard([ENDPOINT, 'produce-forecast-dev'])}",
            region="",
        ),
    ),
    _bound("ecr: BatchGetImage", (f"arn:aws:ecr:{REGION}:*:repository/*",)),
    _bound(
        "ecr: DescribeRepositories",
        _arn("ecr", f"repository/cdk-hnb659fds-container-assets-{ACCOUNT}-{REGION}"),
    ),
    _bound(
        "iam: GetRole",
        _arn(
            "iam",
            "role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
            "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
            region="",
        ),
    ),
    _bound("kms: Decrypt", _KEYS, _BY_SERVICES),
    _bound("kms: DescribeKey GetKeyPolicy", _KEYS),
    _bound(
        "logs: FilterLogEvents",
        _arn(
            "logs",
            f"log-group:{names.endpoint_log_group(ENDPOINT)}:*",
            f"log-group:{names.function_log_group(names.heartbeat_function(ENDPOINT))}:*",
        ),
    ),
    _bound("s3: GetBucketLocation ListBucketVersions", (BUCKET, ACCESS_LOGS)),
    _bound("s3: ListBucket", (BUCKET, BOOTSTRAP)),
    _bound(
        "s3: GetObject", [f"{BUCKET}/{each}/*" for each in ("deployments", "models", "operations")]
    ),
    _bound(
        "sagemaker: DescribeEndpoint DescribeEndpointConfig DescribeModel ListTags",
        (*_arn("sagemaker", "endpoint/*"), _CONFIGS, _MODELS),
    ),
    _bound("scheduler: GetSchedule", _SCHEDULES),
    _bound(
        "ssm: GetParameter GetParameters",
        _arn("ssm", "parameter/*OffHours*", "parameter/cdk-bootstrap/hnb659fds/version"),
    ),
    _bound("states: ListExecutions", _arn("states", f"stateMachine:{names.off_hours(ENDPOINT)}")),
)
"""Who looks. What clients sent and were answered is not in it."""

CAPTURES = (_bound("s3: GetObject", (f"{BUCKET}/data-capture/*",)),)
"""Who reads what clients sent and were answered, besides."""

OPERATES = (
    _bound(
        "application-autoscaling: DeregisterScalableTarget PutScalingPolicy PutScheduledAction "
        "RegisterScalableTarget",
        _arn("application-autoscaling", "scalable-target/*"),
        {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}},
    ),
    _bound(
        "cloudwatch: DisableAlarmActions EnableAlarmActions PutMetricAlarm",
        _arn(
            "cloudwatch",
            f"alarm:{names.alarm(ENDPOINT, '*')}",
            f"alarm:TargetTracking-endpoint/{ENDPOINT}/*",
        ),
    ),
    _bound(
        "iam: PassRole",
        _arn("iam", f"role/{names.stack(PREFIX, ENVIRONMENT)}-OffHoursSchedules*", region=""),
        {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
    ),
    _bound("kms: CreateGrant", _KEYS, {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
    _bound("kms: GenerateDataKey", _KEYS, _BY_SERVICES),
    _bound("s3: DeleteObject", (f"{BUCKET}/models/*", f"{BUCKET}/operations/*")),
    _bound("s3: GetObject", (f"{BUCKET}/async/*",)),
    _bound(
        "s3: PutObject",
        [f"{BUCKET}/{each}/*" for each in ("async/requests", "deployments", "operations")],
    ),
    _bound(
        "sagemaker: AddTags DeleteEndpoint InvokeEndpoint InvokeEndpointAsync "
        "UpdateEndpointWeightsAndCapacities",
        _ENDPOINT,
    ),
    _bound("sagemaker: CreateEndpoint", (*_ENDPOINT, _CONFIGS)),
    _bound("sagemaker: DeleteEndpointConfig DeleteModel", (_CONFIGS, _MODELS), _OF_THE_ENVIRONMENT),
    _bound("scheduler: UpdateSchedule", _SCHEDULES),
)
"""Who operates, besides what lets look."""

REMOVES = (
    _bound("cloudformation: DeleteStack", _STACKS),
    _bound("s3: DeleteObject DeleteObjectVersion", (f"{BUCKET}/*", f"{ACCESS_LOGS}/*")),
)
"""Who removes an environment and empties its buckets, besides what lets operate."""


def policy(bounds: Iterable[Bound], permissions: Iterable[str]) -> str:
    """The policy as JSON: those of the permissions that the bounds hold, and the unbound ones."""
    wanted = frozenset(permissions)
    statements = [each.statement(wanted) for each in bounds if each.permissions & wanted]
    if unbound := sorted(wanted & UNBOUND):
        statements.append({"Effect": "Allow", "Action": unbound, "Resource": "*"})
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)
