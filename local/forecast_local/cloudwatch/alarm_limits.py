"""The limits of PutMetricAlarm that its request model does not state.

Amazon CloudWatch API reference, PutMetricAlarm and MetricDataQuery.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from forecast_local.cloudwatch.calculation import ExpressionError, Frame
from forecast_local.cloudwatch.expressions import evaluate
from forecast_local.cloudwatch.statistics import StatisticError, compute

_ID = re.compile(r"[a-z]\w*")
_MAX_QUERIES = 20
_MAX_RANGE_SECONDS = 86_400
_MAX_LONG_RANGE_SECONDS = 7 * 86_400
_HIGH_RESOLUTION = (10, 20, 30)
_MINUTE, _HOUR = 60, 3600

Request = Mapping[str, Any]


def alarm_error(request: Request) -> str | None:
    """Return why an alarm is refused, or None when it is not."""
    queries = request.get("Metrics") or []
    found = _kind_error(request, queries) or _evaluation_error(request, queries)
    if found is None and queries:
        found = _queries_error(queries)
    if found is None and not queries:
        found = _statistic_error(str(request.get("Statistic") or request.get("ExtendedStatistic")))
    return found


def _kind_error(request: Request, queries: Sequence[Request]) -> str | None:
    if bool(queries) == ("MetricName" in request):
        return "Either Metrics, or MetricName with Namespace and a statistic, is required."
    if queries:
        return None
    if ("Statistic" in request) == ("ExtendedStatistic" in request):
        return "Exactly one of Statistic and ExtendedStatistic is required."
    missing = [key for key in ("Namespace", "Period") if key not in request]
    return f"{missing[0]} is required for an alarm on MetricName." if missing else None


def _evaluation_error(request: Request, queries: Sequence[Request]) -> str | None:
    count = int(request["EvaluationPeriods"])
    needed = int(request.get("DatapointsToAlarm") or count)
    if needed > count:
        return f"DatapointsToAlarm {needed} cannot be more than EvaluationPeriods {count}."
    periods = [int(item["MetricStat"]["Period"]) for item in queries if "MetricStat" in item]
    period = max([*periods, int(request.get("Period") or 0)])
    bad = [item for item in (*periods, period) if item % _MINUTE and item not in _HIGH_RESOLUTION]
    if bad:
        return f"Period must be 10, 20, 30 or a multiple of 60, got {bad[0]}."
    limit = _MAX_RANGE_SECONDS if period < _HOUR else _MAX_LONG_RANGE_SECONDS
    if count * period > limit:
        return f"Metrics cannot be checked across more than {limit} seconds, got {count * period}."
    if "Threshold" not in request and "ThresholdMetricId" not in request:
        return "Threshold is required."
    return None


def _queries_error(queries: Sequence[Request]) -> str | None:
    if len(queries) > _MAX_QUERIES:
        return f"At most {_MAX_QUERIES} queries, got {len(queries)}."
    ids = [str(item["Id"]) for item in queries]
    wrong = [item for item in ids if not _ID.fullmatch(item)]
    if wrong or len(set(ids)) != len(ids):
        return f"Ids must be different and begin with a small letter, got {ids}."
    returned = [item for item in queries if str(item.get("ReturnData", True)).lower() != "false"]
    if len(returned) != 1:
        return f"Exactly one query must return data, got {len(returned)}."
    for item in queries:
        found = _query_error(item, ids)
        if found is not None:
            return found
    return None


def _query_error(query: Request, ids: Sequence[str]) -> str | None:
    if ("Expression" in query) == ("MetricStat" in query):
        return f"Query {query['Id']} needs either Expression or MetricStat."
    if "MetricStat" in query:
        return _statistic_error(str(query["MetricStat"]["Stat"]))
    series = {name: {0: 1.0, _MINUTE: 2.0} for name in ids}
    try:
        evaluate(str(query["Expression"]), Frame(series, [0, _MINUTE], _MINUTE))
    except ExpressionError as error:
        return f"Error in expression '{query['Id']}': {error}"
    return None


def _statistic_error(statistic: str) -> str | None:
    try:
        compute(statistic, [])
    except StatisticError as error:
        return str(error)
    return None
