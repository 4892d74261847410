"""CloudWatch alarms and dashboards."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from forecast_local.cloudformation.handler import Handler, Request, ResourceError, tag_changes

_NAME_LIMIT = 255
_GONE = frozenset({"ResourceNotFound", "ResourceNotFoundException"})


class _NamedAlarm(Handler):
    """What both kinds of alarms have in common."""

    create_only = frozenset({"AlarmName"})
    attributes = frozenset({"Arn"})
    name_property = "AlarmName"
    tagged = True
    gone = _GONE
    operation: ClassVar[str]
    method: ClassVar[str]

    def create(self, request: Request) -> str:
        """Put the alarm; a name that is taken is refused as on AWS."""
        name = request.name(_NAME_LIMIT, property_name="AlarmName")
        if self._find(request, name):
            raise ResourceError(f"{name} already exists")
        tags = request.properties.get("Tags")
        self._put(request, name, {"Tags": tags} if tags else {})
        return name

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Put the alarm anew; its tags are changed apart, as PutMetricAlarm ignores them then."""
        self._put(request, physical_id, {})
        tags, removed = tag_changes(old, request.properties)
        arn = request.arn("cloudwatch", f"alarm:{physical_id}")
        if removed:
            request.client("cloudwatch").untag_resource(ResourceARN=arn, TagKeys=removed)
        if tags:
            request.client("cloudwatch").tag_resource(ResourceARN=arn, Tags=tags)

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the alarm."""
        request.client("cloudwatch").delete_alarms(AlarmNames=[physical_id])

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:
        """Return the alarm's ARN."""
        return {"Arn": request.arn("cloudwatch", f"alarm:{physical_id}")}

    def _put(self, request: Request, name: str, tags: dict[str, Any]) -> None:
        given = request.api_arguments("cloudwatch", self.operation, skip=("AlarmName", "Tags"))
        getattr(request.client("cloudwatch"), self.method)(AlarmName=name, **given, **tags)

    @staticmethod
    def _find(request: Request, name: str) -> bool:
        kinds = ["MetricAlarm", "CompositeAlarm"]
        answer = request.client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=kinds)
        return bool(answer["MetricAlarms"] or answer["CompositeAlarms"])


class Alarm(_NamedAlarm):
    """AWS::CloudWatch::Alarm."""

    type_name = "AWS::CloudWatch::Alarm"
    operation = "PutMetricAlarm"
    method = "put_metric_alarm"
    applies = frozenset(
        {
            "ActionsEnabled",
            "AlarmActions",
            "AlarmDescription",
            "AlarmName",
            "ComparisonOperator",
            "DatapointsToAlarm",
            "Dimensions",
            "EvaluateLowSampleCountPercentile",
            "EvaluationPeriods",
            "ExtendedStatistic",
            "InsufficientDataActions",
            "MetricName",
            "Metrics",
            "Namespace",
            "OKActions",
            "Period",
            "Statistic",
            "Tags",
            "Threshold",
            "ThresholdMetricId",
            "TreatMissingData",
            "Unit",
        }
    )


class CompositeAlarm(_NamedAlarm):
    """AWS::CloudWatch::CompositeAlarm."""

    type_name = "AWS::CloudWatch::CompositeAlarm"
    operation = "PutCompositeAlarm"
    method = "put_composite_alarm"
    applies = frozenset(
        {
            "ActionsEnabled",
            "ActionsSuppressor",
            "ActionsSuppressorExtensionPeriod",
            "ActionsSuppressorWaitPeriod",
            "AlarmActions",
            "AlarmDescription",
            "AlarmName",
            "AlarmRule",
            "InsufficientDataActions",
            "OKActions",
            "Tags",
        }
    )
    required = frozenset({"AlarmRule"})


class Dashboard(Handler):
    """AWS::CloudWatch::Dashboard."""

    type_name = "AWS::CloudWatch::Dashboard"
    applies = frozenset({"DashboardBody", "DashboardName", "Tags"})
    required = frozenset({"DashboardBody"})
    create_only = frozenset({"DashboardName"})
    name_property = "DashboardName"
    tagged = True
    gone = _GONE

    def create(self, request: Request) -> str:
        """Put the dashboard with its tags."""
        name = request.name(_NAME_LIMIT, property_name="DashboardName")
        self._put(request, name)
        tags = request.properties.get("Tags")
        if tags:
            request.client("cloudwatch").tag_resource(
                ResourceARN=self._arn(request, name), Tags=tags
            )
        return name

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Put the dashboard anew and change its tags."""
        self._put(request, physical_id)
        tags, removed = tag_changes(old, request.properties)
        arn = self._arn(request, physical_id)
        if removed:
            request.client("cloudwatch").untag_resource(ResourceARN=arn, TagKeys=removed)
        if tags:
            request.client("cloudwatch").tag_resource(ResourceARN=arn, Tags=tags)

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the dashboard."""
        request.client("cloudwatch").delete_dashboards(DashboardNames=[physical_id])

    @staticmethod
    def _arn(request: Request, name: str) -> str:
        stack = request.stack
        return f"arn:{stack.partition}:cloudwatch::{stack.account}:dashboard/{name}"

    @staticmethod
    def _put(request: Request, name: str) -> None:
        body = request.properties["DashboardBody"]
        text = body if isinstance(body, str) else json.dumps(body)
        request.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=text)
