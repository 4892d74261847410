"""A small CDK app for the tests of the local AWS: a bucket, a model archive and its endpoint.

Context: ``archive`` (file), ``instances``, ``unknown`` (adds a type that the local AWS lacks).
"""

from typing import Any

import aws_cdk as cdk
from aws_cdk import (
    aws_applicationautoscaling as scaling,
)
from aws_cdk import (
    aws_cloudwatch as cloudwatch,
)
from aws_cdk import (
    aws_ec2 as ec2,
)
from aws_cdk import (
    aws_iam as iam,
)
from aws_cdk import (
    aws_kms as kms,
)
from aws_cdk import (
    aws_logs as logs,
)
from aws_cdk import (
    aws_s3 as s3,
)
from aws_cdk import (
    aws_s3_assets as assets,
)
from aws_cdk import (
    aws_sagemaker as sagemaker,
)
from aws_cdk import (
    aws_sns as sns,
)
from aws_cdk import (
    aws_sns_subscriptions as subscriptions,
)
from constructs import Construct

ENDPOINT = "local-test"
VARIANT = "AllTraffic"


class Artifacts(cdk.Stack):
    """What outlives a deployment."""

    def __init__(self, scope: Construct, construct_id: str, **options: Any) -> None:
        super().__init__(scope, construct_id, **options)
        self.key = kms.Key(self, "Key", enable_key_rotation=True, alias="alias/local-test")
        logs_bucket = s3.Bucket(
            self,
            "Logs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            lifecycle_rules=[s3.LifecycleRule(expiration=cdk.Duration.days(90))],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.bucket = s3.Bucket(
            self,
            "Artifacts",
            bucket_name=f"local-test-{cdk.Aws.ACCOUNT_ID}-{cdk.Aws.REGION}",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            versioned=True,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            server_access_logs_bucket=logs_bucket,
            server_access_logs_prefix="artifacts/",
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="captured",
                    prefix="captured/",
                    expiration=cdk.Duration.days(30),
                    noncurrent_version_expiration=cdk.Duration.days(7),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                )
            ],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )


class Network(cdk.Stack):
    """An isolated VPC with endpoints and flow logs."""

    def __init__(self, scope: Construct, construct_id: str, **options: Any) -> None:
        super().__init__(scope, construct_id, **options)
        vpc = ec2.Vpc(
            self,
            "Vpc",
            nat_gateways=0,
            max_azs=2,
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED
                )
            ],
        )
        group = ec2.SecurityGroup(self, "Group", vpc=vpc, allow_all_outbound=False)
        group.connections.allow_internally(ec2.Port.tcp(443))
        vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        vpc.add_interface_endpoint(
            "Runtime",
            service=ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_RUNTIME,
            security_groups=[group],
        )
        vpc.add_flow_log(
            "Flow",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(
                logs.LogGroup(
                    self,
                    "FlowLogs",
                    retention=logs.RetentionDays.ONE_WEEK,
                    removal_policy=cdk.RemovalPolicy.DESTROY,
                )
            ),
        )


