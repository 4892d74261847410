"""Deployment records are written once, found by their id, and one bad one hides no others."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.refusals import CloudError, NotAllowedError
from forecast_operations.records.reading import read_ahead
from forecast_operations.records.store import DamagedRecordError, RecordStore

if TYPE_CHECKING:
    from collections.abc import Callable


def _put(aws: Any, key: str, body: bytes) -> None:
    aws.client("s3").put_object(Bucket="store", Key=key, Body=body)


def test_what_is_written_is_read(store: RecordStore, record_of: Any) -> None:
    record = record_of(9)

    assert store.keep(record) == f"deployments/prod/{record.record_id}.json"
    assert store.read(record.record_id) == record
    assert store.find("latest") == record


def test_a_record_is_never_written_over(store: RecordStore, record_of: Any) -> None:
    record = record_of(9)
    store.keep(record)

    with pytest.raises(ForecastError, match=r"is there already, and a record is never written ove"):
        store.keep(record.model_copy(update={"seconds": 2.0}))

    assert store.read(record.record_id) == record


def test_a_call_that_is_repeated_finds_what_it_has_written(
    store: RecordStore, record_of: Any, aws: Any
) -> None:
    record = record_of(9)
    body = record.model_dump_json(indent=2).encode()
    # The answer to the first call was lost, and botocore has asked once more.
    _put(aws, store.key(record.record_id), body)

    assert store.keep(record) == store.key(record.record_id)


def test_a_connection_that_breaks_while_a_record_is_read_is_said(record_of: Any) -> None:
    class Breaks:
        def get_object(self, **_: Any) -> Any:
            def read() -> bytes:
                raise ReadTimeoutError(endpoint_url="https://s3")

            return {"Body": SimpleNamespace(read=read)}

    store = RecordStore(Cloud("r", clients={"s3": Breaks()}), "store", "prod")

    with pytest.raises(CloudError):
        store.read(record_of(9).record_id)


def test_an_environment_without_a_bucket_names_its_own_stack() -> None:
    settings: Any = SimpleNamespace(
        name="prod", region="eu-central-1", artifacts_stack_name="ShopProdArtifacts"
    )
    live: Any = SimpleNamespace(output=lambda *_: None)

    with pytest.raises(ForecastError, match="expected the stack ShopProdArtifacts in"):
        RecordStore.needed(live, settings)


def _written(store: RecordStore, when: dict[int, int], record_of: Any) -> RecordStore:
    """The store as S3 lists it when the records were written at other seconds."""
    listed = [
        {
            "Key": store.key(record_of(hour).record_id),
            "LastModified": datetime(2027, 1, 4, 20, 0, second, 1000 * hour, tzinfo=UTC),
        }
        for hour, second in when.items()
    ]

    class Listing:
        def __getattr__(self, name: str) -> Any:
            return getattr(store.cloud.client("s3"), name)

        def get_paginator(self, _: str) -> Any:
            return SimpleNamespace(paginate=lambda **_: [{"Contents": listed}])

    return RecordStore(Cloud("r", clients={"s3": Listing()}), store.bucket, store.environment)


def test_what_was_written_last_is_the_newest_whatever_a_clock_says(
    store: RecordStore, record_of: Any
) -> None:
    store.keep(record_of(9, outcome="failed"))
    store.keep(record_of(17))
    # The clock of whoever verified at 17 o'clock was hours ahead.
    skewed = _written(store, {17: 1, 9: 2}, record_of)

    assert [each.started_at.hour for each in skewed.records()] == [9, 17]
    assert skewed.find("latest").outcome == "failed"


def test_many_are_read_in_order_and_no_more_than_twice_as_many_as_are_taken() -> None:
    read: list[int] = []

    def take(key: int) -> int:
        read.append(key)
        return key

    ahead = read_ahead(take, range(100))
    assert [next(ahead) for _ in range(4)] == [0, 1, 2, 3]
    assert len(read) <= 8
    assert list(ahead) == list(range(4, 100))
    assert sorted(read) == list(range(100))
    assert list(read_ahead(take, ())) == []


def test_the_newest_come_first_and_other_objects_do_not_count(
    store: RecordStore, record_of: Any, aws: Any
) -> None:
    for hour in (9, 17, 12):
        store.keep(record_of(hour))
    other = RecordStore(store.cloud, "store", "prod-eu")
    other.keep(record_of(18))
    _put(aws, "deployments/prod/notes.txt", b"")
    _put(aws, "deployments/prod/20270104T090000Z-00000009.json.bak", b"")

    at_once = _written(store, dict.fromkeys((9, 17, 12), 0), record_of)
    assert [name[9:11] for name in at_once.ids()] == ["17", "12", "09"]
    assert {name[9:11] for name in store.ids()} == {"17", "12", "09"}
    assert len(list(store.records(2))) == 2
    assert len(other.ids()) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text[:200], "Invalid JSON"),
        (lambda text: text.replace('"schema_version": 1', '"schema_version": 2'), "schema_version"),
        (lambda text: text.replace('"outcome": "verified"', '"outcome": "fine"'), "outcome"),
        (lambda _: "", "Invalid JSON"),
    ],
)
def test_a_damaged_record_is_named_and_the_others_are_read(
    store: RecordStore, record_of: Any, aws: Any, change: Callable[[str], str], why: str
) -> None:
    store.keep(record_of(9))
    damaged = record_of(12)
    key = store.key(damaged.record_id)
    _put(aws, key, change(damaged.model_dump_json(indent=2)).encode())
    told: list[str] = []

    found = list(store.records(damaged=lambda error: told.append(str(error))))

    assert [each.started_at.hour for each in found] == [9]
    assert len(told) == 1
    assert f"s3://store/{key}" in told[0]
    assert why in told[0]
    with pytest.raises(DamagedRecordError, match=why):
        store.read(damaged.record_id)


def test_an_unknown_id_names_the_closest(store: RecordStore, record_of: Any) -> None:
    for hour in (9, 17):
        store.keep(record_of(hour))

    with pytest.raises(ForecastError, match=r"closest: 20270104T170000Z-00000011, 20270104T09"):
        store.find("20270104T170000Z-00000012")
    with pytest.raises(ForecastError, match=r"closest: 20270104T170000Z-00000011, 20270104T09"):
        store.find("x")


def test_without_a_record_it_is_said_how_one_is_made(store: RecordStore) -> None:
    for asked in ("latest", "20270104T170000Z-00000012"):
        with pytest.raises(ForecastError, match=r"make one with: forecast verify prod"):
            store.find(asked)
    assert list(store.records()) == []


@pytest.mark.parametrize(
    ("operation", "message", "permission"),
    [
        ("put_object", "Access Denied", "s3:PutObject"),
        (
            "put_object",
            "User: me is not authorized to perform: kms:GenerateDataKey on resource: key/1",
            "kms:GenerateDataKey",
        ),
        ("get_object", "Access Denied", "s3:GetObject"),
        ("list_objects_v2", "Access Denied", "s3:ListBucket"),
    ],
)
def test_a_missing_permission_is_named(
    record_of: Any, operation: str, message: str, permission: str
) -> None:
    class Closed:
        def __getattr__(self, _: str) -> Any:
            def refuse(**_: Any) -> Any:
                raise ClientError(
                    {"Error": {"Code": "AccessDenied", "Message": message}}, operation
                )

            return refuse

        def get_paginator(self, _: str) -> Any:
            class Pages:
                paginate = Closed().list_objects_v2

            return Pages

    store = RecordStore(Cloud("r", clients={"s3": Closed()}), "store", "prod")
    record = record_of(9)
    call: dict[str, Any] = {
        "put_object": lambda: store.keep(record),
        "get_object": lambda: store.read(record.record_id),
        "list_objects_v2": store.ids,
    }

    with pytest.raises(NotAllowedError, match=f"the permission {permission}"):
        call[operation]()


def test_a_record_says_when_in_utc(store: RecordStore, record_of: Any, aws: Any) -> None:
    key = store.keep(record_of(9))

    stored = json.loads(aws.client("s3").get_object(Bucket="store", Key=key)["Body"].read())

    assert stored["started_at"] == "2027-01-04T09:00:00Z"
    assert stored["schema_version"] == 1
