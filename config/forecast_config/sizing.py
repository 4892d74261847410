"""Sizing: what a model and an instance type make of workers, timeouts and storage.

Sizes are rounded up in coarse steps before anything follows from them, so that a model trained
again, of about the same size, changes no template.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config.errors import ForecastError
from forecast_config.instances import (
    has_local_storage,
    is_graviton,
    memory_gib,
    smallest_with,
    vcpus,
)
from forecast_config.settings.endpoint import ServerlessEndpoint

if TYPE_CHECKING:
    from forecast_config.packaged import PackagedModel
    from forecast_config.settings import EnvironmentSettings, InstanceEndpoint

MIB = 1024 * 1024
GIB = 1024 * MIB

LOADED_PER_FILE_BYTE = {
    "catboost": 3.0,
    "lightgbm": 2.5,
    "onnx": 12.0,
    "sklearn": 2.0,
    "xgboost": 4.0,
}
"""Memory at its peak while a model file is loaded, per byte of the file.

Measured with forests and boosted trees of 9 to 70 MB: LightGBM text 2.4, XGBoost UBJ 3.8, CatBoost
cbm 2.6, a joblib forest 2.0, the same forest as ONNX 12. They are rounded up here.
"""

WORKER_MIB = {"catboost": 224, "lightgbm": 256, "onnx": 128, "sklearn": 256, "xgboost": 256}
"""Memory of a worker without its model, in MiB: Python, the library, and a request in the making.

Measured before the model is loaded: 44 MiB with ONNX Runtime, 131 to 192 MiB with the others.
"""

RESERVED_SHARE = 0.1
RESERVED_MIB = 512
"""Memory left to the operating system, SageMaker's agents and nginx: this, or the share if more."""

_LOAD_MIB_PER_SECOND = 10
_FETCH_MIB_PER_SECOND = 20
_TIMEOUT_STEP = 300
_MAX_TIMEOUT = 3600
"""Upper bound of both timeouts in seconds (SageMaker API, ProductionVariant)."""

_SMALLEST_DEFAULT_GB = 4
"""Storage that even the smallest types get unasked; AWS publishes no figure that holds for all."""

_USUAL_VOLUME_GB = 30
_MAX_VOLUME_GB = 512
"""Upper bound of VolumeSizeInGB (SageMaker API, ProductionVariant)."""

SERVERLESS_RESERVED_MIB = 192
"""Memory of a serverless container left to nginx and the server's own process."""

SERVERLESS_MEMORY_MIB = (1024, 2048, 3072, 4096, 5120, 6144)
"""Memory sizes of a serverless container (SageMaker API, ProductionVariantServerlessConfig)."""

SERVERLESS_DISK_GB = 5
"""Ephemeral storage of a serverless container (SageMaker developer guide, serverless inference)."""


@dataclass(frozen=True)
class ContainerSize:
    """What follows from a model on an instance type, or in a serverless container.

    Attributes:
        workers: Server processes, each with its own copy of the model.
        threads_per_worker: Threads of one prediction.
        startup_timeout_seconds: Time until the first healthy ping; None where AWS decides.
        download_timeout_seconds: Time to fetch and unpack the model; None where AWS decides.
        volume_size_gb: Storage to ask for; None where the type's own is enough or fixed.
    """

    workers: int
    threads_per_worker: int
    startup_timeout_seconds: int | None
    download_timeout_seconds: int | None
    volume_size_gb: int | None

    @property
    def start_seconds(self) -> int:
        """The longest that an instance may take until it serves; 0 where SageMaker decides."""
        return (self.startup_timeout_seconds or 0) + (self.download_timeout_seconds or 0)


def size_container(
    settings: EnvironmentSettings,
    packaged_model: PackagedModel,
    instance_type: str | None = None,
) -> ContainerSize:
    """The size of an environment's container for a model; what the settings say goes first.

    Args:
        settings: The environment.
        packaged_model: What the container serves.
        instance_type: Type that a challenger runs on; None for that of the endpoint.

    Raises:
        ForecastError: The instance type or the serverless container has too little memory, or no
            volume is large enough.
    """
    endpoint = settings.endpoint
    if isinstance(endpoint, ServerlessEndpoint):
        return _size_serverless(settings, endpoint, packaged_model)
    chosen = endpoint.instance_type if instance_type is None else instance_type
    workers = _choose_workers(settings, packaged_model, chosen)
    unpacked = in_steps(packaged_model.unpacked_bytes)
    loading = workers * in_steps(packaged_model.model_bytes) / MIB / _LOAD_MIB_PER_SECOND
    startup = _timeout(loading + (_TIMEOUT_STEP if _installs_at_start(settings) else 0))
    download = _timeout(2 * unpacked / MIB / _FETCH_MIB_PER_SECOND)
    return ContainerSize(
        workers=workers,
        threads_per_worker=settings.container.threads_per_worker,
        startup_timeout_seconds=_given(endpoint.startup_timeout_seconds, startup),
        download_timeout_seconds=_given(endpoint.download_timeout_seconds, download),
        volume_size_gb=_choose_volume(settings.name, endpoint, chosen, unpacked),
    )


def in_steps(size: int) -> int:
    """A size in bytes rounded up to the next of 16, 24, 32, 48, 64, 96 … MiB."""
    step = 16 * MIB
    while size > step:
        if size <= step * 3 // 2:
            return step * 3 // 2
        step *= 2
    return step


