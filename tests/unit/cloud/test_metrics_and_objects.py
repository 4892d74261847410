"""Metrics by the query and in UTC, objects by their address, items in as many calls as it takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from typing import Any

import pytest
from answering import Client
from botocore.exceptions import ClientError, ReadTimeoutError

from forecast_operations.cloud.cloud import Cloud, in_calls
from forecast_operations.cloud.metrics import HOSTING, floor, metric_query, read_metrics
from forecast_operations.cloud.objects import read, split
from forecast_operations.cloud.refusals import CloudError

END = datetime(2026, 11, 20, 12, tzinfo=UTC)
HERE = timezone(timedelta(hours=8))


def _queries(count: int) -> list[dict[str, Any]]:
    return [
        metric_query(
            f"m{number}",
            (HOSTING, "Invocations"),
            {"EndpointName": "shop"},
            statistic="Sum",
            period_seconds=60,
        )
        for number in range(count)
    ]


def test_values_come_by_query_in_utc_and_in_calls_of_500() -> None:
    asked: list[int] = []

    def data(**arguments: Any) -> dict[str, Any]:
        queries = arguments["MetricDataQueries"]
        asked.append(len(queries))
        # CloudWatch may give the values of one query in several results.
        results = [
            {
                "Id": queries[0]["Id"],
                "Timestamps": [(END - timedelta(minutes=minute)).astimezone(HERE)],
                "Values": [float(minute)],
            }
            for minute in (2, 1)
        ]
        return {"MetricDataResults": results}

    cloud = Cloud(
        "eu-central-1", clients={"cloudwatch": Client("cloudwatch", get_metric_data=data)}
    )

    found = read_metrics(cloud, _queries(501), END - timedelta(hours=1), END)

    assert asked == [500, 1]
    assert found["m0"] == [(END - timedelta(minutes=2), 2.0), (END - timedelta(minutes=1), 1.0)]
    assert {moment.tzinfo for moment, _ in found["m0"]} == {UTC}
    assert found["m1"] == []


def test_a_moment_is_in_a_stretch_whatever_its_zone() -> None:
    moment = END.astimezone(HERE) + timedelta(seconds=299)

    assert floor(moment, 300) == END
    assert floor(moment, 300).tzinfo is UTC


@pytest.mark.parametrize(
    ("items", "calls"), [([], []), ([1], [[1]]), ([1, 2], [[1, 2]]), ([1, 2, 3], [[1, 2], [3]])]
)
def test_items_come_in_calls(items: list[int], calls: list[list[int]]) -> None:
    assert list(in_calls(items, 2)) == calls


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("s3://bucket/a/b.json", ("bucket", "a/b.json")),
        ("s3://bucket/a/", ("bucket", "a/")),
        ("s3://bucket", ("bucket", "")),
    ],
)
def test_an_address_is_a_bucket_and_a_key(address: str, parts: tuple[str, str]) -> None:
    assert split(address) == parts


def _s3(answer: Any) -> Cloud:
    return Cloud("eu-central-1", clients={"s3": Client("s3", get_object=answer)})


def test_an_object_is_read_whole_or_is_not_there() -> None:
    gone = ClientError({"Error": {"Code": "NoSuchKey", "Message": "no"}}, "GetObject")

    assert read(_s3({"Body": BytesIO(b"content")}), "bucket", "key") == b"content"
    assert read(_s3(gone), "bucket", "key") is None


def test_a_download_that_breaks_is_a_sentence() -> None:
    class Broken(BytesIO):
        def read(self, *_: Any) -> bytes:
            raise ReadTimeoutError(endpoint_url="https://s3")

    with pytest.raises(CloudError, match="cannot ask AWS"):
        read(_s3({"Body": Broken()}), "bucket", "key")


def test_what_the_api_does_not_have_fails_a_test() -> None:
    client = Client("s3", get_object={"Body": b"", "Colour": "red"})

    with pytest.raises(AssertionError, match="Buckets"):
        client.get_object(Buckets="bucket", Key="key")
    with pytest.raises(AssertionError, match="Colour"):
        client.get_object(Bucket="bucket", Key="key")
    assert client.called == ["get_object", "get_object"]
