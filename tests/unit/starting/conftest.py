"""New projects, started once for the tests that only look at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml
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

    @property
    def workflow(self) -> dict[str, Any]:
        """The pipeline of GitHub Actions."""
        text = (self.root / ".github" / "workflows" / "pipeline.yml").read_text()
        # YAML 1.1 reads the key "on" as true.
        document: dict[str, Any] = yaml.safe_load(text.replace("\non:", '\n"on":'))
        return document

    @property
    def circleci(self) -> dict[str, Any]:
        """The pipeline of CircleCI."""
        document: dict[str, Any] = yaml.safe_load((self.root / ".circleci/config.yml").read_text())
        return document

    def steps(self, job: str) -> list[tuple[str, str]]:
        """Names and commands of a job of CircleCI, with those of what it is made of."""
        document = self.circleci
        found: list[tuple[str, str]] = []
        for step in document["jobs"][job]["steps"]:
            name = step if isinstance(step, str) else next(iter(step))
            own = document["commands"][name]["steps"] if name in document["commands"] else [step]
            runs = [each["run"] for each in own if "run" in each]
            found += [(each["name"], each["command"]) for each in runs]
        return found


@pytest.fixture(scope="session")
def projects(
    tmp_path_factory: pytest.TempPathFactory, init: Callable[..., Result]
) -> dict[str, Started]:
    folder = tmp_path_factory.mktemp("projects")
    for name, options in PROJECTS.items():
        done = init(folder / name, "--yes", *options)
        assert done.exit_code == 0, done.output
    return {name: Started(name, folder / name) for name in PROJECTS}