def worker_bytes(packaged_model: PackagedModel) -> int:
    """Estimated memory of one worker with its copy of the model, in bytes.

    The format that takes most counts for all files. A model whose format is not recorded, such as
    one from a lock of an earlier release, counts as the hungriest that is no compiled one.
    """
    formats = packaged_model.model.formats or ["xgboost"]
    per_byte = max(LOADED_PER_FILE_BYTE[each] for each in formats)
    base = max(WORKER_MIB[each] for each in formats) * MIB
    return base + int(per_byte * in_steps(packaged_model.model_bytes))


def _size_serverless(
    settings: EnvironmentSettings, endpoint: ServerlessEndpoint, packaged_model: PackagedModel
) -> ContainerSize:
    # SageMaker developer guide, serverless inference: one worker with one copy of the model, as
    # a container gets one request at a time.
    workers = _given(settings.container.workers, 1)
    needed = workers * worker_bytes(packaged_model) + SERVERLESS_RESERVED_MIB * MIB
    if needed > endpoint.memory_mib * MIB:
        raise ForecastError(_too_small_serverless(settings, endpoint.memory_mib, workers, needed))
    storage = _needed_gb(in_steps(packaged_model.unpacked_bytes))
    if storage > SERVERLESS_DISK_GB:
        raise ForecastError(
            f"the model needs about {storage} GB of storage, and a serverless container of "
            f"'{settings.name}' has {SERVERLESS_DISK_GB} GB: choose endpoint.kind realtime"
        )
    return ContainerSize(
        workers=workers,
        threads_per_worker=settings.container.threads_per_worker,
        startup_timeout_seconds=None,
        download_timeout_seconds=None,
        volume_size_gb=None,
    )


def _too_small_serverless(
    settings: EnvironmentSettings, memory_mib: int, workers: int, needed: int
) -> str:
    enough = [memory for memory in SERVERLESS_MEMORY_MIB if memory * MIB >= needed]
    way = f"set memory_mib to {enough[0]}" if enough else "choose endpoint.kind realtime"
    fewer = ", or fewer container.workers" if workers > 1 else ""
    count = "one worker needs" if workers == 1 else f"{workers} workers need"
    return (
        f"the model does not fit into the {memory_mib} MiB of '{settings.name}': {count} about "
        f"{-(-needed // MIB)} MiB; {way}{fewer}"
    )


def _choose_workers(
    settings: EnvironmentSettings, packaged_model: PackagedModel, instance_type: str
) -> int:
    container = settings.container
    by_cpu = max(1, vcpus(instance_type) // container.threads_per_worker)
    memory = memory_gib(instance_type)
    if memory is None:
        return _given(container.workers, by_cpu)
    each = worker_bytes(packaged_model)
    by_memory = _usable(memory) // each
    wanted = 1 if container.workers is None else container.workers
    if by_memory < wanted:
        raise ForecastError(_too_small(settings, instance_type, wanted, each))
    return _given(container.workers, min(by_cpu, by_memory))


def _usable(memory: float) -> int:
    return int(memory * GIB - max(RESERVED_MIB * MIB, RESERVED_SHARE * memory * GIB))


def _too_small(settings: EnvironmentSettings, instance_type: str, workers: int, each: int) -> str:
    needed = workers * each
    gib = max((needed + RESERVED_MIB * MIB) / GIB, needed / (1 - RESERVED_SHARE) / GIB)
    larger = smallest_with(gib, arm=is_graviton(instance_type))
    way = f"choose {larger} or larger" if larger else "no hosting type known here has so much"
    fewer = "" if settings.container.workers in {None, 1} else ", or fewer container.workers"
    count = "one worker needs" if workers == 1 else f"{workers} workers need"
    return (
        f"the model does not fit into {instance_type} of '{settings.name}': {count} about "
        f"{needed / GIB:.1f} GiB, and of its {memory_gib(instance_type):g} GiB "
        f"{_usable(memory_gib(instance_type) or 0) / GIB:.1f} are free for them; {way}{fewer}"
    )


def _choose_volume(
    name: str, endpoint: InstanceEndpoint, instance_type: str, unpacked: int
) -> int | None:
    if has_local_storage(instance_type):
        return None
    if endpoint.volume_size_gb is not None:
        return endpoint.volume_size_gb
    needed = _needed_gb(unpacked)
    if needed <= _SMALLEST_DEFAULT_GB:
        return None
    if needed > _MAX_VOLUME_GB:
        raise ForecastError(
            f"the model needs about {needed} GB of storage, and '{name}' can have "
            f"{_MAX_VOLUME_GB} GB at most: choose an instance type with disks of its own"
        )
    return min(_MAX_VOLUME_GB, -(-needed // _USUAL_VOLUME_GB) * _USUAL_VOLUME_GB)


def _needed_gb(unpacked: int) -> int:
    # The archive, its content, and the copy that some images make of it.
    return -(-3 * unpacked // 10**9)


def _installs_at_start(settings: EnvironmentSettings) -> bool:
    return getattr(settings.image, "missing_libraries", None) == "download"


def _timeout(seconds: float) -> int:
    steps = int(seconds // _TIMEOUT_STEP) + 1
    return min(_MAX_TIMEOUT, steps * _TIMEOUT_STEP)


def _given(setting: int | None, default: int) -> int:
    return default if setting is None else setting
