"""Where an archive lies tells which it is, and nothing else does."""

from __future__ import annotations

import hashlib

import pytest

from forecast_operations.records.place import addresses_of, archive_keys, digest_at, object_at

HASH = "a" * 64
DIGEST = f"sha256:{HASH}"
ASSET = hashlib.sha256(HASH.encode()).hexdigest()
OTHER = f"sha256:{'b' * 64}"


def test_an_archive_has_a_key_for_each_way_it_is_published() -> None:
    assert archive_keys(DIGEST) == (
        f"models/{ASSET}.gz",
        f"models/{HASH}/model.tar.gz",
        f"models/{HASH}/model-info.json",
    )


@pytest.mark.parametrize(
    ("address", "known", "digest"),
    [
        (f"s3://store/models/{ASSET}.gz", [OTHER, None, DIGEST], DIGEST),
        (f"s3://store/models/{ASSET}.gz", [OTHER], None),
        (f"s3://store/models/{ASSET}.gz", [], None),
        (f"s3://store/models/{HASH}/model.tar.gz", [OTHER], DIGEST),
        (f"s3://store/models/{HASH}/", [], DIGEST),
        (f"s3://store/models/{HASH}", [DIGEST], None),
        (f"s3://store/elsewhere/{HASH}/", [DIGEST], None),
        ("unknown", [DIGEST], None),
    ],
)
def test_the_digest_is_that_of_the_address(
    address: str, known: list[str | None], digest: str | None
) -> None:
    assert digest_at(address, known) == digest


@pytest.mark.parametrize(
    ("address", "place"),
    [
        (f"s3://store/models/{ASSET}.gz", ("store", f"models/{ASSET}.gz")),
        (f"s3://store/models/{HASH}/", ("store", f"models/{HASH}/model-info.json")),
        (f"s3://store/models/{HASH}/model.tar.gz", ("store", f"models/{HASH}/model.tar.gz")),
        ("s3://store/model.tar.gz", None),
    ],
)
def test_what_an_instance_fetches_is_an_object(address: str, place: tuple[str, str] | None) -> None:
    assert object_at(address) == place


def test_the_addresses_of_a_model_are_those_of_all_its_containers() -> None:
    source = {"S3DataSource": {"S3Uri": "s3://store/models/b/"}}
    model = {
        "PrimaryContainer": {"Image": "serving", "ModelDataUrl": "s3://store/models/a.tar.gz"},
        "Containers": [{"ModelDataSource": source}, {"Image": "without data"}],
    }

    assert addresses_of(model) == ["s3://store/models/a.tar.gz", "s3://store/models/b/"]
    assert addresses_of({"PrimaryContainer": None, "Containers": None}) == []
