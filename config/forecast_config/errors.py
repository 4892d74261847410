"""Errors that a person can mend: each names the place, the value got and the value expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ForecastError(Exception):
    """Base of every error that is a user's to mend: its text is one clear sentence.

    The command line prints the text without a traceback and exits with `exit_code`.
    """

    exit_code = 1


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a configuration: where it stands and what was expected there.

    Attributes:
        line: One-based line in the file, 0 when the key stands nowhere in it.
        key: Dotted key path, such as `environments.prod.autoscaling.max_instance_count`.
        message: What was found and what was expected, lower case, no full stop.
        source: What it stands in when that is not the error's own source, such as `-c accounts`.
    """

    line: int
    key: str
    message: str
    source: str = ""


class ConfigError(ForecastError):
    """A configuration that cannot be used, with all its problems at once."""

    exit_code = 2

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(self._describe(problem) for problem in self.problems))

    def _describe(self, problem: Problem) -> str:
        source = problem.source or self.source
        place = f"{source}:{problem.line}" if problem.line else source
        return ": ".join(part for part in (place, problem.key, problem.message) if part)
