"""`forecast init`: a project that uses this library, from a few answers."""

from __future__ import annotations

import shlex
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecast_operations.console import out, print_document, warn
from forecast_operations.options import JsonOption  # noqa: TC001  # typer reads the annotations
from forecast_operations.starting.questions import QUESTIONS, complete, given_by

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forecast_operations.starting.answers import Answers
    from forecast_operations.starting.questions import Question

_Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Folder of the project; made when missing.")
]
_Library = Annotated[
    str | None,
    typer.Option(
        help="Where the project gets this library: a folder, a wheel, an https address or a git "
        "reference; default: where the installed one came from."
    ),
]
_Defaults = Annotated[
    bool, typer.Option("--yes", "-y", "--defaults", help="Ask nothing; take the defaults.")
]


def init_command(
    folder: _Folder = Path(),
    *,
    library: _Library = None,
    yes: _Defaults = False,
    as_json: JsonOption = False,
    **options: Any,
) -> None:
    """Start a project: ask a few questions, and write what deploys a model with this library.

    Every question has an option, and none is asked that an option answers. What is wrong with the
    answers is said in the words of `forecast config check`, before anything is written, and no file
    is ever replaced.
    """
    answers, files, library_line = _project(folder, options, library, yes=yes)
    _warn(answers, library_line)
    if as_json:
        print_document({"folder": str(folder.absolute()), "files": files})
        return
    for path in files:
        out.print(f"  {path}", markup=False)
    # Who was asked for the type has read its price.
    _report(folder, answers, priced=yes or options["instance_type"] is not None)
    for line in _next_steps(folder, answers, library_line):
        out.print(f"  {line}", markup=False)


def _with_questions() -> Signature:
    """What typer reads: the command's own parameters, and an option for each question."""
    folder, *own, _ = signature(init_command, eval_str=True).parameters.values()
    return Signature([folder, *(_option_of(each) for each in QUESTIONS), *own])


def _option_of(question: Question) -> Parameter:
    is_switch = question.takes is bool
    name = f"{question.option}/--no-{question.field}" if is_switch else question.option
    option = typer.Option(None, name, help=question.help, metavar=question.metavar)
    accepted = question.takes | None
    return Parameter(question.field, Parameter.KEYWORD_ONLY, default=option, annotation=accepted)


init_command.__signature__ = _with_questions()  # type: ignore[attr-defined]


def _project(
    folder: Path, options: dict[str, Any], library: str | None, *, yes: bool
) -> tuple[Answers, list[str], str]:
    """Ask, check and write; the answers, the paths of the files, and the library's line."""
    # Templates and the price list cost time that no other command should take.
    from forecast_operations.starting.asking import ask_for_rest  # noqa: PLC0415
    from forecast_operations.starting.checking import check  # noqa: PLC0415
    from forecast_operations.starting.library import requirement_of  # noqa: PLC0415
    from forecast_operations.starting.rendering import render_project  # noqa: PLC0415
    from forecast_operations.starting.writing import write_project  # noqa: PLC0415

    requirement = requirement_of(library)
    given = {"folder": folder.resolve().name, **given_by(options)}
    answers = complete(given if yes else ask_for_rest(given))
    check(answers)
    files = render_project(answers, requirement)
    write_project(folder, files)
    return answers, list(files), requirement


def _warn(answers: Answers, requirement: str) -> None:
    """Say what will not work elsewhere, or is not safe."""
    from forecast_operations.starting.library import warning_of  # noqa: PLC0415 - see above

    warning = warning_of(requirement)
    if warning is not None:
        warn(warning)
    if answers.ci != "none" and answers.tracking_uri.startswith("sqlite:"):
        warn(
            f"a pipeline cannot reach {answers.tracking_uri}, a file of this machine; give "
            "model.tracking_uri the address of a server before you use it"
        )


def _report(folder: Path, answers: Answers, *, priced: bool) -> None:
    """What was written, and what it costs."""
    from forecast_operations.starting.prices import price_sentence  # noqa: PLC0415 - see above

    out.print(f"wrote a project for {answers.model_name} into {folder}", markup=False)
    endpoints = ", ".join(answers.endpoint_name(name) for name in answers.environments)
    out.print(f"its endpoints are called {endpoints}", markup=False)
    if priced:
        out.print(price_sentence(answers.region, answers.instance_type), markup=False)
    out.print("next:")


def _next_steps(folder: Path, answers: Answers, requirement: str) -> Iterable[str]:
    first = answers.environments[0]
    if folder.absolute() != Path.cwd():
        yield f"cd {shlex.quote(str(folder))}"
    if " @ " not in requirement:
        yield "export PIP_INDEX_URL=…    # your index, which has the library (or: --library)"
    yield "make setup                # the library, its tools and the CDK CLI"
    yield "make test                 # the project's own tests"
    yield "python example/train.py   # a small model to try everything with"
    yield f"forecast resolve {first:<9}# pin {answers.model_name} in config/models.lock.json"
    yield "less README.md            # the local AWS, a real account, the pipeline"
