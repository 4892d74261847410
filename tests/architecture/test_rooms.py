from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SOURCE_ROOTS = {
    "config": ["forecast_config"],
    "constructs": ["forecast_constructs", "forecast_rules"],
    "stacks": ["forecast_app", "forecast_stacks"],
    "inference": ["forecast_inference", "forecast_packaging"],
    "operations": ["forecast_operations"],
    "local": ["forecast_local"],
}
CDK_FREE = [
    "forecast_config",
    "forecast_rules",
    "forecast_inference",
    "forecast_packaging",
    "forecast_operations",
    "forecast_local",
]


def _modules(package: str) -> list[str]:
    root = next(root for root, packages in SOURCE_ROOTS.items() if package in packages)
    files = sorted((REPOSITORY / root / package).rglob("*.py"))
    names = [".".join(path.relative_to(REPOSITORY / root).with_suffix("").parts) for path in files]
    return [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]


@pytest.mark.parametrize("root", SOURCE_ROOTS)
def test_a_source_root_holds_packages_and_no_python_of_its_own(root: str) -> None:
    folder = REPOSITORY / root

    assert list(folder.glob("*.py")) == []
    packages = sorted(path.parent.name for path in folder.glob("*/__init__.py"))
    assert packages == SOURCE_ROOTS[root]


def test_no_room_is_a_lumber_room() -> None:
    forbidden = {"utils.py", "helpers.py", "common.py"}
    found = [
        path
        for root in SOURCE_ROOTS
        for path in (REPOSITORY / root).rglob("*.py")
        if path.name in forbidden
    ]

    assert found == []


@pytest.mark.parametrize("package", CDK_FREE)
def test_importing_every_module_loads_no_cdk(package: str) -> None:
    modules = _modules(package)
    code = (
        f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
        "print(sorted({'aws_cdk', 'constructs', 'jsii'} & set(sys.modules)))"
    )

    result = subprocess.run(
        [sys.executable, "-W", "error::ImportWarning", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )

    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "package", ["forecast_config", "forecast_packaging", "forecast_operations"]
)
def test_importing_loads_no_mlflow(package: str) -> None:
    code = f"import {package}, sys; print('mlflow' in sys.modules)"

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )

    assert result.stdout.strip() == "False"


def test_the_import_contracts_hold() -> None:
    result = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )

    assert result.returncode == 0, result.stdout


def test_the_constructs_of_the_cdk_are_not_shadowed() -> None:
    code = "import constructs, forecast_constructs; print(constructs.Construct.__module__)"

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )

    assert result.stdout.strip() == "constructs"
