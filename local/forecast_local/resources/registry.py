"""The table of the resource types that this AWS knows."""

from forecast_local.cloudformation.handler import Handler
from forecast_local.resources import (
    applicationautoscaling,
    cdk,
    cloudwatch,
    ec2,
    ec2_security,
    ecr,
    iam,
    kms,
    logs,
    s3,
    sagemaker,
    sns,
    ssm,
)

_TYPES: tuple[type[Handler], ...] = (
    applicationautoscaling.ScalableTarget,
    applicationautoscaling.ScalingPolicy,
    cdk.CdkMetadata,
    cloudwatch.Alarm,
    cloudwatch.CompositeAlarm,
    cloudwatch.Dashboard,
    ec2.FlowLog,
    ec2.RouteTable,
    ec2.Subnet,
    ec2.SubnetRouteTableAssociation,
    ec2.Vpc,
    ec2.VpcEndpoint,
    ec2_security.SecurityGroup,
    ec2_security.SecurityGroupEgress,
    ec2_security.SecurityGroupIngress,
    ecr.Repository,
    iam.ManagedPolicy,
    iam.Policy,
    iam.Role,
    kms.Alias,
    kms.Key,
    logs.LogGroup,
    s3.Bucket,
    s3.BucketPolicy,
    sagemaker.Endpoint,
    sagemaker.EndpointConfig,
    sagemaker.Model,
    sns.Subscription,
    sns.Topic,
    sns.TopicPolicy,
    ssm.Parameter,
)

HANDLERS: dict[str, Handler] = {kind.type_name: kind() for kind in _TYPES}
"""The handler of each resource type by CloudFormation's name of the type."""
