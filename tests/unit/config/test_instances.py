from __future__ import annotations

import botocore.session
import pytest

from forecast_config import instances


def test_every_type_of_the_sagemaker_api_is_known() -> None:
    service = botocore.session.get_session().get_service_model("sagemaker")
    listed = set(service.shape_for("ProductionVariantInstanceType").enum)

    assert listed == {
        name for name in instances.known_instance_types() if instances.is_listed_by_api(name)
    }


@pytest.mark.parametrize(
    ("instance_type", "expected"),
    [
        ("ml.t3.medium", 2),
        ("ml.m5.large", 2),
        ("ml.m5.xlarge", 4),
        ("ml.c5.9xlarge", 36),
        ("ml.c4.8xlarge", 36),
        ("ml.m5.24xlarge", 96),
        ("ml.c8g.medium", 1),
    ],
)
def test_vcpus(instance_type: str, expected: int) -> None:
    assert instances.vcpus(instance_type) == expected


@pytest.mark.parametrize(
    ("instance_type", "graviton"),
    [
        ("ml.m6g.large", True),
        ("ml.c6gn.xlarge", True),
        ("ml.r7gd.large", True),
        ("ml.g5.xlarge", False),
        ("ml.g4dn.xlarge", False),
        ("ml.m5.large", False),
    ],
)
def test_arm_types_are_recognised(instance_type: str, graviton: bool) -> None:  # noqa: FBT001
    assert instances.is_graviton(instance_type) is graviton


@pytest.mark.parametrize(
    ("instance_type", "nvme"),
    [
        ("ml.m5d.large", True),
        ("ml.g4dn.xlarge", True),
        ("ml.g5.xlarge", True),
        ("ml.m5.large", False),
        ("ml.inf1.xlarge", False),
        ("ml.t3.medium", False),
    ],
)
def test_types_with_local_storage_are_recognised(
    instance_type: str,
    nvme: bool,  # noqa: FBT001
) -> None:
    assert instances.has_local_storage(instance_type) is nvme


def test_burstable_types_are_recognised() -> None:
    burstable = {name for name in instances.known_instance_types() if instances.is_burstable(name)}

    assert "ml.t2.medium" in burstable
    assert "ml.t3.medium" in burstable
    assert all(name.startswith(("ml.t2.", "ml.t3.")) for name in burstable)
