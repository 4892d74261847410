"""A history of requests from CloudWatch: the Invocations of an endpoint's variant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_operations.capacity.history import HOUR, MINUTE, History
from forecast_operations.capacity.limits import CLOUDWATCH_DAYS
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.metrics import metric_query
from forecast_operations.cloud.refusals import CloudError

if TYPE_CHECKING:
    from forecast_config import EnvironmentSettings

_PERIODS = ((15, MINUTE), (63, 5 * MINUTE), (CLOUDWATCH_DAYS, HOUR))
"""Days up to which, and the finest period that it keeps so long (CloudWatch user guide,
"Metrics retention")."""


def period_seconds(days: int) -> int:
    """Finest period that CloudWatch still has of so many days."""
    return next(period for limit, period in _PERIODS if days <= limit)


def read_cloudwatch(environment: EnvironmentSettings, days: int) -> History:
    """The requests to an endpoint in the last days: on AWS, or where `AWS_ENDPOINT_URL` points.

    Raises:
        ForecastError: CloudWatch does not answer, or knows of no requests.
    """
    endpoint = environment.endpoint
    period = period_seconds(days)
    # A whole number of periods: CloudWatch's own stretches begin there.
    end = datetime.fromtimestamp(int(datetime.now(UTC).timestamp()) // period * period, UTC)
    query = metric_query(
        "invocations",
        ("AWS/SageMaker", "Invocations"),
        {"EndpointName": endpoint.name, "VariantName": endpoint.variant_name},
        statistic="Sum",
        period_seconds=period,
    )
    results = Cloud(environment.region).pages(
        "cloudwatch",
        "get_metric_data",
        "MetricDataResults",
        StartTime=end - timedelta(days=days),
        EndTime=end,
        MetricDataQueries=[query],
    )
    counts: dict[int, float] = {}
    try:
        for result in results:
            for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                counts[int(moment.timestamp())] = value
    except CloudError as error:
        raise ForecastError(
            f"cannot read the requests of {endpoint.name} from CloudWatch: {error}; "
            "or give a file with: --csv"
        ) from None
    if not counts:
        raise ForecastError(
            f"CloudWatch in {environment.region} knows of no requests to {endpoint.name} "
            f"in {days} days; give a file with: --csv"
        )
    notes = (
        ()
        if period == MINUTE
        else (f"CloudWatch gave sums of {period // MINUTE} minutes; peaks within are not seen",)
    )
    return History.from_counts(
        counts, step_seconds=period, source=f"CloudWatch, {endpoint.name}", notes=notes
    )
