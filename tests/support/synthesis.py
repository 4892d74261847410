"""Fixtures: applications synthesized once for all tests that look at their templates."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Validations

from forecast_config import LockedModel, LockedWheel, PackagedModel, load_config
from forecast_config.settings import ChallengerRollout, OwnImage
from forecast_packaging.container.context import write_context
from forecast_stacks import add_environment, add_overview

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_config import EnvironmentSettings

REPOSITORY = Path(__file__).parents[2]

SAMPLES = {
    "forecast": REPOSITORY / "config/forecast.yaml",
    "minimal": REPOSITORY / "tests/data/minimal.yaml",
    "comprehensive": REPOSITORY / "tests/data/comprehensive.yaml",
    "modes": REPOSITORY / "tests/data/modes.yaml",
}
"""The project's own configuration, and three that use every key between them."""

SAMPLE_STACKS = {
    "forecast": ("ForecastDev", "ForecastStaging", "ForecastProd"),
    "minimal": ("ForecastOnly",),
    "comprehensive": (
        "ForecastExisting",
        "ForecastNew",
        "ForecastOpen",
        "ForecastBuilt",
    ),
    "modes": (
        "ForecastWarm",
        "ForecastQueue",
        "ForecastSteps",
        "ForecastBatches",
        "ForecastMirror",
        "ForecastContest",
    ),
}


GOLDEN = {
    "schema_version": 2,
    "requests": [
        {
            "name": "example",
            "content_type": "application/json",
            "accept": "application/json",
            "body": '{"instances": [{"price": 4.5}]}',
            "status": 200,
            "answer": {"predictions": [{"forecasted_price": 4.75, "model_version": "16"}]},
        }
    ],
}
"""What an archive records of itself; the answer never reaches a template as such."""


@dataclass(frozen=True)
class Synthesized:
    """An application after its synth."""

    app: App
    templates: dict[str, dict[str, Any]]
    manifest: dict[str, Any]
    assets: dict[str, dict[str, Any]]
    report: dict[str, Any] = field(repr=False)


_SYNTHESIZED: dict[str, Synthesized] = {}
"""The samples so far; every folder that imports the fixtures has fixtures of its own."""


def challenger_of(
    settings: EnvironmentSettings, packaged: Callable[..., PackagedModel]
) -> PackagedModel | None:
    """The packed challenger of an environment whose rollout asks for one."""
    return packaged("17") if isinstance(settings.rollout, ChallengerRollout) else None


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def samples() -> dict[str, Path]:
    return SAMPLES


@pytest.fixture(scope="session")
def sample_stacks() -> dict[str, tuple[str, ...]]:
    return SAMPLE_STACKS


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., PackagedModel]:
    """A packed model of any version; the archive's bytes never reach a template."""
    folder = tmp_path_factory.mktemp("archive")
    archive = folder / "model.tar.gz"
    archive.write_bytes(b"an archive")
    golden = folder / "golden_requests.json"
    golden.write_text(json.dumps(GOLDEN))
    wheel = LockedWheel(version="4.7.0", file="lightgbm-4.7.0-py3-none-any.whl", sha256="0" * 64)
    context = write_context(folder, OwnImage(kind="own", python="3.13"), {"lightgbm": wheel})

    def make(
        version: str = "16", *, model_bytes: int = 0, unpacked_bytes: int = 0, **lineage: Any
    ) -> PackagedModel:
        known = {
            "name": "forecaster",
            "version": version,
            "run_id": f"run-{version}",
            "model_digest": _digest(f"model {version}"),
            "signature_digest": _digest("signature"),
            "libraries": {"python": "3.12"},
            "formats": ["lightgbm"],
            "data_version": "2023-06-30",
            "code_reference": "0123abc",
        }
        return PackagedModel(
            archive=archive,
            archive_digest=_digest(f"archive {version}"),
            model=LockedModel(**{**known, **lineage}),
            model_bytes=model_bytes,
            unpacked_bytes=unpacked_bytes,
            image_context=context,
            golden=golden,
        )

    return make


@pytest.fixture(scope="session")
def new_app(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., App]:
    """An app with the feature flags that the CDK CLI hands to it."""
    context = json.loads((REPOSITORY / "cdk.json").read_text())["context"]

    def make(**flags: Any) -> App:
        return App(
            analytics_reporting=False,
            context={**context, **flags},
            outdir=str(tmp_path_factory.mktemp("cdk.out")),
        )

    return make


@pytest.fixture(scope="session")
def synthesize(
    new_app: Callable[..., App], packaged: Callable[..., PackagedModel]
) -> Callable[..., Synthesized]:
    """A configuration file's environments, synthesized as app.py does."""

    def make(
        config: Path, version: str = "16", plugins: Callable[..., Any] | None = None
    ) -> Synthesized:
        app = new_app()
        if plugins is not None:
            Validations.of(app).add_plugins(*plugins(app))
        environments = list(load_config(config).environments.values())
        for settings in environments:
            add_environment(
                app, settings, packaged(version), challenger=challenger_of(settings, packaged)
            )
        add_overview(app, environments)
        app.synth()
        return _read(app)

    return make


@pytest.fixture(scope="session")
def synthesized(synthesize: Callable[..., Synthesized]) -> Callable[[str], Synthesized]:
    """A sample configuration, synthesized at most once."""

    def get(sample: str) -> Synthesized:
        if sample not in _SYNTHESIZED:
            _SYNTHESIZED[sample] = synthesize(SAMPLES[sample])
        return _SYNTHESIZED[sample]

    return get


@pytest.fixture(scope="session")
def template(synthesized: Callable[[str], Synthesized]) -> Callable[[str], dict[str, Any]]:
    """The template of a stack of any sample configuration."""

    def get(stack: str) -> dict[str, Any]:
        name = stack.removesuffix("Artifacts")
        sample = next(
            (sample for sample, names in SAMPLE_STACKS.items() if name in names), "forecast"
        )
        return synthesized(sample).templates[stack]

    return get


@pytest.fixture(scope="session")
def resources(
    template: Callable[[str], dict[str, Any]],
) -> Callable[[str, str], list[dict[str, Any]]]:
    """The resources of one type in a stack of any sample configuration."""

    def get(stack: str, kind: str) -> list[dict[str, Any]]:
        return [
            resource
            for resource in template(stack)["Resources"].values()
            if resource["Type"] == f"AWS::{kind}"
        ]

    return get


def _read(app: App) -> Synthesized:
    folder = Path(app.outdir)

    def load(path: Path) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(path.read_text())
        return document

    report = folder / "validation-report.json"
    return Synthesized(
        app=app,
        templates={
            path.name.removesuffix(".template.json"): load(path)
            for path in sorted(folder.glob("*.template.json"))
        },
        manifest=load(folder / "manifest.json"),
        assets={
            path.name.removesuffix(".assets.json"): load(path)
            for path in sorted(folder.glob("*.assets.json"))
        },
        report=load(report) if report.is_file() else {},
    )
