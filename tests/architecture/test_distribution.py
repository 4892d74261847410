from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, REPOSITORY]
    subprocess.run(build, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_the_packages_and_nothing_that_shadows_another(
    wheel: zipfile.ZipFile,
) -> None:
    top = {name.split("/", 1)[0] for name in wheel.namelist() if ".dist-info" not in name}

    assert top == {
        "forecast_app",
        "forecast_config",
        "forecast_constructs",
        "forecast_inference",
        "forecast_local",
        "forecast_operations",
        "forecast_packaging",
        "forecast_rules",
        "forecast_stacks",
    }


def test_the_wheel_brings_the_tables_along(wheel: zipfile.ZipFile) -> None:
    assert "forecast_config/data/serving_images.json" in wheel.namelist()
    assert "forecast_config/data/instance_types.json" in wheel.namelist()
    assert "forecast_operations/costing/prices.json" in wheel.namelist()
    assert "forecast_rules/rules/library.rego" in wheel.namelist()
    assert "forecast_operations/comparing/page.html" in wheel.namelist()


def test_the_wheel_brings_the_files_of_a_new_project_along(wheel: zipfile.ZipFile) -> None:
    source = REPOSITORY / "operations"
    room = source / "forecast_operations" / "starting"
    templates = {str(path.relative_to(source)) for path in (room / "templates").rglob("*.j2")}

    assert templates
    assert templates <= set(wheel.namelist())
    # Links in the source, to the one place where each of them stands.
    for link in (room / "own").iterdir():
        name = link.resolve().relative_to(REPOSITORY)
        packed = wheel.read(f"forecast_operations/starting/own/{link.name}")
        assert packed == (REPOSITORY / name).read_bytes()


def test_every_file_that_the_readme_links_to_exists() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")

    links = re.findall(r"\]\((?!https?://|#)([^)#]+)\)", text)

    assert links
    assert [link for link in links if not (REPOSITORY / link).exists()] == []
