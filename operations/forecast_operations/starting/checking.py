"""Answers held against the rules of the configuration, each finding named by its option."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from forecast_config import ConfigError, Problem, load_config
from forecast_config.words import shown
from forecast_operations.starting.answers import PIPELINES
from forecast_operations.starting.rendering import render_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.starting.answers import Answers

_SOURCE = "forecast init"

_OPTIONS = (
    (r"model\.name", "--model-name"),
    (r"model\.tracking_uri", "--tracking-uri"),
    (r"allowed_regions.*|.*\.region", "--region"),
    (r".*\.account", "--account"),
    (r".*\.endpoint\.name", "--project"),
    (r".*\.instance_type", "--instance-type"),
    (r".*\.(initial|min)_instance_count", "--min-instances"),
    (r".*\.max_instance_count", "--max-instances"),
    (r".*\.targets\..*", "--cpu-target"),
    (r".*\.notifications\..*", "--email"),
    (r".*\.budget(\..*)?", "--budget"),
    (r".*\.vpc_id", "--vpc-id"),
    (r".*\.subnet_ids.*", "--subnet-id"),
    (r".*\.security_group_ids.*", "--security-group-id"),
    (r".*\.network(\..*)?", "--network"),
    (r".*\.image\..*", "--framework"),
    (r".*\.tags\.team", "--team"),
    (r".*\.tags\.cost_centre", "--cost-centre"),
    (r"environments(\.[^.]*)?(\.name)?", "--environments"),
)
"""Options by the keys of the configuration that their answers become."""


def problems_of(answers: Answers) -> list[Problem]:
    """Everything that is wrong with the answers, each once, with its option for its source."""
    own = list(_own_problems(answers))
    if own:
        # The file would say the same again, in words of YAML.
        return own
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "forecast.yaml"
        path.write_text(render_config(answers), encoding="utf-8")
        try:
            load_config(path)
        except ConfigError as error:
            return sorted({_named(problem) for problem in error.problems})
    return []


def check(answers: Answers) -> None:
    """Accept answers that make a valid configuration.

    Raises:
        ConfigError: They do not; everything that is wrong with them, at once.
    """
    problems = problems_of(answers)
    if problems:
        raise ConfigError(_SOURCE, problems)


def _own_problems(answers: Answers) -> Iterator[Problem]:
    """What no configuration can say."""
    if answers.ci not in PIPELINES:
        message = f"expected one of: {', '.join(PIPELINES)}, got {shown(answers.ci)}"
        yield Problem(0, "", message, "--ci")
    for index, name in enumerate(answers.environments):
        if name in answers.environments[:index]:
            message = f"expected each one once, got {shown(name)} again"
            yield Problem(0, "", message, "--environments")
    for name in answers.accounts.keys() - set(answers.environments):
        known = ", ".join(answers.environments)
        message = f"an account is given for {shown(name)}, expected one of: {known}"
        yield Problem(0, "", message, "--account")


def _named(problem: Problem) -> Problem:
    for pattern, option in _OPTIONS:
        if re.fullmatch(pattern, problem.key):
            return Problem(0, "", problem.message, option)
    return Problem(0, problem.key, problem.message, _SOURCE)
