from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from answering import Client
from captured import HERE, NOW, SCHEMA, Storage, Watch, archive

from forecast_config import load_config
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.comparing.comparison import Comparison, Wanted, compare
from forecast_operations.deployed.live import Live

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_config import EnvironmentSettings

CONFIG_NAME = "config-2"


@pytest.fixture(scope="session")
def config_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("comparing") / "forecast.yaml"
    document = {
        "model": {"name": "forecaster"},
        "allowed_regions": ["eu-central-1"],
        "defaults": {
            "region": "eu-central-1",
            "image": {"kind": "aws", "framework": "scikit-learn", "version": "1.9-0"},
            "tags": {"team": "forecasting", "cost_centre": "CC-1"},
        },
        "environments": {
            "prod": {
                "endpoint": {
                    "kind": "realtime",
                    "name": "forecast",
                    "variant_name": "main",
                    "instance_type": "ml.m5.large",
                }
            }
        },
    }
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture(scope="session")
def settings(config_path: Path) -> EnvironmentSettings:
    return load_config(config_path).environments["prod"]


class SageMaker:
    """An endpoint with a champion and, as asked for, a challenger."""

    def __init__(self, kind: str | None, weight: float) -> None:
        self.kind, self.weight = kind, weight
        self.capture: dict[str, Any] | None = {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": "s3://bucket/data-capture",
        }
        self.created = NOW.replace(month=1)

    def describe_endpoint(self, **_: Any) -> dict[str, Any]:
        names = {"split": "main-challenger", "shadow": "main-challenger"}
        champion = {"VariantName": "main", "CurrentWeight": 1.0}
        challenger = {"VariantName": names.get(str(self.kind), ""), "CurrentWeight": self.weight}
        parts = [champion, *([challenger] if self.kind == "split" else [])]
        shadows = {"ShadowProductionVariants": [challenger]} if self.kind == "shadow" else {}
        return {
            "EndpointName": "forecast",
            "EndpointStatus": "InService",
            "EndpointConfigName": CONFIG_NAME,
            "ProductionVariants": parts,
            **shadows,
        }

    def describe_endpoint_config(self, **_: Any) -> dict[str, Any]:
        variants = [
            {"VariantName": name, "ModelName": f"model-{name}"}
            for name in ("main", "main-challenger")
        ]
        capture = {} if self.capture is None else {"DataCaptureConfig": self.capture}
        created = self.created.astimezone(HERE)
        return {"ProductionVariants": variants, "CreationTime": created, **capture}

    def describe_model(self, **_: Any) -> dict[str, Any]:
        return {"PrimaryContainer": {"ModelDataUrl": "s3://bucket/models/16.gz"}}


class Stacks:
    """A stack with outputs."""

    def __init__(self, **outputs: str) -> None:
        self.outputs = outputs

    def describe_stacks(self, **_: Any) -> dict[str, Any]:
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()]
        return {"Stacks": [{"Outputs": outputs}]}


class World:
    """An account in which a challenger is compared."""

    def __init__(self, settings: EnvironmentSettings, kind: str | None, weight: float) -> None:
        self.settings = settings
        self.storage = Storage()
        self.storage.objects["models/16.gz"] = archive(SCHEMA)
        self.watch = Watch()
        self.sagemaker = SageMaker(kind, weight)
        self.stacks = Stacks(
            EndpointConfigName=CONFIG_NAME, ModelVersion="16", ChallengerVersion="17"
        )

    @property
    def live(self) -> Live:
        answers = {
            "s3": self.storage,
            "cloudwatch": self.watch,
            "sagemaker": self.sagemaker,
            "cloudformation": self.stacks,
        }
        clients = {service: Client(service, answer) for service, answer in answers.items()}
        return Live(Cloud("eu-central-1", clients=clients))

    def compare(self, **wanted: Any) -> Comparison:
        asked = Wanted(now=NOW, **{"since": "7d", **wanted})
        return compare(self.live, self.settings, asked)

    def without_captures(self) -> None:
        self.sagemaker.capture = None


@pytest.fixture(scope="session")
def world(settings: EnvironmentSettings) -> Callable[..., World]:
    def make(kind: str | None = "shadow", weight: float = 1.0) -> World:
        return World(settings, kind, weight)

    return make
