"""`forecast init`: a project that uses this library, from a few answers."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecast_operations.console import err, out, print_json
from forecast_operations.options import JsonOption  # noqa: TC001  # typer reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forecast_operations.starting.answers import Answers

_Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Folder of the project; made when missing.")
]
_Text = str | None
_Several = list[str] | None
_Project = Annotated[_Text, typer.Option(help="Name of the project; by that of its folder.")]
_Model = Annotated[_Text, typer.Option(help="Name of the registered model.")]
_Registry = Annotated[_Text, typer.Option(help="MLflow registry that it is in.")]
_Framework = Annotated[_Text, typer.Option(help="AWS image: xgboost or scikit-learn.")]
_Environments = Annotated[
    _Text, typer.Option(help="Environments in their order: dev,staging,prod.")
]
_Region = Annotated[_Text, typer.Option(help="AWS region.")]
_Accounts = Annotated[
    _Several, typer.Option("--account", metavar="ENV=ID", help="Account of one; repeatable.")
]
_Scaling = Annotated[
    bool | None, typer.Option("--scaling/--no-scaling", help="Scale with the load, except dev.")
]
_Instance = Annotated[_Text, typer.Option(help="Instance type such as ml.m5.large.")]
_Fewest = Annotated[int | None, typer.Option(help="Fewest instances; dev has one.")]
_Most = Annotated[int | None, typer.Option(help="Most instances.")]
_Target = Annotated[float | None, typer.Option(help="CPU that scaling keeps, in percent.")]
_Email = Annotated[_Text, typer.Option(help="Mailbox that alarms reach.")]
_Budget = Annotated[
    float | None, typer.Option("--budget", help="US dollars a month, of each environment.")
]
_Network = Annotated[_Text, typer.Option(help="VPC: none, new or existing.")]
_Vpc = Annotated[_Text, typer.Option(help="Id of the existing VPC.")]
_Subnets = Annotated[_Several, typer.Option("--subnet-id", help="One of its subnets; repeatable.")]
_Groups = Annotated[
    _Several, typer.Option("--security-group-id", help="One of its security groups; repeatable.")
]
_Team = Annotated[_Text, typer.Option(help="Team that answers for it.")]
_Centre = Annotated[_Text, typer.Option(help="Cost centre that pays for it.")]
_Pipeline = Annotated[_Text, typer.Option(help="Pipeline: github, circleci, both or none.")]
_Library = Annotated[
    _Text,
    typer.Option(
        help="Where the project gets this library: a folder, a wheel, an https address or a git "
        "reference; default: where the installed one came from."
    ),
]
_Defaults = Annotated[
    bool, typer.Option("--yes", "-y", "--defaults", help="Ask nothing; take the defaults.")
]


def init_command(  # noqa: PLR0917 - typer names them on the command line
    folder: _Folder = Path(),
    project: _Project = None,
    model_name: _Model = None,
    tracking_uri: _Registry = None,
    framework: _Framework = None,
    environments: _Environments = None,
    region: _Region = None,
    accounts: _Accounts = None,
    scaling: _Scaling = None,
    instance_type: _Instance = None,
    min_instances: _Fewest = None,
    max_instances: _Most = None,
    cpu_target: _Target = None,
    email: _Email = None,
    budget_usd: _Budget = None,
    network: _Network = None,
    vpc_id: _Vpc = None,
    subnet_ids: _Subnets = None,
    security_group_ids: _Groups = None,
    team: _Team = None,
    cost_centre: _Centre = None,
    ci: _Pipeline = None,
    library: _Library = None,
    *,
    yes: _Defaults = False,
    as_json: JsonOption = False,
) -> None:
    """Start a project: ask a few questions, and write what deploys a model with this library.

    Every question has an option, and none is asked that an option answers. What is wrong with the
    answers is said in the words of `forecast config check`, before anything is written, and no file
    is ever replaced.
    """
    given = dict(locals())
    for name in ("folder", "library", "yes", "as_json"):
        del given[name]
    answers, files, library_line = _project(folder, given, library, yes=yes)
    _warn(answers, library_line)
    if as_json:
        print_json(json.dumps({"folder": str(folder.absolute()), "files": files}, indent=2))
        return
    for path in files:
        out.print(f"  {path}", markup=False)
    # Who was asked for the type has read its price.
    _report(folder, answers, priced=yes or instance_type is not None)
    for line in _next_steps(folder, answers, library_line):
        out.print(f"  {line}", markup=False)


def _project(
    folder: Path, options: dict[str, Any], library: str | None, *, yes: bool
) -> tuple[Answers, list[str], str]:
    """Ask, check and write; the answers, the paths of the files, and the library's line."""
    # Templates and the price list cost time that no other command should take.
    from forecast_operations.starting.asking import ask_for_rest  # noqa: PLC0415
    from forecast_operations.starting.checking import check  # noqa: PLC0415
    from forecast_operations.starting.library import requirement_of  # noqa: PLC0415
    from forecast_operations.starting.questions import complete, given_by  # noqa: PLC0415
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
        err.print(f"warning: {warning}", markup=False)
    if answers.ci != "none" and answers.tracking_uri.startswith("sqlite:"):
        err.print(
            f"warning: a pipeline cannot reach {answers.tracking_uri}, a file of this machine; "
            "give model.tracking_uri the address of a server before you use it",
            markup=False,
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
