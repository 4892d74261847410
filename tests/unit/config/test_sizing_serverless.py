"""What a serverless container holds, and what is said when a model does not go into it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import EnvironmentSettings, ForecastError, LockedModel, PackagedModel
from forecast_config.sizing import MIB, size_container

if TYPE_CHECKING:
    from forecast_config.sizing import ContainerSize

DIGEST = f"sha256:{'0' * 64}"


def _size_serverless(
    memory_mib: int, *, model_bytes: int = MIB, unpacked_bytes: int = MIB, **container: Any
) -> ContainerSize:
    settings = EnvironmentSettings.model_validate(
        {
            "name": "prod",
            "region": "eu-central-1",
            "endpoint": {"kind": "serverless", "name": "forecast", "memory_mib": memory_mib},
            "image": {"kind": "aws", "framework": "xgboost", "version": "3.2-0"},
            "container": container,
            "tags": {"team": "a", "cost_centre": "b"},
        }
    )
    model = LockedModel(
        name="forecaster",
        version="16",
        run_id="run",
        model_digest=DIGEST,
        signature_digest=DIGEST,
        libraries={"python": "3.12.1"},
        formats=["lightgbm"],
    )
    packaged = PackagedModel(
        archive=Path("model.tar.gz"),
        archive_digest=DIGEST,
        model=model,
        model_bytes=model_bytes,
        unpacked_bytes=unpacked_bytes,
    )
    return size_container(settings, packaged)


def test_a_serverless_container_has_one_worker_and_no_timeouts_to_set() -> None:
    size = _size_serverless(1024)

    assert (size.workers, size.threads_per_worker) == (1, 1)
    assert (size.startup_timeout_seconds, size.download_timeout_seconds) == (None, None)
    assert size.volume_size_gb is None
    assert _size_serverless(6144, workers=4).workers == 4


@pytest.mark.parametrize(
    ("memory_mib", "model_bytes", "container", "message"),
    [
        (1024, 400 * MIB, {}, "into the 1024 MiB of 'prod': one worker needs about 1728 MiB; set"),
        (1024, 400 * MIB, {}, "set memory_mib to 2048$"),
        (
            1024,
            MIB,
            {"workers": 4},
            "4 workers need .* memory_mib to 2048, or fewer container.work",
        ),
        (6144, 4096 * MIB, {}, "choose endpoint.kind realtime$"),
    ],
)
def test_a_serverless_container_without_room_for_the_model_is_refused(
    memory_mib: int, model_bytes: int, container: dict[str, Any], message: str
) -> None:
    with pytest.raises(ForecastError, match=message):
        _size_serverless(memory_mib, model_bytes=model_bytes, **container)


def test_a_model_that_a_serverless_container_cannot_store_is_refused() -> None:
    with pytest.raises(ForecastError, match=r"about 7 GB of storage, .* has 5 GB"):
        _size_serverless(6144, unpacked_bytes=2 * 1024 * MIB)
