"""Values from CloudWatch: on AWS, or where `AWS_ENDPOINT_URL` points."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud, in_calls
from forecast_operations.cloud.metrics import metric_query, read_metrics
from forecast_operations.cloud.refusals import CloudError, NotAllowedError
from forecast_operations.drawing.board import Board, parse
from forecast_operations.drawing.source import MetricKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forecast_operations.cloud.metrics import Points
    from forecast_operations.drawing.metric_math import Values
    from forecast_operations.drawing.source import Search, Table, Times

_ALARMS_IN_A_CALL = 100
"""Names that a DescribeAlarms takes (CloudWatch API reference)."""


class CloudWatch:
    """The metrics and alarms of CloudWatch, by the credentials of this machine.

    Attributes:
        times: The times that are drawn.
    """

    def __init__(self, times: Times) -> None:
        self.times = times
        self._clouds: dict[str, Cloud] = {}

    def board(self, name: str, region: str) -> Board:
        """A dashboard by its name.

        Raises:
            ForecastError: There is none, or the credentials do not allow to read it.
        """
        with _told(f"the dashboard {name}"):
            answer = self._cloud(region).ask("cloudwatch", "get_dashboard", DashboardName=name)
        return parse(name, answer["DashboardBody"])

    def values(self, keys: Sequence[MetricKey]) -> list[Values]:
        """The values of metrics, those of each region together."""
        found = [self.times.empty() for _ in keys]
        for region in dict.fromkeys(key.region for key in keys):
            queries = [
                self._query(place, key) for place, key in enumerate(keys) if key.region == region
            ]
            with _told("metrics"):
                read = read_metrics(self._cloud(region), queries, self.times.start, self.times.end)
            for query_id, points in read.items():
                self._fill(found[int(query_id[1:])], points)
        return found

    def find(self, search: Search, region: str, account: str | None) -> list[MetricKey]:
        """The metrics that a search finds, by ListMetrics, which also knows those of two weeks."""
        known = {name: value for name, value in search.wanted.items() if name != "MetricName"}
        with _told("metrics"):
            metrics = list(
                self._cloud(region).pages(
                    "cloudwatch",
                    "list_metrics",
                    "Metrics",
                    Namespace=search.namespace,
                    MetricName=search.wanted["MetricName"],
                    Dimensions=[{"Name": name, "Value": value} for name, value in known.items()],
                )
            )
        found = []
        for metric in metrics:
            dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
            excluded = any(dimensions.get(name) == value for name, value in search.unwanted.items())
            if dimensions.keys() == search.dimensions and not excluded:
                found.append(
                    MetricKey(
                        namespace=search.namespace,
                        name=metric["MetricName"],
                        dimensions=tuple(sorted(dimensions.items())),
                        statistic=search.statistic,
                        region=region,
                        account=account,
                    )
                )
        return sorted(found, key=lambda key: key.dimensions)

    def alarm_states(self, arns: Sequence[str]) -> dict[str, str]:
        """State of each alarm that exists, by its ARN."""
        states: dict[str, str] = {}
        regions: dict[str, list[str]] = {}
        for arn in arns:
            regions.setdefault(arn.split(":")[3], []).append(arn.rpartition(":alarm:")[2])
        for region, named in regions.items():
            for asked in in_calls(named, _ALARMS_IN_A_CALL):
                with _told("alarms"):
                    answer = self._cloud(region).ask(
                        "cloudwatch",
                        "describe_alarms",
                        AlarmNames=asked,
                        AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                    )
                for alarm in (*answer["MetricAlarms"], *answer["CompositeAlarms"]):
                    states[alarm["AlarmArn"]] = alarm["StateValue"]
        return states

    def log_table(self, query: str) -> Table | None:
        """None: a query of the logs is charged by what it reads."""
        del query
        return None

    def _fill(self, values: Values, points: Points) -> None:
        for moment, value in points:
            seconds = (moment - self.times.start).total_seconds()
            index = int(seconds // self.times.period_seconds)
            if 0 <= index < self.times.count:
                values[index] = value

    def _query(self, place: int, key: MetricKey) -> dict[str, Any]:
        query = metric_query(
            f"m{place}",
            (key.namespace, key.name),
            dict(key.dimensions),
            statistic=key.statistic,
            period_seconds=self.times.period_seconds,
        )
        return query if key.account is None else {**query, "AccountId": key.account}

    def _cloud(self, region: str) -> Cloud:
        if region not in self._clouds:
            self._clouds[region] = Cloud(region)
        return self._clouds[region]


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Say in a sentence why AWS did not give something."""
    try:
        yield
    except NotAllowedError as error:
        raise ForecastError(f"cannot read {what}: {error}") from None
    except CloudError as error:
        reason = error.answer.get("Error", {}).get("Message")
        if reason is not None:
            raise ForecastError(f"cannot read {what}: {reason}; deploy it first") from None
        raise ForecastError(
            f"cannot read {what}: {error}; or draw a template: --template FILE --sample"
        ) from None
