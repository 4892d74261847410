"""A person asked question by question, and told at once what is wrong with an answer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer

from forecast_config import ForecastError
from forecast_operations.console import err
from forecast_operations.starting.checking import problems_of
from forecast_operations.starting.prices import offered, price_sentence, table_of
from forecast_operations.starting.questions import QUESTIONS, Question, complete

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOTHING = ""


def ask_for_rest(given: Mapping[str, Any]) -> dict[str, Any]:
    """The answers given, and those of a person to the other questions.

    Args:
        given: Answers of the command line, None for the questions that it leaves open, and the
            `folder` that the project goes to.

    Raises:
        ForecastError: There is nobody to ask.
        KeyboardInterrupt: The person has enough of it.
    """
    values = dict(given)
    for question in QUESTIONS:
        if values.get(question.field) is not None:
            continue
        if not question.asked(values):
            values[question.field] = question.default(values)
            continue
        if question.field == "instance_type":
            err.print(table_of(values["region"], scaling=values["scaling"]))
        values[question.field] = _ask(question, values)
        if question.field == "instance_type":
            err.print(price_sentence(values["region"], values["instance_type"]), markup=False)
    return values


def _ask(question: Question, values: Mapping[str, Any]) -> Any:
    """An answer that the rules find nothing wrong with, given those before it."""
    default = question.default(values)
    while True:
        text = _prompt(question, _shown(default))
        try:
            answer = (
                default
                if text == _shown(default)
                else question.parse(_named(question, text, values))
            )
        except ForecastError as error:
            err.print(f"  {error}", markup=False)
            continue
        found = problems_of(complete({**values, question.field: answer}))
        wrong = [problem.message for problem in found if problem.source == question.option]
        if not wrong:
            return answer
        for message in wrong:
            err.print(f"  {message}", markup=False)


def _named(question: Question, text: str, values: Mapping[str, Any]) -> str:
    """What was typed; the instance type for the number of its row."""
    if question.field != "instance_type":
        return text
    rows = {str(row): name for row, name in enumerate(offered(scaling=values["scaling"]), 1)}
    return rows.get(text.strip(), text)


def _prompt(question: Question, default: str) -> str:
    try:
        answer: str = typer.prompt(
            question.text, default=default, show_default=default != _NOTHING, err=True
        )
    except typer.Abort:
        if sys.stdin.isatty():
            raise KeyboardInterrupt from None
        err.print()
        raise ForecastError(
            f"nothing was written: there is nobody to ask for {question.option}; give it, or take "
            "the defaults with --yes"
        ) from None
    return answer


def _shown(default: Any) -> str:
    """A default as a person would type it."""
    match default:
        case None:
            return _NOTHING
        case bool():
            return "yes" if default else "no"
        case tuple():
            return ",".join(default)
        case dict():
            return " ".join(f"{name}={account}" for name, account in default.items())
        case _:
            return str(default)
