from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from forecast_config import load_config
from forecast_operations.costing.prices import PriceBlock, Prices
from forecast_operations.updates.obstacles import Templates

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_config import EnvironmentSettings

REPOSITORY = Path(__file__).parents[3]
SNAPSHOTS = REPOSITORY / "tests/snapshot/__snapshots__/test_templates"
REGION = "eu-central-1"


@pytest.fixture
def prices() -> Prices:
    """A price list of round figures, so that a product of them shows which two were taken."""
    rates: dict[Any, float] = {
        "alarm_composite_month": 0.5,
        "alarm_high_resolution_metric_month": 0.3,
        "alarm_standard_metric_month": 0.1,
        "dashboard_month": 3,
        "hosting_data_gb": 0.02,
        "hosting_volume_gb_month": 0.2,
        "interface_endpoint_hour": 0.01,
        "key_month": 1,
        "lambda_arm_gb_second": 1e-5,
        "lambda_gb_second": 2e-5,
        "lambda_request_million": 0.2,
        "logs_ingested_gb": 0.5,
        "logs_stored_gb_month": 0.03,
        "metric_month": 0.3,
        "s3_standard_gb_month": 0.02,
        "state_transition_1000": 0.025,
    }
    block = PriceBlock(
        region=REGION,
        currency="USD",
        date="2026-10-01",
        source="a test",
        hosting={
            "ml.c5.large": 0.09,
            "ml.c6g.large": 0.05,
            "ml.m5.large": 0.1,
            "ml.m5.xlarge": 0.2,
            "ml.m5.2xlarge": 0.4,
            "ml.r5.large": 0.15,
        },
        serverless={"1024": 1e-5, "3072": 3e-5},
        warm={"3072": 1e-6},
        warm_work={"3072": 2e-6},
        rates=rates,
    )
    return Prices(date="2026-10-01", source="a test", blocks=(block,))


@pytest.fixture
def reviewed() -> dict[str, dict[str, Any]]:
    """The reviewed templates of the samples, by stack."""
    found = {}
    for path in SNAPSHOTS.glob("*.json"):
        name = re.search(r"\[(.+)\]", path.name)
        assert name is not None
        found[name[1]] = json.loads(path.read_text("utf-8"))
    return found


@pytest.fixture
def settings() -> Callable[[str], EnvironmentSettings]:
    """An environment of the sample configuration of every mode, by its name."""
    config = load_config(REPOSITORY / "tests/data/modes.yaml")
    return config.environments.__getitem__


@pytest.fixture
def templates() -> Callable[..., Templates]:
    """Templates of an endpoint with one variant, and of what surrounds it."""

    def make(
        variant: dict[str, Any] | None = None,
        *,
        config: dict[str, Any] | None = None,
        target: dict[str, Any] | None = None,
        artifacts: dict[str, Any] | None = None,
        **others: dict[str, Any],
    ) -> Templates:
        used = {
            "VariantName": "AllTraffic",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 2,
            **(variant or {}),
        }
        resources: dict[str, Any] = {
            "Config": {
                "Type": "AWS::SageMaker::EndpointConfig",
                "Properties": {"ProductionVariants": [used], **(config or {})},
            },
            **others,
        }
        if target is not None:
            resources["Target"] = {
                "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
                "Properties": {
                    "ResourceId": {"Fn::Join": ["", ["endpoint/forecast/variant/", "AllTraffic"]]},
                    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
                    **target,
                },
            }
        return Templates({"Resources": artifacts or {}}, {"Resources": resources})

    return make


@pytest.fixture
def project(
    tmp_path: Path,
    templates: Callable[..., Templates],
    prices: Prices,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A project with a synthesized environment `steps`, prices of a test, and no AWS."""
    document = yaml.safe_load((REPOSITORY / "tests/data/modes.yaml").read_text("utf-8"))
    document["environments"] = {"steps": document["environments"]["steps"]}
    (tmp_path / "forecast.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (tmp_path / "prices.json").write_text(prices.model_dump_json(), encoding="utf-8")
    made = templates()
    folder = tmp_path / "cdk.out"
    folder.mkdir()
    for stack, template in (
        ("ForecastStepsArtifacts", made.artifacts),
        ("ForecastSteps", made.endpoint),
    ):
        (folder / f"{stack}.template.json").write_text(json.dumps(template), encoding="utf-8")
    (folder / "asset.0123.gz").write_bytes(b"x" * 2000)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    return tmp_path
