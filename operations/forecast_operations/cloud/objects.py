"""Objects in S3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_operations.cloud.refusals import silence

if TYPE_CHECKING:
    from forecast_operations.cloud.cloud import Cloud

_SCHEME = "s3://"


def split(address: str) -> tuple[str, str]:
    """Bucket and key of an `s3://` address; the key may be empty, or a prefix."""
    bucket, _, key = address.removeprefix(_SCHEME).partition("/")
    return bucket, key


def read(cloud: Cloud, bucket: str, key: str) -> bytes | None:
    """The whole content of an object; None when there is none of this key.

    Raises:
        NotAllowedError: The credentials lack a permission; without that to list the bucket, S3
            refuses a key that is not there as well.
        CloudError: S3 refuses for another reason, or the connection breaks.
    """
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - half a second

    found = cloud.ask("s3", "get_object", missing="NoSuchKey", Bucket=bucket, Key=key)
    if found is None:
        return None
    try:
        return bytes(found["Body"].read())
    except BotoCoreError as error:
        raise silence(error) from None
