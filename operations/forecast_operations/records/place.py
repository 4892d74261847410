"""Where archives lie in an artifact bucket, and which archive lies at an address."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MODELS_PREFIX = "models/"
"""Where archives are in a bucket (`storage.artifact_storage`)."""

INFO_FILE = "model-info.json"
"""The file that every archive has."""

_SCHEME = "sha256:"
_ADDRESS = re.compile(
    r"^s3://(?P<bucket>[^/]+)/(?P<key>models/(?P<hash>[0-9a-f]{64})(?P<form>\.gz|/model\.tar\.gz|/))$"
)


def archive_keys(archive_digest: str) -> tuple[str, str, str]:
    """The keys that an archive may lie at: as an asset, as a file by its name, or file by file.

    The CDK hashes the hash that an asset is given once more (AssetStaging of aws-cdk-lib), so that
    an asset's key is the digest of the digest's text.

    Args:
        archive_digest: Digest of the archive.

    Returns:
        The asset's key, that of a `model.tar.gz`, and that of a file which every archive has.
    """
    digest = archive_digest.removeprefix(_SCHEME)
    folder = f"{MODELS_PREFIX}{digest}"
    return (
        f"{MODELS_PREFIX}{_asset_hash(digest)}.gz",
        f"{folder}/model.tar.gz",
        f"{folder}/{INFO_FILE}",
    )


def addresses_of(model: Mapping[str, Any]) -> list[Any]:
    """The addresses that the containers of a model fetch their data from.

    Args:
        model: An answer of DescribeModel, or the properties of a model in a template; of a
            template the addresses may be functions, which `flatten` turns into text.
    """
    first = model.get("PrimaryContainer")
    found: list[Any] = []
    for container in (*([first] if first else ()), *(model.get("Containers") or ())):
        source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
        found += [container.get("ModelDataUrl"), source.get("S3Uri")]
    return [address for address in found if address]


def object_at(address: str) -> tuple[str, str] | None:
    """Bucket and key of an object that an instance fetches; None where no archive lies.

    Args:
        address: `s3://` address of an archive, or the prefix of its files.
    """
    found = _ADDRESS.match(address)
    if found is None:
        return None
    key = found["key"]
    return found["bucket"], f"{key}{INFO_FILE}" if found["form"] == "/" else key


def digest_at(address: str, known: Iterable[str | None] = ()) -> str | None:
    """Digest of the archive at an address; None where it cannot be told.

    Args:
        address: `s3://` address of an archive, or the prefix of its files.
        known: Digests that it may have: an asset's key tells only whether it is one of them.
    """
    found = _ADDRESS.match(address)
    if found is None:
        return None
    if found["form"] != ".gz":
        return f"{_SCHEME}{found['hash']}"
    return next(
        (
            digest
            for digest in known
            if digest is not None and _asset_hash(digest.removeprefix(_SCHEME)) == found["hash"]
        ),
        None,
    )


def _asset_hash(digest: str) -> str:
    return hashlib.sha256(digest.encode()).hexdigest()
