"""CPU, memory and disk of instances: what the one process of a variant uses, for each instance.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.utils import utcnow
from moto.sagemaker.models import sagemaker_backends

from forecast_local.sagemaker.endpoint import HostedEndpoint

NAMESPACE = "/aws/sagemaker/Endpoints"
_TICKS = os.sysconf("SC_CLK_TCK")
_CPU_FIELDS = slice(11, 13)
_RSS_FIELD = 21
_before: dict[int, tuple[float, float]] = {}


def publish_instance_metrics() -> None:
    """Record the utilization of every instance there is, once; call it every minute."""
    for regions in list(sagemaker_backends.values()):
        for backend in list(regions.values()):
            data = [
                datum
                for endpoint in list(backend.endpoints.values())
                if isinstance(endpoint, HostedEndpoint)
                for datum in _endpoint_data(endpoint)
            ]
            if data:
                cloudwatch = cloudwatch_backends[backend.account_id][backend.region_name]
                cloudwatch.put_metric_data(NAMESPACE, data)


def _endpoint_data(endpoint: HostedEndpoint) -> Iterator[dict[str, Any]]:
    for config, variant, count, pid in endpoint.running():
        used = None if pid is None else _usage(pid)
        if used is None:
            continue
        names = {"EndpointName": endpoint.endpoint_name, "VariantName": variant}
        for dimensions in (names, {**names, "EndpointConfigName": config}):
            for metric, value in used.items():
                for _ in range(count):
                    yield {
                        "MetricName": metric,
                        "Value": value,
                        "Unit": "Percent",
                        "Timestamp": utcnow(),
                        "Dimensions": [
                            {"Name": key, "Value": dimensions[key]} for key in sorted(dimensions)
                        ],
                    }


def _usage(pid: int) -> dict[str, float] | None:
    """Read a process's use: CPU summed over cores, memory and disk of this machine, in percent."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    now, busy = time.monotonic(), sum(int(item) for item in fields[_CPU_FIELDS]) / _TICKS
    earlier, busy_before = _before.get(pid, (now - 60.0, 0.0))
    _before[pid] = now, busy
    total = os.sysconf("SC_PHYS_PAGES")
    disk = shutil.disk_usage("/")
    return {
        "CPUUtilization": 100 * max(busy - busy_before, 0.0) / max(now - earlier, 1e-3),
        "MemoryUtilization": 100 * int(fields[_RSS_FIELD]) / total,
        "DiskUtilization": 100 * disk.used / disk.total,
    }
