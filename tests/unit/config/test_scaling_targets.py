"""What the loader takes to scale an endpoint on is what the construct takes, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from forecast_config import ConfigError, load_config
from forecast_constructs.scaling.variant_scaling import check_scaling

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TARGETS: dict[str, dict[str, Any]] = {
    "backlog_per_instance": {"requests": 5},
    "concurrent_requests": {"per_instance": 5},
    "cpu_utilization": {"percent": 60},
    "custom_metric": {"namespace": "Desk", "metric_name": "Orders", "value": 3},
    "invocations_per_instance": {"per_minute": 60},
    "latency_p90": {"milliseconds": 250},
}
REFUSED = {
    ("async", "concurrent_requests"),
    ("async", "invocations_per_instance"),
    ("realtime", "backlog_per_instance"),
}


@pytest.mark.parametrize("mode", ["async", "realtime"])
@pytest.mark.parametrize("kind", TARGETS)
def test_loader_and_construct_take_the_same_targets(
    document_with: Callable[[dict[str, Any]], dict[str, Any]],
    tmp_path: Path,
    mode: str,
    kind: str,
) -> None:
    scaling = {
        "min_instance_count": 1,
        "max_instance_count": 3,
        "targets": {"load": {"kind": kind, **TARGETS[kind]}},
    }
    document = document_with(
        {"environments.dev.endpoint.kind": mode, "environments.dev.autoscaling": scaling}
    )
    path = tmp_path / "forecast.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")

    if (mode, kind) in REFUSED:
        with pytest.raises(ConfigError, match=r"autoscaling\.targets\.load\.kind: expected "):
            load_config(path)
        return
    settings: Any = load_config(path).environments["dev"]
    check_scaling(settings.endpoint, settings.autoscaling)
    assert settings.autoscaling.targets["load"].kind == kind
