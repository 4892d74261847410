"""An archive comes back from a bucket as the very one that was published, or not at all."""

from __future__ import annotations

import gzip
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import ForecastError, load_config
from forecast_operations.cloud.refusals import CloudError
from forecast_operations.records.bucket_store import BucketStore
from forecast_operations.records.fetching import bring, fetch, provide
from forecast_operations.records.place import archive_keys
from forecast_packaging import ContractError, LockMismatchError
from forecast_packaging.building.kept import Archives
from forecast_packaging.progress import no_progress

if TYPE_CHECKING:
    from conftest import World

ACCOUNT = "123456789012"


def _store(world: World, environment: str = "prod") -> BucketStore:
    return BucketStore(world.cloud, world.bucket(environment), ACCOUNT)


def _put(world: World, key: str, data: bytes, environment: str = "prod") -> None:
    world.aws.client("s3").put_object(Bucket=world.bucket(environment), Key=key, Body=data)


def _hex(world: World, version: str = "1") -> str:
    return world.digest(version).removeprefix("sha256:")


@pytest.mark.parametrize("form", ["asset", "named", "files"])
def test_every_form_of_a_published_archive_is_the_same_one_again(world: World, form: str) -> None:
    name, archive = _hex(world), world.versions["1"][0]
    if form == "files":
        stage = world.root.parent / "stage-1"
        for file in (path for path in stage.rglob("*") if path.is_file()):
            _put(world, f"models/{name}/{file.relative_to(stage)}", file.read_bytes())
    else:
        asset, named, _ = archive_keys(world.digest("1"))
        _put(world, asset if form == "asset" else named, archive.read_bytes())

    assert fetch(world.root, _store(world), world.digest("1"), no_progress)

    record = Archives(world.root).find(world.digest("1"))
    assert record is not None
    assert record.archive == f"forecaster-1-{name[:12]}.tar.gz"
    assert (Archives(world.root).folder / record.archive).read_bytes() == archive.read_bytes()


def test_what_is_nowhere_is_not_found(world: World) -> None:
    assert not fetch(world.root, _store(world), world.digest("1"), no_progress)

    gone = BucketStore(world.cloud, "no-such-bucket", ACCOUNT)
    assert not fetch(world.root, gone, world.digest("1"), no_progress)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ("another", "holds the archive sha256:"),
        ("cut off", "its compression ends too soon"),
        ("no archive", "its compression is damaged"),
    ],
)
def test_something_else_under_its_name_is_refused_and_fetched_anew(
    world: World, found: str, says: str
) -> None:
    good = world.versions["1"][0].read_bytes()
    bodies = {
        "another": world.versions["2"][0].read_bytes(),
        "cut off": good[:-20],
        "no archive": b"<html>" * 100,
    }
    key, *_ = archive_keys(world.digest("1"))
    _put(world, key, bodies[found])

    with pytest.raises(ContractError, match=f"{key} is not what was published.*{says}"):
        fetch(world.root, _store(world), world.digest("1"), no_progress)

    assert Archives(world.root).find(world.digest("1")) is None
    world.publish("1")
    assert fetch(world.root, _store(world), world.digest("1"), no_progress)


def test_a_file_too_many_is_another_archive(world: World) -> None:
    stage = world.root.parent / "stage-1"
    for file in (path for path in stage.rglob("*") if path.is_file()):
        _put(world, f"models/{_hex(world)}/{file.relative_to(stage)}", file.read_bytes())
    _put(world, f"models/{_hex(world)}/code/forecast_inference/more.py", b"import os\n")

    with pytest.raises(ContractError, match=r"is not what was published there"):
        fetch(world.root, _store(world), world.digest("1"), no_progress)


def test_content_of_the_right_digest_that_is_no_archive_of_ours_is_refused(world: World) -> None:
    import hashlib  # noqa: PLC0415

    tar = bytes(10240)
    file = world.root.parent / "empty.tar.gz"
    file.write_bytes(gzip.compress(tar))

    with pytest.raises(ContractError, match=r"model-info\.json cannot be read"):
        Archives(world.root).adopt(file, f"sha256:{hashlib.sha256(tar).hexdigest()}")

    assert not list((world.root / ".forecast/archives").glob("*.tar.gz"))


