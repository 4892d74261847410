"""Captured requests and answers of a variant, read from S3 without holding them all.

SageMaker writes JSON Lines below `<destination>/<endpoint>/<variant>/yyyy/mm/dd/hh/` (Amazon
SageMaker developer guide, "Capture data from real-time endpoint"), in UTC, for a shadow variant as
for any other ("Create a shadow test": data capture logs requests and responses of both variants).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from forecast_operations.cloud.objects import split
from forecast_operations.cloud.refusals import silence
from forecast_operations.comparing.exchanges import Body, DamagedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from forecast_operations.cloud.cloud import Cloud
    from forecast_operations.comparing.window import Window

OWN_REQUESTS = ("heartbeat-", "verification-")
"""What the inference ids of requests begin with that the project sends itself."""

_HOUR = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/(\d{2})/[^/]+\.jsonl$")
_READ_BYTES = 1 << 20
_SHOWN_REASONS = 5


@dataclass(frozen=True, slots=True)
class Capture:
    """One captured exchange.

    Attributes:
        event_id: SageMaker's id of the event.
        inference_id: The caller's id; None where there was none.
        moment: When it was answered.
        request: The request.
        answer: The answer.
    """

    event_id: str
    inference_id: str | None
    moment: datetime
    request: Body
    answer: Body

    @property
    def is_own(self) -> bool:
        """Whether the heartbeat or a verification asked, and no client."""
        return self.inference_id is not None and self.inference_id.startswith(OWN_REQUESTS)

    @property
    def digest(self) -> bytes:
        """What requests that are the same have in common."""
        kind = self.request.content_type.encode()
        return hashlib.sha256(kind + b"\0" + self.request.content).digest()


@dataclass
class Reading:
    """What was read of one variant's captures, and what could not be.

    Attributes:
        limit: Most exchanges that are read.
        read: Exchanges that were read.
        bytes_read: Size of the files that were read.
        own: Exchanges of heartbeats and verifications, which are left out.
        damaged: Lines that could not be read, by reason.
        cut_at: The hour at which the limit was reached: what is older was not read.
    """

    limit: int
    read: int = 0
    bytes_read: int = 0
    own: int = 0
    damaged: Counter[str] = field(default_factory=Counter)
    cut_at: datetime | None = None

    @property
    def damaged_lines(self) -> int:
        """How many lines could not be read."""
        return self.damaged.total()

    def reasons(self) -> list[str]:
        """Why lines could not be read, the most frequent reason first."""
        return [f"{count} x {why}" for why, count in self.damaged.most_common(_SHOWN_REASONS)]


@dataclass(frozen=True)
class CaptureStore:
    """Where an endpoint's captures lie.

    Attributes:
        cloud: Where the bucket is.
        destination: `s3://` address that the endpoint's configuration names.
        endpoint: Name of the endpoint.
    """

    cloud: Cloud
    destination: str
    endpoint: str

    def hours(
        self,
        variant: str,
        window: Window,
        reading: Reading,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Iterator[tuple[datetime, list[Capture]]]:
        """The exchanges of each hour, the newest hour first.

        Args:
            variant: Name of the variant.
            window: What is asked for.
            reading: Filled with what was read, and how much of it was damaged.
            progress: Told the bytes that each file had.

        Raises:
            ForecastError: S3 refuses, or does not answer.
        """
        for hour, keys in self._keys(variant, window):
            yield hour, list(self._captures(keys, window, reading, progress))
            if reading.read >= reading.limit:
                reading.cut_at = hour
                return

    def _keys(
        self, variant: str, window: Window
    ) -> Iterator[tuple[datetime, list[tuple[str, int]]]]:
        bucket, prefix = split(self.destination)
        folder = "/".join(part for part in (prefix.strip("/"), self.endpoint, variant) if part)
        first, day = window.start.replace(minute=0, second=0, microsecond=0), window.end.date()
        while day >= window.start.date():
            found = [
                (hour, (each["Key"], int(each["Size"])))
                for each in self.cloud.pages(
                    "s3",
                    "list_objects_v2",
                    "Contents",
                    Bucket=bucket,
                    Prefix=f"{folder}/{day:%Y/%m/%d}/",
                )
                if (hour := _hour_of(each["Key"])) is not None and first <= hour <= window.end
            ]
            found.sort(reverse=True)
            for hour, group in groupby(found, key=lambda each: each[0]):
                yield hour, [key for _, key in group]
            day -= timedelta(days=1)

    def _captures(
        self,
        keys: Sequence[tuple[str, int]],
        window: Window,
        reading: Reading,
        progress: Callable[[int], None],
    ) -> Iterator[Capture]:
        for key, size in keys:
            for line in self._lines(key):
                if reading.read >= reading.limit:
                    return
                try:
                    capture = read_line(line)
                except DamagedError as error:
                    reading.damaged[str(error)] += 1
                    continue
                if window.start <= capture.moment <= window.end:
                    reading.read += 1
                    yield capture
            reading.bytes_read += size
            progress(size)

    def _lines(self, key: str) -> Iterator[bytes]:
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - half a second

        bucket, _ = split(self.destination)
        found = self.cloud.ask("s3", "get_object", missing="NoSuchKey", Bucket=bucket, Key=key)
        if found is None:  # expired since it was listed
            return
        try:
            for line in found["Body"].iter_lines(_READ_BYTES):
                if line.strip():
                    yield line
        except BotoCoreError as error:
            raise silence(error) from None


def read_line(line: bytes) -> Capture:
    """One line of a capture file.

    Raises:
        DamagedError: It is no capture of a request and its answer.
    """
    try:
        document = json.loads(line)
        data, metadata = document["captureData"], document["eventMetadata"]
        inference_id = metadata.get("inferenceId")
        return Capture(
            event_id=str(metadata["eventId"]),
            inference_id=None if inference_id is None else str(inference_id),
            moment=_moment(metadata["inferenceTime"]),
            request=_body(data, "endpointInput"),
            answer=_body(data, "endpointOutput"),
        )
    except (ValueError, RecursionError):
        raise DamagedError("a line that is no JSON") from None
    except (KeyError, TypeError, AttributeError):
        raise DamagedError("a line that is no capture") from None


def _body(data: Mapping[str, Any], name: str) -> Body:
    if name not in data:
        raise DamagedError(f"a capture without {name}")
    entry = data[name]
    text, encoding = entry["data"], entry.get("encoding")
    if encoding == "BASE64":
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise DamagedError("a body that is no Base64") from None
    elif encoding in {"JSON", "CSV"}:
        # What was no UTF-8 when it was captured fails later, when it is read.
        content = str(text).encode("utf-8", errors="surrogatepass")
    else:
        raise DamagedError("a body of an unknown encoding")
    return Body(content, str(entry.get("observedContentType") or ""))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DamagedError("a capture without a time") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _hour_of(key: str) -> datetime | None:
    match = _HOUR.search(key)
    if match is None:
        return None
    year, month, day, hour = map(int, match.groups())
    try:
        return datetime(year, month, day, hour, tzinfo=UTC)
    except ValueError:
        return None
