"""The objects of an artifact bucket as files to fetch: an interrupted one goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_operations.cloud.refusals import silence
from forecast_operations.records.place import MODELS_PREFIX
from forecast_packaging.manifest import CHUNK_BYTES
from forecast_packaging.registry.transfer import StoredFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_operations.cloud.cloud import Cloud


class BucketStore:
    """What is below `models/` of a bucket; every method raises CloudError when AWS refuses.

    Args:
        cloud: Where the bucket is.
        bucket: Its name.
        account: The account that it must belong to.
    """

    def __init__(self, cloud: Cloud, bucket: str, account: str) -> None:
        self.root = f"s3://{bucket}/{MODELS_PREFIX}"
        self._cloud = cloud
        self._named = {"Bucket": bucket, "ExpectedBucketOwner": account}

    def files(self, path: str, shown: str) -> list[StoredFile]:  # noqa: ARG002  # as other stores
        """The objects whose key begins with a path; none when there is no such bucket."""
        if not self._is_there():
            return []
        found = self._cloud.pages(
            "s3", "list_objects_v2", "Contents", **self._named, Prefix=f"{MODELS_PREFIX}{path}"
        )
        return [
            StoredFile(each["Key"].removeprefix(MODELS_PREFIX), each["Size"], each["ETag"])
            for each in found
        ]

    def fetch(self, file: StoredFile, part: Path, arrived: Callable[[int], None]) -> None:
        """Write an object, going on behind what has arrived before."""
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        with part.open("ab") as copy:
            start = copy.tell()
            arrived(start)
            if start == file.size:
                return
            answer = self._cloud.ask(
                "s3",
                "get_object",
                **self._named,
                Key=f"{MODELS_PREFIX}{file.path}",
                Range=f"bytes={start}-",
                # What has arrived is of this object, and not of a later one of its name.
                IfMatch=file.stamp,
            )
            try:
                for data in answer["Body"].iter_chunks(CHUNK_BYTES):
                    copy.write(data)
                    arrived(copy.tell())
            except BotoCoreError as error:
                raise silence(error) from None

    def _is_there(self) -> bool:
        found = self._cloud.ask("s3", "head_bucket", missing="404", **self._named)
        return found is not None