class Endpoint(cdk.Stack):
    """The endpoint with alarms and scaling."""

    def __init__(
        self, scope: Construct, construct_id: str, *, artifacts: Artifacts, **options: Any
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            synthesizer=cdk.DefaultStackSynthesizer(
                file_assets_bucket_name="local-test-${AWS::AccountId}-${AWS::Region}",
                bucket_prefix="models/",
                generate_bootstrap_version_rule=False,
            ),
            **options,
        )
        self.add_stack_dependency(artifacts)
        archive = assets.Asset(self, "Archive", path=self.node.get_context("archive"))
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        artifacts.bucket.grant_read(role, "models/*")
        role.add_to_policy(
            iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=["*"])
        )
        instances = int(self.node.try_get_context("instances") or 2)
        images = cdk.CfnMapping(
            self, "Images", mapping={"us-east-1": {"account": "683313688378"}}, lazy=True
        )
        account = images.find_in_map(cdk.Aws.REGION, "account")
        model = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=role.role_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=f"{account}.dkr.ecr.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}/serving:1",
                environment={"GREETING": "hello"},
                model_data_source=sagemaker.CfnModel.ModelDataSourceProperty(
                    s3_data_source=sagemaker.CfnModel.S3DataSourceProperty(
                        compression_type="Gzip",
                        s3_data_type="S3Object",
                        s3_uri=archive.s3_object_url,
                    )
                ),
            ),
        )
        model.node.add_dependency(role)
        config = sagemaker.CfnEndpointConfig(
            self,
            "Config",
            kms_key_id=artifacts.key.key_arn,
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                    variant_name=VARIANT,
                    model_name=model.attr_model_name,
                    instance_type="ml.m5.large",
                    initial_instance_count=instances,
                    initial_variant_weight=1,
                    container_startup_health_check_timeout_in_seconds=60,
                )
            ],
            data_capture_config=sagemaker.CfnEndpointConfig.DataCaptureConfigProperty(
                enable_capture=True,
                initial_sampling_percentage=100,
                destination_s3_uri=f"s3://{artifacts.bucket.bucket_name}/captured",
                capture_options=[
                    sagemaker.CfnEndpointConfig.CaptureOptionProperty(capture_mode="Input"),
                    sagemaker.CfnEndpointConfig.CaptureOptionProperty(capture_mode="Output"),
                ],
                capture_content_type_header=(
                    sagemaker.CfnEndpointConfig.CaptureContentTypeHeaderProperty(
                        json_content_types=["application/json"]
                    )
                ),
            ),
        )
        topic = sns.Topic(self, "Topic", master_key=artifacts.key, enforce_ssl=True)
        topic.add_subscription(subscriptions.EmailSubscription("ops@example.com"))
        errors = cloudwatch.CfnAlarm(
            self,
            "NewFleetErrors",
            comparison_operator="GreaterThanThreshold",
            evaluation_periods=1,
            threshold=0,
            namespace="AWS/SageMaker",
            metric_name="InvocationModelErrors",
            statistic="Sum",
            period=60,
            treat_missing_data="notBreaching",
            alarm_actions=[topic.topic_arn],
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(name="EndpointName", value=ENDPOINT),
                cloudwatch.CfnAlarm.DimensionProperty(name="VariantName", value=VARIANT),
                cloudwatch.CfnAlarm.DimensionProperty(
                    name="EndpointConfigName", value=config.attr_endpoint_config_name
                ),
            ],
        )
        endpoint = sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=ENDPOINT,
            endpoint_config_name=config.attr_endpoint_config_name,
            retain_all_variant_properties=True,
            exclude_retained_variant_properties=[
                sagemaker.CfnEndpoint.VariantPropertyProperty(variant_property_type="DesiredWeight")
            ],
            deployment_config=sagemaker.CfnEndpoint.DeploymentConfigProperty(
                auto_rollback_configuration=sagemaker.CfnEndpoint.AutoRollbackConfigProperty(
                    alarms=[sagemaker.CfnEndpoint.AlarmProperty(alarm_name=errors.ref)]
                ),
                blue_green_update_policy=sagemaker.CfnEndpoint.BlueGreenUpdatePolicyProperty(
                    maximum_execution_timeout_in_seconds=1800,
                    termination_wait_in_seconds=60,
                    traffic_routing_configuration=(
                        sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
                            type="CANARY",
                            wait_interval_in_seconds=300,
                            canary_size=sagemaker.CfnEndpoint.CapacitySizeProperty(
                                type="CAPACITY_PERCENT", value=50
                            ),
                        )
                    ),
                ),
            ),
        )
        self._build_scaling(endpoint)
        self._build_error_rate()
        cdk.Tags.of(self).add("team", "forecasting")
        cdk.CfnOutput(self, "EndpointName", value=endpoint.attr_endpoint_name)
        if self.node.try_get_context("unknown"):
            cdk.CfnResource(self, "Unknown", type="AWS::Braket::Device", properties={})

    def _build_scaling(self, endpoint: sagemaker.CfnEndpoint) -> None:
        target = scaling.CfnScalableTarget(
            self,
            "Target",
            min_capacity=2,
            max_capacity=10,
            resource_id=f"endpoint/{ENDPOINT}/variant/{VARIANT}",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            service_namespace="sagemaker",
        )
        target.add_dependency(endpoint)
        metric = scaling.CfnScalingPolicy.TargetTrackingMetricDataQueryProperty
        scaling.CfnScalingPolicy(
            self,
            "Policy",
            policy_name="cpu",
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=(
                scaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty(
                    target_value=60,
                    customized_metric_specification=(
                        scaling.CfnScalingPolicy.CustomizedMetricSpecificationProperty(
                            metrics=[
                                metric(
                                    id="cpu",
                                    return_data=False,
                                    metric_stat=scaling.CfnScalingPolicy.TargetTrackingMetricStatProperty(
                                        stat="Average",
                                        metric=scaling.CfnScalingPolicy.TargetTrackingMetricProperty(
                                            namespace="/aws/sagemaker/Endpoints",
                                            metric_name="CPUUtilization",
                                            dimensions=[
                                                scaling.CfnScalingPolicy.TargetTrackingMetricDimensionProperty(
                                                    name="EndpointName", value=ENDPOINT
                                                )
                                            ],
                                        ),
                                    ),
                                ),
                                metric(id="per_core", expression="cpu / 2", return_data=True),
                            ]
                        )
                    ),
                )
            ),
        )

    def _build_error_rate(self) -> None:
        def metric(name: str) -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace="AWS/SageMaker",
                metric_name=name,
                statistic="Sum",
                dimensions_map={"EndpointName": ENDPOINT, "VariantName": VARIANT},
            )

        rate = cloudwatch.MathExpression(
            expression="100 * errors / invocations",
            using_metrics={
                "errors": metric("Invocation5XXErrors"),
                "invocations": metric("Invocations"),
            },
        ).create_alarm(self, "ErrorRate", threshold=5, evaluation_periods=2)
        latency = cloudwatch.Metric(
            namespace="AWS/SageMaker",
            metric_name="ModelLatency",
            statistic="p99",
            dimensions_map={"EndpointName": ENDPOINT, "VariantName": VARIANT},
        ).create_alarm(self, "Latency", threshold=2_000_000, evaluation_periods=3)
        cloudwatch.CompositeAlarm(
            self, "Sick", alarm_rule=cloudwatch.AlarmRule.any_of(rate, latency)
        )


app = cdk.App()
store = Artifacts(app, "LocalArtifacts")
Network(app, "LocalNetwork")
Endpoint(app, "LocalEndpoint", artifacts=store)
app.synth()
