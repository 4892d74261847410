"""Model data on its way from S3 to a model server: an archive, or the files below a prefix."""

from pathlib import Path
from typing import Any

from forecast_local.sagemaker.archive import ArchiveError, extract
from forecast_packaging import ModelError
from forecast_packaging.building.archive import MAX_UNPACKED_BYTES
from forecast_packaging.manifest import PathSet, check_path

_CHUNK_BYTES = 1024 * 1024


def fetch(s3: Any, uri: str, folder: Path) -> None:
    """Bring model data into a folder that does not exist yet.

    What SageMaker does for each ``S3DataType`` is in S3ModelDataSource of its API reference.

    Args:
        s3: boto3 client of the account's S3.
        uri: The archive, or a prefix, which ends with a slash.
        folder: The folder to create; it is what the container sees as ``/opt/ml/model``.

    Raises:
        ArchiveError: If the archive is refused, or two files below the prefix have one path.
    """
    if uri.endswith("/"):
        _fetch_files(s3, uri, folder)
        return
    archive = folder.with_name("model.tar.gz")
    _download(s3, *split_s3_uri(uri), archive)
    extract(archive, folder)
    archive.unlink()


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Split ``s3://bucket/key`` (or its https form) into bucket and key."""
    text = uri.removeprefix("s3://")
    if uri.startswith("https://"):
        text = uri.removeprefix("https://").partition("/")[2]
    bucket, _, key = text.partition("/")
    return bucket, key


def list_objects(s3: Any, uri: str) -> list[tuple[str, int]]:
    """The keys and sizes of all objects below a prefix."""
    bucket, prefix = split_s3_uri(uri)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [(item["Key"], item["Size"]) for page in pages for item in page.get("Contents", [])]


def _fetch_files(s3: Any, uri: str, folder: Path) -> None:
    bucket, prefix = split_s3_uri(uri)
    found = list_objects(s3, uri)
    if sum(size for _, size in found) > MAX_UNPACKED_BYTES:
        raise ArchiveError("the files are larger than allowed")
    paths = PathSet("the prefix")
    try:
        for key, _ in found:
            check_path(key.removeprefix(prefix), "the prefix")
            paths.add(key.removeprefix(prefix))
    except ModelError as error:
        raise ArchiveError(str(error)) from error
    folder.mkdir(parents=True)
    for key, _ in found:
        target = folder / key.removeprefix(prefix)
        target.parent.mkdir(parents=True, exist_ok=True)
        _download(s3, bucket, key, target)


def _download(s3: Any, bucket: str, key: str, target: Path) -> None:
    body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    with target.open("wb") as file:
        for chunk in body.iter_chunks(_CHUNK_BYTES):
            file.write(chunk)
