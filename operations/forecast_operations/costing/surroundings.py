"""What everything around the endpoint costs: storage, keys, alarms, logs, network, functions.

Free tiers are not deducted: they belong to the account, not to an environment.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from forecast_operations.costing.bill import DAYS_A_MONTH, HOURS_A_MONTH, CostLine
from forecast_operations.costing.hosting import assume_size
from forecast_operations.costing.usage import ASSUMED_ARCHIVE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.costing.bill import Bill

_GB = 1e9
_KIB_A_GB = 1024 * 1024
_ARCHIVES = (1, 12)
"""Archives that lie in the bucket: that of now, or one a month for a year."""

_CAPTURE_OVERHEAD = 1.4
"""What the JSON around a captured request adds, and Base64 where it is no text."""

_LOG_KIB_PER_REQUEST = 0.5
_LOG_KIB_PER_RUN = 1.5
"""Log of a request (one line of JSON), and of a run of a function (its own and AWS's lines)."""

_STORED_SHARE = (0.15, 1.0)
"""Size of stored logs to that ingested (Amazon CloudWatch pricing, examples: 0.15)."""

_ROTATED_KEY = 3
"""A key's price with its first two rotations, which cost as much each (AWS KMS pricing)."""

_HEARTBEAT_METRICS = 3
"""Heartbeat, HeartbeatLatency and HeartbeatThrottled, by the endpoint's name."""

_ALARMS_PER_POLICY = 2
"""Alarms that Application Auto Scaling makes for target tracking (its user guide)."""

_HIGH_RESOLUTION_SECONDS = 60
_HIGH_RESOLUTION_METRICS = re.compile(r"HighResolution$")
_TRANSITIONS_A_MONTH = (200, 6000)
"""State transitions of the off hours: two runs on a weekday, of a few to a hundred rounds."""

FREE = re.compile(
    r"AWS::(IAM|SNS|SQS|Chatbot|Scheduler|CDK)::\w+|Custom::\w+"
    r"|AWS::ApplicationAutoScaling::\w+|AWS::Budgets::Budget|AWS::Events::Rule|AWS::SSM::Parameter"
    r"|AWS::EC2::(VPC|Subnet|RouteTable|SubnetRouteTableAssociation|SecurityGroup\w*|FlowLog)"
    r"|AWS::Lambda::(EventInvokeConfig|Permission)|AWS::S3::BucketPolicy"
    r"|AWS::SageMaker::(Endpoint|Model)|AWS::Logs::(MetricFilter|ResourcePolicy)"
)
"""Types that cost nothing by themselves, or below a cent here (notifications, dead letters)."""

PRICED = frozenset(
    {
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::EC2::VPCEndpoint",
        "AWS::KMS::Key",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SageMaker::EndpointConfig",
        "AWS::StepFunctions::StateMachine",
    }
)


def surrounding_lines(bill: Bill) -> Iterator[CostLine]:
    """The lines of everything around the endpoint."""
    yield from _storage_lines(bill)
    yield from _key_lines(bill)
    yield from _alarm_lines(bill)
    yield from _log_lines(bill)
    yield from _network_lines(bill)
    yield from _function_lines(bill)
    for resource_type in bill.types():
        if resource_type not in PRICED and not FREE.fullmatch(resource_type):
            yield CostLine(resource_type, "its cost is not known here", None, None)


def _storage_lines(bill: Bill) -> Iterator[CostLine]:
    if not bill.count("AWS::S3::Bucket"):
        return
    size = bill.usage.archive_bytes
    if size is None:
        size = ASSUMED_ARCHIVE_BYTES
        bill.assume(f"a model's archive has {size / 1e6:g} MB")
    price = bill.rate("s3_standard_gb_month")
    yield bill.line(
        "model archives",
        f"{_ARCHIVES[0]} to {_ARCHIVES[1]} x {size / 1e6:.1f} MB",
        (_ARCHIVES[0] * size / _GB, _ARCHIVES[1] * size / _GB),
        price,
    )
    yield from _capture_lines(bill, price)


def _capture_lines(bill: Bill, price: float | None) -> Iterator[CostLine]:
    for _, config in bill.resources("AWS::SageMaker::EndpointConfig"):
        capture = config.get("DataCaptureConfig", {})
        if not capture.get("EnableCapture", bool(capture)):
            continue
        share = capture.get("InitialSamplingPercentage", 100)
        days = _kept_days(bill)
        assume_size(bill)
        each_month = bill.requests() * share / 100 * bill.usage.kib * _CAPTURE_OVERHEAD / _KIB_A_GB
        stored = each_month * days / DAYS_A_MONTH
        yield bill.line(
            "captured requests", f"{share} % of them for {days} days", (stored, stored), price
        )


def _kept_days(bill: Bill) -> int:
    days = [
        int(rule["ExpirationInDays"])
        for _, bucket in bill.resources("AWS::S3::Bucket")
        for rule in bucket.get("LifecycleConfiguration", {}).get("Rules", [])
        if str(rule.get("Prefix", "")).startswith("data-capture")
        and "ExpirationInDays" in rule
        and rule.get("Status") == "Enabled"
    ]
    if not days:
        bill.assume("captured requests are kept for a year: no rule deletes them before")
    return min(days, default=365)


def _key_lines(bill: Bill) -> Iterator[CostLine]:
    keys = [key for _, key in bill.resources("AWS::KMS::Key")]
    if keys:
        most = sum(_ROTATED_KEY if key.get("EnableKeyRotation") else 1 for key in keys)
        yield bill.line(
            "keys",
            f"{len(keys)}; the first two rotations of each cost as much again",
            (len(keys), most),
            bill.rate("key_month"),
        )
        bill.assume("calls of the key are not counted; the bucket key spares most of them")


def _alarm_lines(bill: Bill) -> Iterator[CostLine]:
    standard = high_resolution = 0
    for _, alarm in bill.resources("AWS::CloudWatch::Alarm"):
        if _shortest_period(alarm) < _HIGH_RESOLUTION_SECONDS:
            high_resolution += _metric_count(alarm)
        else:
            standard += _metric_count(alarm)
    made_standard, made_high = _scaling_metrics(bill)
    yield from _counted(bill, "alarms", "metrics", standard, "alarm_standard_metric_month")
    yield from _counted(
        bill,
        "alarms within a minute",
        "metrics",
        high_resolution,
        "alarm_high_resolution_metric_month",
    )
    yield from _counted(
        bill, "alarms of scaling", "metrics", made_standard, "alarm_standard_metric_month"
    )
    yield from _counted(
        bill,
        "alarms of scaling within a minute",
        "metrics",
        made_high,
        "alarm_high_resolution_metric_month",
    )
    yield from _counted(
        bill,
        "composite alarms",
        "alarms",
        bill.count("AWS::CloudWatch::CompositeAlarm"),
        "alarm_composite_month",
    )
    yield from _counted(
        bill, "dashboards", "", bill.count("AWS::CloudWatch::Dashboard"), "dashboard_month"
    )
    published = _HEARTBEAT_METRICS if bill.heartbeats() else 0
    yield from _counted(bill, "metrics of the heartbeat", "metrics", published, "metric_month")


def _counted(bill: Bill, item: str, what: str, count: int, rate: Any) -> Iterator[CostLine]:
    if count:
        yield bill.line(item, f"{count} {what}".strip(), (count, count), bill.rate(rate))


def _metric_count(alarm: dict[str, Any]) -> int:
    """Metrics that an alarm is billed for: each that an expression reads counts."""
    return sum("MetricStat" in metric for metric in alarm.get("Metrics", [])) or 1


def _shortest_period(alarm: dict[str, Any]) -> int:
    periods = [
        int(metric["MetricStat"].get("Period", _HIGH_RESOLUTION_SECONDS))
        for metric in alarm.get("Metrics", [])
        if "MetricStat" in metric
    ]
    return min([*periods, int(alarm.get("Period", _HIGH_RESOLUTION_SECONDS))])


def _scaling_metrics(bill: Bill) -> tuple[int, int]:
    standard = high_resolution = 0
    for _, policy in bill.resources("AWS::ApplicationAutoScaling::ScalingPolicy"):
        tracking = policy.get("TargetTrackingScalingPolicyConfiguration")
        if tracking is None:
            continue
        predefined = tracking.get("PredefinedMetricSpecification", {}).get(
            "PredefinedMetricType", ""
        )
        custom = tracking.get("CustomizedMetricSpecification", {})
        metrics = _ALARMS_PER_POLICY * _metric_count(custom)
        if _HIGH_RESOLUTION_METRICS.search(predefined):
            high_resolution += metrics
        else:
            standard += metrics
    return standard, high_resolution


def _log_lines(bill: Bill) -> Iterator[CostLine]:
    groups = [group for _, group in bill.resources("AWS::Logs::LogGroup")]
    if not groups:
        return
    kib = bill.requests() * _LOG_KIB_PER_REQUEST + bill.heartbeats() * _LOG_KIB_PER_RUN
    gigabytes = kib / _KIB_A_GB
    days = max(int(group.get("RetentionInDays", 365)) for group in groups)
    if bill.count("AWS::EC2::FlowLog"):
        bill.assume("flow logs of the VPC are not counted: they follow the traffic")
    bill.assume(
        f"a request logs {_LOG_KIB_PER_REQUEST:g} KiB, a heartbeat {_LOG_KIB_PER_RUN:g} KiB"
    )
    yield bill.line(
        "logs written",
        f"{gigabytes:.2f} GB a month",
        (gigabytes, gigabytes),
        bill.rate("logs_ingested_gb"),
    )
    stored = gigabytes * days / DAYS_A_MONTH
    yield bill.line(
        "logs kept",
        f"for {days} days, compressed or not",
        (stored * _STORED_SHARE[0], stored * _STORED_SHARE[1]),
        bill.rate("logs_stored_gb_month"),
    )


def _network_lines(bill: Bill) -> Iterator[CostLine]:
    zones = sum(
        len(endpoint.get("SubnetIds", [])) or 1
        for _, endpoint in bill.resources("AWS::EC2::VPCEndpoint")
        if endpoint.get("VpcEndpointType") == "Interface"
    )
    if zones:
        hours = zones * HOURS_A_MONTH
        yield bill.line(
            "interface endpoints",
            f"{zones} in their zones, day and night",
            (hours, hours),
            bill.rate("interface_endpoint_hour"),
        )


def _function_lines(bill: Bill) -> Iterator[CostLine]:
    runs = bill.heartbeats()
    functions = [function for _, function in bill.resources("AWS::Lambda::Function")]
    if functions and runs:
        yield _function_line(bill, functions[0], runs)
    machines = bill.count("AWS::StepFunctions::StateMachine")
    if machines:
        low, high = _TRANSITIONS_A_MONTH
        yield bill.line(
            "off hours",
            f"{low} to {high} state transitions",
            (machines * low / 1000, machines * high / 1000),
            bill.rate("state_transition_1000"),
        )


def _function_line(bill: Bill, function: dict[str, Any], runs: float) -> CostLine:
    memory = int(function.get("MemorySize", 128)) / 1024
    arm = "arm64" in function.get("Architectures", [])
    second = bill.rate("lambda_arm_gb_second" if arm else "lambda_gb_second")
    request = bill.rate("lambda_request_million")
    detail = f"{runs:,.0f} runs of {memory * 1024:.0f} MiB"
    if second is None or request is None:
        return CostLine("heartbeat", detail, None, None)
    costs = (
        runs * (memory * seconds * second + request / 1_000_000) for seconds in bill.usage.seconds
    )
    return CostLine("heartbeat", detail, *costs)
