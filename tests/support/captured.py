"""Captured requests and answers as SageMaker writes them, and an AWS that holds them."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import tarfile
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from botocore.exceptions import ClientError

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
HERE = timezone(timedelta(hours=8))
"""Zone of this machine, in which botocore gives the times of answers."""

SCHEMA = {
    "schema_version": 2,
    "inputs": [
        {"name": "date", "type": "date"},
        {"name": "item_code", "type": "string", "categories": ["a", "b"]},
        {"name": "price_yesterday", "type": "double"},
    ],
    "features": [],
    "outputs": [
        {"name": "forecasted_price", "column": "price", "unit": "RMB/kg"},
        {"name": "forecasted_demand", "column": "demand", "unit": "kg"},
    ],
    "intervals": {"default_level": 0.9, "outputs": {}},
    "horizon": {"date_input": "date", "maximum": 30},
}


def row(item: str, date: str, **values: float) -> dict[str, Any]:
    """A row of a request."""
    return {"date": date, "item_code": item, "price_yesterday": values.get("price", 4.0)}


def prediction(price: float, demand: float = 10.0, **more: Any) -> dict[str, Any]:
    """A prediction as the archive's code writes it."""
    return {
        "forecasted_price": price,
        "forecasted_demand": demand,
        "confidence_interval": {
            "level": 0.9,
            "forecasted_price": [price - 1, price + 1],
            "forecasted_demand": [demand - 5, demand + 5],
        },
        "model_version": "16",
        "prediction_timestamp": "2026-11-20T02:00:00Z",
        **more,
    }


def request_json(*rows: dict[str, Any], **parameters: Any) -> str:
    """A request in JSON."""
    extra = {"parameters": parameters} if parameters else {}
    return json.dumps({"instances": rows, **extra})


def answer_json(*predictions: dict[str, Any]) -> str:
    """An answer in JSON."""
    return json.dumps({"predictions": predictions})


def as_csv(rows: list[dict[str, Any]]) -> str:
    """Rows as CSV."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def side(
    content: str | bytes, kind: str = "application/json", mode: str = "INPUT"
) -> dict[str, Any]:
    """One side of a capture, encoded as SageMaker encodes its content type."""
    raw = content.encode() if isinstance(content, str) else content
    encoding = {"application/json": "JSON", "text/csv": "CSV"}.get(kind, "BASE64")
    data = base64.b64encode(raw).decode() if encoding == "BASE64" else raw.decode()
    return {"observedContentType": kind, "mode": mode, "data": data, "encoding": encoding}


def capture(
    request: str | bytes,
    answer: str | bytes,
    *,
    kinds: tuple[str, str] = ("application/json", "application/json"),
    inference_id: str | None = None,
    moment: datetime = NOW - timedelta(minutes=10),
) -> dict[str, Any]:
    """A line of a capture file, as a document."""
    metadata = {"eventId": str(uuid.uuid4()), "inferenceTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}
    if inference_id is not None:
        metadata["inferenceId"] = inference_id
    return {
        "captureData": {
            "endpointInput": side(request, kinds[0]),
            "endpointOutput": side(answer, kinds[1], "OUTPUT"),
        },
        "eventMetadata": metadata,
        "eventVersion": "0",
    }


def archive(schema: dict[str, Any]) -> bytes:
    """A model archive that holds a feature schema."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        content = json.dumps(schema).encode()
        member = tarfile.TarInfo("artifacts/feature_schema.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class Body(io.BytesIO):
    """A body as botocore gives it."""

    def iter_lines(self, _: int = 1024) -> Any:
        yield from self.getvalue().splitlines()


class Storage:
    """S3 with objects by key, in whatever bucket is asked for."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def add(
        self, variant: str, *lines: Any, moment: datetime = NOW - timedelta(minutes=10)
    ) -> None:
        """Put captures into a file of a variant; texts are put in as they are."""
        name = f"{len(self.objects):06}.jsonl"
        text = "".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in lines)
        key = f"data-capture/forecast/{variant}/{moment:%Y/%m/%d/%H}/{name}"
        self.objects[key] = text.encode()

    def get_object(self, **arguments: Any) -> dict[str, Any]:
        if arguments["Key"] not in self.objects:
            error = {"Error": {"Code": "NoSuchKey", "Message": "NoSuchKey"}}
            raise ClientError(error, "GetObject")
        return {"Body": Body(self.objects[arguments["Key"]])}

    def list_objects_v2(self, **arguments: Any) -> dict[str, Any]:
        keys = sorted(key for key in self.objects if key.startswith(arguments["Prefix"]))
        return {
            "Contents": [
                {"Key": key, "Size": len(self.objects[key]), "LastModified": NOW} for key in keys
            ]
        }


class Watch:
    """CloudWatch with values by variant and metric, all in the hour before now.

    Attributes:
        variants: Values of the variants, by metric and percentile.
        others: Requests that another configuration answered, by variant and in the same hour.
        heartbeats: Beats, of all variants together.
        by_configuration: Whether there are metrics by configuration.
        asked: Requests.
    """

    def __init__(self, **variants: dict[str, float]) -> None:
        self.variants = variants
        self.others: dict[str, float] = {}
        self.heartbeats = 0.0
        self.by_configuration = True
        self.asked: list[dict[str, Any]] = []

    def get_metric_data(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(arguments)
        results = []
        for query in arguments["MetricDataQueries"]:
            metric = query["MetricStat"]["Metric"]
            dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
            value = self._value(metric["MetricName"], query["MetricStat"]["Stat"], dimensions)
            found = [] if value is None else [value]
            times = [(NOW - timedelta(hours=1)).astimezone(HERE)] * len(found)
            results.append({"Id": query["Id"], "Values": found, "Timestamps": times})
        return {"MetricDataResults": results}

    def _value(self, name: str, statistic: str, dimensions: dict[str, str]) -> float | None:
        if name == "Heartbeat":
            return self.heartbeats
        whole = "EndpointConfigName" not in dimensions
        if not (whole or self.by_configuration):
            return None
        key, variant = statistic if name == "ModelLatency" else name, dimensions["VariantName"]
        value = self.variants.get(variant, {}).get(key)
        more = self.others.get(variant, 0.0) if whole and key == "Invocations" else 0.0
        return value if value is None else value + more


def gzipped(text: str) -> bytes:
    """A compressed body, the same bytes each time."""
    return gzip.compress(text.encode(), mtime=0)
