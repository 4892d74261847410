"""Workers, timeouts and storage follow from the instance type and the model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_config import EnvironmentSettings, ForecastError, LockedModel, PackagedModel
from forecast_config.instances import known_instance_types, memory_gib, smallest_with, vcpus
from forecast_config.settings.container import (
    LIBRARY_BYTES,
    MAX_VARIABLE_BYTES,
    environment_bytes,
)
from forecast_config.sizing import (
    GIB,
    LOADED_PER_FILE_BYTE,
    MIB,
    WORKER_MIB,
    in_steps,
    size_container,
    worker_bytes,
)

if TYPE_CHECKING:
    from forecast_config.sizing import ContainerSize

DIGEST = f"sha256:{'0' * 64}"


def _environment(instance_type: str, endpoint: dict[str, Any], container: Any) -> Any:
    return EnvironmentSettings.model_validate(
        {
            "name": "prod",
            "region": "eu-central-1",
            "endpoint": {
                "kind": "realtime",
                "name": "forecast",
                "instance_type": instance_type,
                **endpoint,
            },
            "image": {"kind": "aws", "framework": "xgboost", "version": "3.2-0"},
            "container": container,
            "tags": {"team": "a", "cost_centre": "b"},
        }
    )


def _packaged(model_bytes: int, unpacked_bytes: int, formats: list[str]) -> PackagedModel:
    model = LockedModel(
        name="forecaster",
        version="16",
        run_id="run",
        model_digest=DIGEST,
        signature_digest=DIGEST,
        libraries={"python": "3.12.1"},
        formats=formats,
    )
    return PackagedModel(
        archive=Path("model.tar.gz"),
        archive_digest=DIGEST,
        model=model,
        model_bytes=model_bytes,
        unpacked_bytes=unpacked_bytes or model_bytes,
    )


def _size(
    instance_type: str = "ml.m5.xlarge",
    *,
    model_bytes: int = MIB,
    unpacked_bytes: int = 0,
    formats: tuple[str, ...] = ("lightgbm",),
    endpoint: dict[str, Any] | None = None,
    **container: Any,
) -> ContainerSize:
    settings = _environment(instance_type, endpoint or {}, container)
    return size_container(settings, _packaged(model_bytes, unpacked_bytes, list(formats)))


@pytest.mark.parametrize(
    ("instance_type", "workers"),
    [("ml.t3.medium", 2), ("ml.m5.large", 2), ("ml.m5.xlarge", 4), ("ml.c5.9xlarge", 36)],
)
def test_a_small_model_gets_a_worker_for_each_vcpu(instance_type: str, workers: int) -> None:
    assert _size(instance_type).workers == workers


def test_threads_share_the_vcpus_with_the_workers() -> None:
    size = _size(threads_per_worker=2)

    assert (size.workers, size.threads_per_worker) == (2, 2)


def test_a_large_model_gets_as_many_workers_as_fit_into_memory() -> None:
    # 16 GiB less a tenth; each of the workers takes 256 MiB and 2.5 times the 2 GiB of the file.
    assert _size("ml.m5.xlarge", model_bytes=2 * GIB).workers == 2


def test_the_workers_asked_for_are_taken_when_they_fit() -> None:
    assert _size("ml.m5.xlarge", workers=9).workers == 9


@pytest.mark.parametrize(
    ("container", "message"),
    [
        (
            {},
            (
                "does not fit into ml.m5.large of 'prod': one worker needs about 10.2 GiB, and of "
                "its 8 GiB 7.2 are free for them; choose ml.r5.large or larger"
            ),
        ),
        ({"workers": 2}, "2 workers need about 20.5 GiB, .* or larger, or fewer container.workers"),
    ],
)
def test_an_instance_without_room_for_the_model_is_refused_with_one_that_has(
    container: dict[str, int], message: str
) -> None:
    with pytest.raises(ForecastError, match=message):
        _size("ml.m5.large", model_bytes=4 * GIB, **container)


def test_the_type_that_is_named_has_the_cpu_of_the_one_chosen_and_takes_the_model() -> None:
    with pytest.raises(ForecastError, match=r"choose (ml\.\w+g\.\w+) or larger") as caught:
        _size_graviton("ml.m7g.large", 4 * GIB)
    named = str(caught.value).split("choose ")[1].split()[0]

    assert _size_graviton(named, 4 * GIB).workers >= 1


def _size_graviton(instance_type: str, model_bytes: int) -> ContainerSize:
    settings = EnvironmentSettings.model_validate(
        {
            "name": "prod",
            "region": "eu-central-1",
            "endpoint": {"kind": "realtime", "name": "forecast", "instance_type": instance_type},
            "image": {"kind": "own", "python": "3.12"},
            "tags": {"team": "a", "cost_centre": "b"},
        }
    )
    return size_container(settings, _packaged(model_bytes, 0, ["lightgbm"]))


def test_memory_that_is_not_known_leaves_one_worker_for_each_vcpu() -> None:
    assert memory_gib("ml.p3.2xlarge") is None
    assert _size("ml.p3.2xlarge", model_bytes=100 * GIB).workers == 8


@pytest.mark.parametrize(
    ("instance_type", "gib"),
    [("ml.m5.large", 8), ("ml.c5.xlarge", 8), ("ml.r5.large", 16), ("ml.t3.medium", 4)],
)
def test_memory_of_instance_types(instance_type: str, gib: float) -> None:
    assert memory_gib(instance_type) == gib


def test_memory_is_known_of_all_but_a_few_old_or_special_types() -> None:
    unknown = {name for name in known_instance_types() if memory_gib(name) is None}

    assert {name.split(".")[1] for name in unknown} == {"dl1", "p2", "p3", "p6e-gb200"}


def test_the_smallest_type_is_no_larger_than_any_that_would_do() -> None:
    name = smallest_with(20, arm=False)

    assert name is not None
    assert (memory_gib(name), vcpus(name)) == (32, 4)
    assert smallest_with(10**6, arm=True) is None


@given(st.integers(min_value=0, max_value=10**13))
def test_steps_are_never_below_a_size_and_never_half_as_large_again(size: int) -> None:
    assert size <= in_steps(size) <= max(16 * MIB, 3 * size // 2 + 1)


def test_a_model_of_about_the_same_size_changes_nothing() -> None:
    one = _size(model_bytes=700 * MIB, unpacked_bytes=710 * MIB)

    assert one == _size(model_bytes=760 * MIB, unpacked_bytes=765 * MIB)


def test_timeouts_grow_with_the_model_and_stay_within_what_sagemaker_takes() -> None:
    small, large = _size(), _size("ml.m5.24xlarge", model_bytes=3 * GIB)
    huge = _size("ml.p3.2xlarge", model_bytes=40 * GIB)

    assert (small.startup_timeout_seconds, small.download_timeout_seconds) == (300, 300)
    assert 600 < large.startup_timeout_seconds <= 3600
    assert large.startup_timeout_seconds % 300 == 0
    assert large.download_timeout_seconds == 600
    assert (huge.startup_timeout_seconds, huge.download_timeout_seconds) == (3600, 3600)


def test_timeouts_and_storage_that_are_set_are_taken() -> None:
    given = {
        "startup_timeout_seconds": 61,
        "download_timeout_seconds": 62,
        "volume_size_gb": 63,
    }
    size = _size(endpoint=given)

    assert {name: getattr(size, name) for name in given} == given


@pytest.mark.parametrize(
    ("instance_type", "unpacked", "volume"),
    [
        ("ml.m5.large", GIB, None),
        ("ml.m5.large", 4 * GIB, 30),
        ("ml.m5.large", 12 * GIB, 60),
        ("ml.m5d.large", 12 * GIB, None),
    ],
)
def test_storage_is_asked_for_when_the_smallest_volume_is_too_small(
    instance_type: str, unpacked: int, volume: int | None
) -> None:
    assert _size(instance_type, unpacked_bytes=unpacked).volume_size_gb == volume


def test_a_model_that_no_volume_holds_is_refused() -> None:
    with pytest.raises(ForecastError, match="can have 512 GB at most"):
        _size(unpacked_bytes=200 * GIB)


def test_every_format_has_its_measure_and_the_hungriest_counts() -> None:
    assert LOADED_PER_FILE_BYTE.keys() == WORKER_MIB.keys()
    both = worker_bytes(_packaged(GIB, 0, ["lightgbm", "onnx"]))

    assert both == 256 * MIB + 12 * GIB
    assert worker_bytes(_packaged(GIB, 0, [])) == 256 * MIB + 4 * GIB


def test_the_library_s_own_variables_fit_into_what_is_kept_for_them() -> None:
    longest = {"FORECAST_ENDPOINT_NAME": "a" * 63, "FORECAST_VARIANT_NAME": "a" * 63}

    assert environment_bytes(longest) < LIBRARY_BYTES / 4
    assert MAX_VARIABLE_BYTES == 1024


def test_a_challenger_is_sized_for_its_own_instance_type() -> None:
    settings = _environment("ml.m5.xlarge", {"volume_size_gb": 40}, {})
    packaged = _packaged(MIB, 0, ["lightgbm"])

    smaller = size_container(settings, packaged, "ml.m5.large")
    with_disks = size_container(settings, packaged, "ml.m5d.large")

    assert size_container(settings, packaged).workers == 4
    assert (smaller.workers, smaller.volume_size_gb) == (2, 40)
    assert with_disks.volume_size_gb is None
