"""Data capture: requests and answers of an endpoint as JSON lines in S3.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

import base64
import json
import logging
import random
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from moto.core.utils import utcnow

from forecast_local.sagemaker.model_data import split_s3_uri

_LOG = logging.getLogger(__name__)
# One writer: capturing must not slow down the invocations, nor change their order.
_WRITER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="data-capture")


@dataclass(frozen=True)
class Payload:
    """A body with its content type."""

    body: bytes
    content_type: str


def is_sampled(capture: Mapping[str, Any] | None) -> bool:
    """Decide whether an invocation is captured."""
    if capture is None or not capture.get("EnableCapture", True):
        return False
    return random.random() * 100 < float(capture["InitialSamplingPercentage"])  # noqa: S311 - sampling


def record(
    capture: Mapping[str, Any], request: Payload, answer: Payload, *, inference_id: str | None
) -> dict[str, Any]:
    """Return the capture record of an invocation.

    Args:
        capture: ``DataCaptureConfig`` of the endpoint.
        request: What was sent to the model.
        answer: What the model answered.
        inference_id: The id that the caller gave, if any.
    """
    modes = {option["CaptureMode"] for option in capture["CaptureOptions"]}
    both = "InputAndOutput" in modes
    headers = capture.get("CaptureContentTypeHeader", {})
    data = {}
    if both or "Input" in modes:
        data["endpointInput"] = _captured(request, "INPUT", headers)
    if both or "Output" in modes:
        data["endpointOutput"] = _captured(answer, "OUTPUT", headers)
    metadata = {
        "eventId": str(uuid.uuid4()),
        "inferenceTime": utcnow().strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if inference_id is not None:
        metadata["inferenceId"] = inference_id
    return {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}


def _captured(payload: Payload, mode: str, headers: Mapping[str, Any]) -> dict[str, str]:
    kind = payload.content_type.partition(";")[0].strip().lower()
    if kind in headers.get("CsvContentTypes", []):
        encoding, text = "CSV", payload.body.decode("utf-8", errors="replace")
    elif kind in headers.get("JsonContentTypes", []):
        encoding, text = "JSON", payload.body.decode("utf-8", errors="replace")
    else:
        encoding, text = "BASE64", base64.b64encode(payload.body).decode()
    return {
        "observedContentType": payload.content_type,
        "mode": mode,
        "data": text,
        "encoding": encoding,
    }


def write(
    s3: Any, capture: Mapping[str, Any], endpoint: str, variant: str, content: Mapping[str, Any]
) -> None:
    """Write a record in the background to ``<destination>/<endpoint>/<variant>/yyyy/mm/dd/hh/``."""
    bucket, prefix = split_s3_uri(capture["DestinationS3Uri"])
    now = utcnow()
    folder = "/".join(part for part in (prefix.strip("/"), endpoint, variant) if part)
    key = f"{folder}/{now:%Y/%m/%d/%H/%M-%S}-{now.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
    arguments: dict[str, Any] = {"Bucket": bucket, "Key": key}
    if capture.get("KmsKeyId"):
        arguments["ServerSideEncryption"] = "aws:kms"
        arguments["SSEKMSKeyId"] = capture["KmsKeyId"]
    arguments["Body"] = (json.dumps(content, ensure_ascii=False) + "\n").encode()
    _WRITER.submit(_put, s3, arguments)


def _put(s3: Any, arguments: dict[str, Any]) -> None:
    try:
        s3.put_object(**arguments)
    except Exception:  # noqa: BLE001 - a lost record must not end the writer
        _LOG.exception("could not write captured data to %s", arguments["Bucket"])
