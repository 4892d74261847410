"""CloudWatch where the dimensions of a metric decide, as on AWS, and not a part of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.cloudwatch.models import Alarm, CloudWatchBackend, MetricDatumBase, Statistics


@dataclass(frozen=True)
class _Selection:
    """The data of one metric, in the shape that moto's statistics read."""

    data: list[MetricDatumBase]

    def get_all_metrics(self) -> list[MetricDatumBase]:
        return self.data


class LocalCloudWatchBackend(CloudWatchBackend):
    """The metrics and alarms of one account and region."""

    def get_metric_statistics(  # noqa: PLR0917 - moto's signature
        self,
        namespace: str,
        metric_name: str,
        start_time: datetime,
        end_time: datetime,
        period: int,
        stats: list[str],
        dimensions: list[dict[str, str]],
        unit: str | None = None,
    ) -> list[Statistics]:
        """Return statistics of exactly one metric; moto's adds all that share the dimensions."""
        wanted = {(item["Name"], item.get("Value")) for item in dimensions}
        data = [
            datum
            for datum in self.get_all_metrics()
            if {(item.name, item.value) for item in datum.dimensions} == wanted
        ]
        return CloudWatchBackend.get_metric_statistics(
            _Selection(data),  # type: ignore[arg-type] # the method reads get_all_metrics only
            namespace,
            metric_name,
            start_time,
            end_time,
            period,
            stats,
            dimensions,
            unit,
        )

    def get_metric_data(
        self,
        queries: list[dict[str, Any]],
        start_time: datetime,
        end_time: datetime,
        scan_by: str = "TimestampAscending",
    ) -> list[dict[str, Any]]:
        """Return metric data; dimensions in any order, which moto compares as they come."""
        for query in queries:
            metric = query.get("MetricStat", {}).get("Metric", {})
            if "Dimensions" in metric:
                metric["Dimensions"].sort(key=lambda item: item["Name"])
        return super().get_metric_data(queries, start_time, end_time, scan_by)

    def get_filtered_metrics(
        self, metric_name: str, namespace: str, dimensions: list[dict[str, str]]
    ) -> list[MetricDatumBase]:
        """List each metric once; moto's repeats those with more than one dimension."""
        found: dict[Any, MetricDatumBase] = {}
        for datum in self.get_all_metrics():
            if datum.filter(namespace=namespace, name=metric_name, dimensions=dimensions):
                key = sorted((item.name or "", item.value or "") for item in datum.dimensions)
                found.setdefault((datum.namespace, datum.name, tuple(key)), datum)
        return list(found.values())

    def put_metric_alarm(self, **arguments: Any) -> Alarm:  # type: ignore[override] # passed on as it is
        """Put an alarm; a new one has insufficient data, a known one keeps its state."""
        old = self.alarms.get(arguments["name"])
        alarm = super().put_metric_alarm(**arguments)
        if old is None:
            alarm.state_value = "INSUFFICIENT_DATA"
        else:
            alarm.state_value, alarm.state_reason = old.state_value, old.state_reason
        return alarm
