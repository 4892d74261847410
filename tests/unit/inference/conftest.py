"""Archives and predictors that the tests of the runtime share."""

from __future__ import annotations

import copy
import importlib.util
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forecast_inference.handler import Predictor

if TYPE_CHECKING:
    from types import ModuleType


def _load(name: str) -> ModuleType:
    """A module beside this file: importlib mode puts no test folder on sys.path."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"inference_test_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


archives = _load("archives")
contracts = _load("contracts")
models = _load("models")


@pytest.fixture(scope="session", name="contracts")
def give_contracts() -> Any:
    """Contracts of every kind, and predictors whose model shows what it was given."""
    return contracts


@pytest.fixture(scope="session")
def market_archive(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An archive of the market model; tests only read it."""
    return models.market(archives, tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="session")
def predictor(market_archive: Any) -> Predictor:
    """The market model, loaded."""
    return Predictor.load(market_archive.path)


@pytest.fixture(scope="session", params=models.FLAVORS)
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An archive of every kind of model in turn; tests only read it."""
    return models.FLAVORS[request.param](archives, tmp_path_factory.mktemp(request.param))


@pytest.fixture(
    scope="session",
    params=[
        name
        for name in models.FLAVORS
        if name.startswith(("xgboost_", "lightgbm", "catboost")) and "wrapper" not in name
    ],
)
def named_archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An archive of every native model file, which all hold the names of their features."""
    return models.FLAVORS[request.param](archives, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def builders() -> Any:
    """Builds the archive of a kind of model by its name."""
    return lambda name, root: models.FLAVORS[name](archives, root)


@pytest.fixture
def damaged(market_archive: Any, tmp_path: Path) -> Path:
    """A copy of the market archive that a test may damage."""
    return Path(shutil.copytree(market_archive.path, tmp_path / "archive"))


@pytest.fixture
def row() -> dict[str, Any]:
    """A valid row of the market model."""
    return dict(archives.ROW)


@pytest.fixture
def market_schema() -> dict[str, Any]:
    """The market schema as a document that a test may change."""
    return copy.deepcopy(archives.MARKET)


@pytest.fixture
def change_info() -> Any:
    """Rewrites an archive's ``model-info.json``."""
    return archives.change_info
