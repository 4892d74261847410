"""A history of requests from CloudWatch: the Invocations of an endpoint's variant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_operations.capacity.history import HOUR, MINUTE, History
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.metrics import HOSTING, KEPT_DAYS, floor, metric_query, read_metrics
from forecast_operations.cloud.refusals import CloudError

if TYPE_CHECKING:
    from forecast_config import EnvironmentSettings

_PERIODS = ((15, MINUTE), (63, 5 * MINUTE), (KEPT_DAYS, HOUR))
"""Days up to which, and the finest period that it keeps so long (CloudWatch user guide,
"Metrics retention")."""


def period_seconds(days: int) -> int:
    """Finest period that CloudWatch still has of so many days."""
    return next(period for limit, period in _PERIODS if days <= limit)


def read_cloudwatch(settings: EnvironmentSettings, days: int) -> History:
    """The requests to an endpoint in the last days: on AWS, or where `AWS_ENDPOINT_URL` points.

    Raises:
        ForecastError: CloudWatch does not answer, or knows of no requests.
    """
    endpoint, period = settings.endpoint, period_seconds(days)
    # A whole number of periods: CloudWatch's own stretches begin there.
    end = floor(datetime.now(UTC), period)
    query = metric_query(
        "invocations",
        (HOSTING, "Invocations"),
        {"EndpointName": endpoint.name, "VariantName": endpoint.variant_name},
        statistic="Sum",
        period_seconds=period,
    )
    try:
        found = read_metrics(Cloud(settings.region), [query], end - timedelta(days=days), end)
    except CloudError as error:
        raise ForecastError(
            f"cannot read the requests of {endpoint.name} from CloudWatch: {error}; "
            "or give a file with: --csv"
        ) from None
    counts = {int(moment.timestamp()): value for moment, value in found["invocations"]}
    if not counts:
        raise ForecastError(
            f"CloudWatch in {settings.region} knows of no requests to {endpoint.name} "
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
