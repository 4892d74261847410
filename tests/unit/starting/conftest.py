"""New projects, started once for the tests that only look at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from forecast_operations.cli import app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

PROJECTS = {
    "plain": ["--ci", "none", "--framework", "scikit-learn"],
    "github": ["--ci", "github", "--email", "team@example.com", "--budget", "500"],
    "circleci": ["--ci", "circleci", "--environments", "test-bed", "--no-scaling"],
    "both": ["--ci", "both", "--network", "new", "--environments", "dev,qa,staging,prod"],
}


@pytest.fixture(scope="session")
def init() -> Callable[..., Result]:
    """`forecast init` in this process."""

    def invoke(*arguments: object, **options: Any) -> Result:
        return CliRunner().invoke(app, ["init", *map(str, arguments)], **options)

    return invoke


@dataclass(frozen=True)
class Started:
    """A project and what its options were."""

    name: str
    root: Path

    @property
    def files(self) -> Iterator[str]:
        found = (path for path in self.root.rglob("*") if path.is_file())
        return (str(path.relative_to(self.root)) for path in found)


@pytest.fixture(scope="session")
def projects(
    tmp_path_factory: pytest.TempPathFactory, init: Callable[..., Result]
) -> dict[str, Started]:
    folder = tmp_path_factory.mktemp("projects")
    for name, options in PROJECTS.items():
        done = init(folder / name, "--yes", *options)
        assert done.exit_code == 0, done.output
    return {name: Started(name, folder / name) for name in PROJECTS}
