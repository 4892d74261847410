"""The schedules of the off hours, and what is left of a start that did not happen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from forecast_config import names
from forecast_constructs.acknowledgements import acknowledge
from forecast_constructs.scaling.off_hours_role import allow, document, trust

if TYPE_CHECKING:
    from forecast_config.settings import OffHoursSettings

RETENTION_SECONDS = 1_209_600
"""Longest time that a queue keeps a message: 14 days (Amazon SQS API reference, CreateQueue)."""

RETRY_SECONDS = 3600
"""Time in which a start is tried again; later, the other schedule may already be due."""


class OffHoursSchedules(Construct):
    """Two schedules of Amazon EventBridge Scheduler that start one state machine."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: OffHoursSettings,
        endpoint_name: str,
        state_machine_arn: str,
        encryption_key_arn: str,
        topic_arn: str,
    ) -> None:
        """Define queue, role and schedules.

        Args:
            scope: The parent.
            construct_id: Id of the construct.
            settings: The hours and their time zone.
            endpoint_name: The endpoint.
            state_machine_arn: What is started, with the input `{"action": "stop"}` or `"start"`.
            encryption_key_arn: Encrypts the schedules and the queue.
            topic_arn: Whom it is told that a start did not happen.
        """
        super().__init__(scope, construct_id)
        self._key_arn = encryption_key_arn
        queue = self._build_queue()
        self._build_alarm(queue, endpoint_name, topic_arn)
        # The trust of a schedule's role can be bound to its group, and to nothing narrower
        # (EventBridge Scheduler user guide, "Confused deputy prevention").
        group = scheduler.CfnScheduleGroup(self, "Group")
        role, policy = self._build_role(group.attr_arn, queue.attr_arn, state_machine_arn)
        for action, expression in (("stop", settings.stop), ("start", settings.start)):
            target = scheduler.CfnSchedule.TargetProperty(
                arn=state_machine_arn,
                role_arn=role.attr_arn,
                input=json.dumps({"action": action}),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=RETRY_SECONDS
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=queue.attr_arn
                ),
            )
            schedule = scheduler.CfnSchedule(
                self,
                action.title(),
                description=f"{action.title()}s the endpoint {endpoint_name}",
                group_name=group.ref,
                schedule_expression=expression,
                schedule_expression_timezone=settings.timezone,
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                kms_key_arn=encryption_key_arn,
                state="ENABLED",
                target=target,
            )
            schedule.node.add_dependency(policy)

    def _build_queue(self) -> sqs.CfnQueue:
        queue = sqs.CfnQueue(
            self,
            "Undelivered",
            kms_master_key_id=self._key_arn,
            message_retention_period=RETENTION_SECONDS,
        )
        acknowledge(queue, "SQS3", "it is itself the dead-letter queue of the two schedules")
        insecure = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": queue.attr_arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        sqs.CfnQueuePolicy(
            self, "TlsOnly", queues=[queue.ref], policy_document=document([insecure])
        )
        return queue

    def _build_alarm(self, queue: sqs.CfnQueue, endpoint_name: str, topic_arn: str) -> None:
        cloudwatch.CfnAlarm(
            self,
            "UndeliveredAlarm",
            alarm_name=names.alarm(endpoint_name, "off-hours-undelivered"),
            alarm_description=(
                "A schedule of the off hours could not start its state machine; start it by hand, "
                "as docs/scaling.md says"
            ),
            namespace="AWS/SQS",
            metric_name="ApproximateNumberOfMessagesVisible",
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(name="QueueName", value=queue.attr_queue_name)
            ],
            statistic="Maximum",
            period=300,
            evaluation_periods=1,
            threshold=0,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=[topic_arn],
        )

    def _build_role(
        self, group_arn: str, queue_arn: str, state_machine_arn: str
    ) -> tuple[iam.CfnRole, iam.CfnManagedPolicy]:
        role = iam.CfnRole(
            self,
            "Role",
            description="Starts a state machine on a schedule",
            assume_role_policy_document=trust(
                "scheduler.amazonaws.com", Stack.of(self).account, group_arn
            ),
        )
        policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            roles=[role.ref],
            policy_document=document(
                [
                    allow(["states:StartExecution"], [state_machine_arn]),
                    allow(["sqs:SendMessage"], [queue_arn]),
                    allow(["kms:Decrypt", "kms:GenerateDataKey"], [self._key_arn]),
                ]
            ),
        )
        return role, policy