class _Breaking:
    """A client of S3 whose line breaks in the middle of the first object."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self.ranges: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def get_object(self, **arguments: Any) -> Any:
        from botocore.exceptions import ResponseStreamingError  # noqa: PLC0415

        self.ranges.append(arguments["Range"])
        answer = self._s3.get_object(**arguments)
        if len(self.ranges) > 1:
            return answer

        def chunks(_: int) -> Any:
            yield answer["Body"].read(100)
            raise ResponseStreamingError(error="reset by peer")

        return {"Body": type("Body", (), {"iter_chunks": staticmethod(chunks)})}


def test_an_interrupted_one_goes_on_where_it_stopped(world: World) -> None:
    from forecast_operations.cloud.cloud import Cloud  # noqa: PLC0415

    world.publish("1")
    s3 = _Breaking(world.aws.client("s3"))
    store = BucketStore(Cloud(world.cloud.region, clients={"s3": s3}), world.bucket(), ACCOUNT)

    with pytest.raises(CloudError, match="reset by peer"):
        fetch(world.root, store, world.digest("1"), no_progress)
    assert fetch(world.root, store, world.digest("1"), no_progress)

    assert s3.ranges == ["bytes=0-", "bytes=100-"]
    assert not list((world.root / ".forecast/archives/fetching").glob("*/*"))


def test_another_environment_s_bucket_has_it_too(world: World) -> None:
    world.publish("1", "staging")
    config = load_config(world.config)
    prod = config.environments["prod"]

    found = bring(config, prod, world.digest("1"), no_progress, lambda _: world.cloud)
    missing = bring(config, prod, world.digest("2"), no_progress, lambda _: world.cloud)

    assert found.found
    assert not missing.found
    assert missing.places == (
        f"s3://{world.bucket('prod')}/models/ of prod: not there",
        f"s3://{world.bucket('staging')}/models/ of staging: not there",
    )


def test_a_pinned_archive_that_is_nowhere_is_an_error_that_says_where_it_was_looked_for(
    world: World,
) -> None:
    config = load_config(world.config)
    entry = world.versions["1"][1]

    with pytest.raises(ForecastError) as caught:
        provide(config, config.environments["prod"], entry, no_progress, lambda _: world.cloud)

    said = str(caught.value)
    assert f"pins the archive {entry.archive_digest} of version 1 for 'prod'" in said
    assert "cannot be packed anew" in said
    assert f"s3://{world.bucket('staging')}/models/ of staging: not there" in said


def test_a_pinned_archive_that_is_here_asks_nobody(world: World) -> None:
    config, entry = load_config(world.config), world.versions["1"][1]
    file = shutil.copy(world.versions["1"][0], world.root / "kept.tar.gz")
    Archives(world.root).adopt(world.root / "kept.tar.gz", world.digest("1"))

    packaged = provide(config, config.environments["prod"], entry, no_progress, lambda _: None)  # type: ignore[arg-type,return-value]

    assert file
    assert packaged.archive_digest == entry.archive_digest
    assert packaged.model == entry


def test_a_pin_does_not_make_one_version_another(world: World) -> None:
    config, entry = load_config(world.config), world.versions["1"][1]
    Archives(world.root).adopt(world.versions["1"][0], world.digest("1"))
    forged = entry.model_copy(update={"version": "2"})

    with pytest.raises(LockMismatchError, match="with the version 2, and the archive says") as no:
        provide(config, config.environments["prod"], forged, no_progress, lambda _: world.cloud)

    # Resolving would follow the alias, and let go of the pin.
    assert "forecast resolve" not in str(no.value)
    assert str(no.value).endswith(
        "put models.lock.json back as it was (git checkout), or lock version 2 again: forecast "
        "rollback prod --to 2, or forecast promote 2 --from ENV --to prod as it came there"
    )


def test_an_archive_that_was_packed_for_another_image_is_refused(world: World) -> None:
    world.configure(
        "prod",
        image={
            "kind": "aws",
            "framework": "scikit-learn",
            "version": "1.9-0",
            "missing_libraries": "vendor",
        },
    )
    config, entry = load_config(world.config), world.versions["1"][1]
    wheel = {"version": "4.7.0", "file": "lightgbm-4.7.0-py3-none-any.whl", "sha256": "0" * 64}
    entry = type(entry).model_validate(
        {
            **entry.model_dump(),
            "libraries": {**entry.libraries, "lightgbm": "4.7.0"},
            "wheels": {"lightgbm": wheel},
        }
    )
    Archives(world.root).adopt(world.versions["1"][0], world.digest("1"))

    with pytest.raises(ForecastError, match=r"brings no lightgbm, and the image of 'prod' lacks"):
        provide(config, config.environments["prod"], entry, no_progress, lambda _: world.cloud)
