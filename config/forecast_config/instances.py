"""Instance types that SageMaker hosts on: their vCPUs, their memory and what they cannot do."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

_GRAVITON = re.compile(r"^[a-z]+\d+g[a-z]*$")
_NVME = re.compile(
    r"^([a-z]+\d+[a-z]*d[a-z]*|g4dn|g5|g6|g6e|g7|g7e|p4d|p4de|p5\w*|p6.*|trn\w+|dl1)$"
)
_GPU_FAMILIES = re.compile(r"^g\d")
_GENERAL_FAMILIES = re.compile(r"^[cmr][5-9]")


@cache
def _table() -> dict[str, Any]:
    text = files("forecast_config").joinpath("data/instance_types.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def known_instance_types() -> dict[str, int]:
    """VCPUs of every hosting instance type, by its name (`ml.m5.large`)."""
    return {**_table()["price_list_only"], **_table()["api"]}


def is_listed_by_api(instance_type: str) -> bool:
    """Whether the SageMaker API's own enumeration names the type.

    AWS's price list names hosting types that the enumeration does not (all of ml.t3 among them);
    whether a region accepts one of these is known only there.
    """
    return instance_type in _table()["api"]


def vcpus(instance_type: str) -> int:
    """Virtual CPUs of a hosting instance type."""
    return known_instance_types()[instance_type]


def memory_gib(instance_type: str) -> float | None:
    """Memory of a hosting instance type in GiB; None when it is not known here."""
    memory = _table()["memory"]
    if instance_type in memory["gib"]:
        return float(memory["gib"][instance_type])
    per_vcpu = memory["gib_per_vcpu"].get(_family(instance_type))
    return None if per_vcpu is None else float(per_vcpu) * vcpus(instance_type)


def general_types() -> tuple[str, ...]:
    """The general types (c, m and r from the fifth generation on) that the API names."""
    return tuple(name for name in _table()["api"] if _GENERAL_FAMILIES.match(_family(name)))


def smallest_with(gib: float, *, arm: bool) -> str | None:
    """The smallest general type (c, m, r) with so much memory and such a CPU; None for none."""
    large_enough = [
        (memory, vcpus(name), name)
        for name in general_types()
        if is_graviton(name) is arm and (memory := memory_gib(name)) is not None and memory >= gib
    ]
    return min(large_enough)[2] if large_enough else None


def _family(instance_type: str) -> str:
    return instance_type.split(".")[1]


def is_burstable(instance_type: str) -> bool:
    """Whether the type earns CPU credits (ml.t*), which Application Auto Scaling refuses."""
    return _family(instance_type).startswith(("t2", "t3"))


def ignores_guardrails(instance_type: str) -> bool:
    """Whether deployment guardrails leave the type out (ml.inf1), and replace all at once.

    Amazon SageMaker developer guide, "Deployment guardrails", exclusions; shadow variants exclude
    the same types.
    """
    return _family(instance_type) == "inf1"


def is_graviton(instance_type: str) -> bool:
    """Whether the type has an Arm CPU, on which the AWS framework images (x86) cannot start."""
    family = _family(instance_type)
    return bool(_GRAVITON.match(family)) and not _GPU_FAMILIES.match(family)


def has_local_storage(instance_type: str) -> bool:
    """Whether the type has NVMe storage, which its own hardware encrypts.

    A `KmsKeyId` does not encrypt such storage (SageMaker API reference, CreateEndpointConfig);
    earlier editions of that page say that the call fails with one, so that none is given. Nor does
    SageMaker attach a volume to such a type: a `VolumeSizeInGB` fails (sagemaker-python-sdk,
    `volume_size_supported`).
    """
    return bool(_NVME.match(_family(instance_type)))
