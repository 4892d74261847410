"""What a function prints: lines of its log group, and metrics in the embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Iterator
from typing import Any

from moto.core.utils import unix_time_millis, utcnow

MetricData = tuple[str, list[dict[str, Any]]]


def write_log(logs: Any, group: str, stream: str, output: str) -> None:
    """Put what a function printed into a stream of its own.

    Args:
        logs: moto's backend of CloudWatch Logs.
        group: Name of the log group; it is created when it does not exist, as Lambda does.
        stream: Name of the stream.
        output: What it printed.
    """
    logs.ensure_log_group(group)
    logs.create_log_stream(group, stream)
    now = int(unix_time_millis())
    lines = [{"timestamp": now, "message": line} for line in output.splitlines() if line.strip()]
    if lines:
        logs.put_log_events(group, stream, lines)


def embedded_metrics(output: str) -> Iterator[MetricData]:
    """Find the metrics that a function printed.

    Args:
        output: What it printed; lines that are no JSON objects are text.

    Yields:
        A namespace and its data, as PutMetricData takes them.
    """
    for line in output.splitlines():
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict) and isinstance(document.get("_aws"), dict):
            for directive in document["_aws"].get("CloudWatchMetrics", []):
                yield directive["Namespace"], list(_data(document, directive))


def _data(document: dict[str, Any], directive: dict[str, Any]) -> Iterator[dict[str, Any]]:
    now = utcnow()
    for metric in directive.get("Metrics", []):
        value = document.get(metric["Name"])
        values = value if isinstance(value, list) else [] if value is None else [value]
        for keys in directive.get("Dimensions", [[]]):
            dimensions = [{"Name": key, "Value": str(document[key])} for key in sorted(keys)]
            for item in values:
                yield {
                    "MetricName": metric["Name"],
                    "Value": float(item),
                    "Unit": metric.get("Unit", "None"),
                    "Timestamp": now,
                    "Dimensions": dimensions,
                }
