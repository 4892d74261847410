"""What the resources of each type store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.instances import has_local_storage, known_instance_types
from forecast_operations.deployed.live import variants_in
from forecast_operations.storing.record import AWS_OWNED, UNKNOWN, Record, Stored

if TYPE_CHECKING:
    from collections.abc import Callable

_DEFAULT_QUEUE_SECONDS = 345_600
"""Retention of a queue that names none (Amazon SQS API reference, CreateQueue)."""

_DEFAULT_PENDING_DAYS = 30
"""Days that a deleted key can be brought back (AWS KMS API reference, ScheduleKeyDeletion)."""

_GOLDEN_HINT = "possible: a golden request, a row of the logged example"
_SECONDS_OF_A_DAY = 86_400
_AS_LONG_AS_STACK = "as long as the stack"


def records_of(resource: Stored) -> list[Record]:
    """What a resource stores; of a type that is not known here, that it has to be looked at."""
    if resource.resource_type in NOT_STORING:
        return []
    make = _STORING.get(resource.resource_type)
    if make is not None:
        return make(resource)
    return [
        resource.record(
            what=UNKNOWN,
            where=resource.readable_id,
            personal=UNKNOWN,
            encryption=UNKNOWN,
            kept=UNKNOWN,
        )
    ]


def _log_group(group: Stored) -> list[Record]:
    name = group.name("LogGroupName")
    what, personal = "logs", "possible: whatever is written to it"
    if name.startswith("/aws/sagemaker/Endpoints/"):
        what = "logs of the containers: a line for each request, nothing of its body"
        personal = "possible: request ids that clients send"
    elif name.startswith("/aws/vpc/"):
        what, personal = "flow logs of the network", "yes: IP addresses"
    elif name.startswith("/aws/lambda/"):
        what, personal = "logs of a function", "no"
    elif name.startswith("/aws/vendedlogs/states/"):
        what, personal = "logs of a state machine", "no"
    days = group.properties.get("RetentionInDays")
    return [
        group.record(
            what=what,
            where=name,
            personal=personal,
            encryption=group.key(group.properties.get("KmsKeyId")),
            kept="without end" if days is None else f"{days} days",
        )
    ]


def _key(key: Stored) -> list[Record]:
    days = key.properties.get("PendingWindowInDays", _DEFAULT_PENDING_DAYS)
    rotation = (
        f"; a new key every {key.properties.get('RotationPeriodInDays', 365)} days"
        if key.properties.get("EnableKeyRotation")
        else "; never rotated"
    )
    return [
        key.record(
            what="the key's material",
            where=f"AWS KMS, {key.key({'Ref': key.logical_id})}",
            encryption="AWS KMS (hardware)",
            kept=f"{_AS_LONG_AS_STACK}{rotation}",
            on_deletion="kept" if key.is_kept else f"deleted after {days} days",
        )
    ]


def _topic(topic: Stored) -> list[Record]:
    return [
        topic.record(
            what="messages on their way",
            where=f"Amazon SNS, {topic.name('TopicName')}",
            encryption=topic.key(topic.properties.get("KmsMasterKeyId")),
            # Amazon SNS developer guide, "Amazon SNS message delivery retries".
            kept="not stored; retried for at most 23 days",
        )
    ]


def _subscription(subscription: Stored) -> list[Record]:
    protocol = subscription.text("Protocol")
    personal = "yes: an e-mail address" if protocol.startswith("email") else "no"
    return [
        subscription.record(
            what=f"address of a subscriber ({protocol})",
            where="Amazon SNS",
            personal=personal,
            encryption=AWS_OWNED,
            kept=_AS_LONG_AS_STACK,
        )
    ]


def _queue(queue: Stored) -> list[Record]:
    seconds = queue.properties.get("MessageRetentionPeriod", _DEFAULT_QUEUE_SECONDS)
    key = queue.properties.get("KmsMasterKeyId")
    return [
        queue.record(
            what="messages that nobody has fetched",
            where=f"Amazon SQS, {queue.name('QueueName')}",
            personal="possible: what the sender puts into them",
            encryption=queue.key(key) if key else "a key of Amazon SQS (SSE-SQS)",
            kept=f"{int(seconds) / _SECONDS_OF_A_DAY:g} days",
        )
    ]


def _endpoint_config(config: Stored) -> list[Record]:
    return [
        config.record(
            what="model and temporary files",
            where=f"storage of the instances of {config.shown(variant.get('VariantName', ''))}",
            personal="possible: requests while they are answered",
            encryption=_volume_encryption(config, variant.get("InstanceType")),
            kept="as long as the instance",
        )
        for variant, _ in variants_in(config.properties)
    ]


def _volume_encryption(config: Stored, instance_type: object) -> str:
    key = config.properties.get("KmsKeyId")
    if key:
        return config.key(key)
    if isinstance(instance_type, str) and instance_type in known_instance_types():
        return "the instance's hardware" if has_local_storage(instance_type) else AWS_OWNED
    return AWS_OWNED


def _endpoint(endpoint: Stored) -> list[Record]:
    return [
        endpoint.record(
            what="metrics: counts, latencies, utilization",
            where="Amazon CloudWatch",
            encryption=AWS_OWNED,
            # Amazon CloudWatch user guide, "Metrics retention"; there is no call that deletes them.
            kept="15 months",
            on_deletion="kept; they cannot be deleted",
        )
    ]


def _function(function: Stored) -> list[Record]:
    return [
        function.record(
            what="code of a function",
            where=f"AWS Lambda, {function.name('FunctionName')}",
            personal=_GOLDEN_HINT,
            encryption=function.key(
                function.properties.get("Code", {}).get("SourceKMSKeyArn")
                or function.properties.get("KmsKeyArn")
            ),
            kept=_AS_LONG_AS_STACK,
        )
    ]


def _schedule(schedule: Stored) -> list[Record]:
    if not schedule.properties.get("Target", {}).get("Input"):
        return []
    return [
        schedule.record(
            what="input that a schedule sends",
            where=f"Amazon EventBridge Scheduler, {schedule.name('Name')}",
            personal=_GOLDEN_HINT,
            encryption=schedule.key(schedule.properties.get("KmsKeyArn")),
            kept=_AS_LONG_AS_STACK,
        )
    ]


def _rule(rule: Stored) -> list[Record]:
    if not any("Input" in target for target in rule.properties.get("Targets", ())):
        return []
    return [
        rule.record(
            what="input that a rule sends",
            where=f"Amazon EventBridge, {rule.name('Name')}",
            personal=_GOLDEN_HINT,
            encryption=AWS_OWNED,
            kept=_AS_LONG_AS_STACK,
        )
    ]


def _parameter(parameter: Stored) -> list[Record]:
    return [
        parameter.record(
            what="a value that stacks or functions read",
            where=f"AWS Systems Manager Parameter Store, {parameter.name('Name')}",
            encryption=AWS_OWNED,
            kept=_AS_LONG_AS_STACK,
        )
    ]


def _state_machine(machine: Stored) -> list[Record]:
    encryption = machine.properties.get("EncryptionConfiguration", {})
    return [
        machine.record(
            what="history of executions",
            where=f"AWS Step Functions, {machine.name('StateMachineName')}",
            encryption=machine.key(encryption.get("KmsKeyId")),
            # AWS Step Functions developer guide, "Quotas related to state machine executions".
            kept="90 days after the end of each",
        )
    ]


def _budget(budget: Stored) -> list[Record]:
    return [
        budget.record(
            what="a budget, and the addresses that it warns",
            where="AWS Budgets",
            personal="yes: an e-mail address, if one is subscribed",
            encryption=AWS_OWNED,
            kept=_AS_LONG_AS_STACK,
        )
    ]


_STORING: dict[str, Callable[[Stored], list[Record]]] = {
    "AWS::Budgets::Budget": _budget,
    "AWS::Events::Rule": _rule,
    "AWS::KMS::Key": _key,
    "AWS::Lambda::Function": _function,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    "AWS::SQS::Queue": _queue,
    "AWS::SSM::Parameter": _parameter,
    "AWS::SageMaker::Endpoint": _endpoint,
    "AWS::SageMaker::EndpointConfig": _endpoint_config,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::StepFunctions::StateMachine": _state_machine,
}

NOT_STORING = frozenset(
    {
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::CDK::Metadata",
        "AWS::Chatbot::MicrosoftTeamsChannelConfiguration",
        "AWS::Chatbot::SlackChannelConfiguration",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::AlarmMuteRule",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::EC2::FlowLog",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCEndpoint",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::SageMaker::Model",
        "AWS::Scheduler::ScheduleGroup",
    }
)
"""Types that hold configuration only; any other type that is not known here is listed."""
