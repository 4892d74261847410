"""The questions that make a new project, in the order in which they are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError
from forecast_operations.starting.answers import PIPELINES, Answers, project_name
from forecast_operations.starting.typed import (
    parse_accounts,
    parse_amount,
    parse_count,
    parse_names,
    parse_number,
    parse_text,
    parse_truth,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Given = Mapping[str, Any]
    """Answers so far, by the attribute of `Answers` that they become."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question, with the answer that is taken when it is not asked.

    Attributes:
        field: Attribute of `Answers` that it becomes.
        option: Option of the command line that answers it.
        text: The question.
        help: What the option is, in the help of the command.
        default: The answer taken for none, by the answers before it.
        parse: Makes an answer of what was typed.
        takes: Type of the option's value; a list for one that can be given several times.
        metavar: What stands for the option's value in the help; None: its type.
        asked: Whether it is a question at all, by the answers before it.
    """

    field: str
    option: str
    text: str
    help: str
    default: Callable[[Given], Any]
    parse: Callable[[str], Any] = str
    takes: Any = str
    metavar: str | None = None
    asked: Callable[[Given], bool] = lambda _: True

    def answered(self, value: Any) -> Any:
        """The answer that the option's value is; None for an option that was not given.

        Raises:
            ForecastError: It is none.
        """
        typed = " ".join(value) if isinstance(value, list) else value
        if not isinstance(typed, str):
            return value
        try:
            return self.parse(typed)
        except ForecastError as error:
            raise ForecastError(f"{self.option}: {error}") from None


def _fixed(value: Any) -> Callable[[Given], Any]:
    return lambda _: value


def _scales(given: Given) -> bool:
    return bool(given["scaling"])


def _is_existing(given: Given) -> bool:
    return bool(given["network"] == "existing")


QUESTIONS = (
    Question(
        field="project",
        option="--project",
        text="Name of the project; its endpoints are called after it",
        help="Name of the project; by that of its folder.",
        default=lambda given: project_name(given["folder"]),
    ),
    Question(
        field="model_name",
        option="--model-name",
        text="Name of the registered model",
        help="Name of the registered model.",
        default=_fixed("forecaster"),
    ),
    Question(
        field="tracking_uri",
        option="--tracking-uri",
        text="MLflow registry that it is in",
        help="MLflow registry that it is in.",
        default=_fixed("sqlite:///mlflow.db"),
    ),
    Question(
        field="framework",
        option="--framework",
        text="AWS image that serves it (xgboost; scikit-learn, also for other libraries)",
        help="AWS image: xgboost or scikit-learn.",
        default=_fixed("xgboost"),
    ),
    Question(
        field="environments",
        option="--environments",
        text="Environments, in the order of their deployment",
        help="Environments in their order: dev,staging,prod.",
        default=_fixed(("dev", "staging", "prod")),
        parse=parse_names,
    ),
    Question(
        field="region",
        option="--region",
        text="AWS region",
        help="AWS region.",
        default=_fixed("eu-central-1"),
    ),
    Question(
        field="accounts",
        option="--account",
        text="Account ids, such as dev=111111111111 prod=222222222222 (none: of the credentials)",
        help="Account of one; repeatable.",
        default=_fixed({}),
        parse=parse_accounts,
        takes=list[str],
        metavar="ENV=ID",
    ),
    Question(
        field="scaling",
        option="--scaling",
        text="Scale with the load (yes, no)",
        help="Scale with the load, except dev.",
        default=_fixed(True),  # noqa: FBT003 - an answer, not a switch
        parse=parse_truth,
        takes=bool,
    ),
    Question(
        field="instance_type",
        option="--instance-type",
        text="Instance type, or its row",
        help="Instance type such as ml.m5.large.",
        default=_fixed("ml.m5.large"),
    ),
    Question(
        field="min_instances",
        option="--min-instances",
        text="Instances, at least two of which keep an endpoint alive when one fails",
        help="Fewest instances; dev has one.",
        default=_fixed(2),
        parse=parse_count,
        takes=int,
    ),
    Question(
        field="max_instances",
        option="--max-instances",
        text="Most instances",
        help="Most instances.",
        default=lambda given: max(4, 2 * given["min_instances"]),
        parse=parse_count,
        asked=_scales,
        takes=int,
    ),
    Question(
        field="cpu_target",
        option="--cpu-target",
        text="Share of the CPUs in use that scaling keeps, in percent",
        help="CPU that scaling keeps, in percent.",
        default=_fixed(70),
        parse=parse_number,
        asked=_scales,
        takes=float,
    ),
    Question(
        field="email",
        option="--email",
        text="E-mail address that alarms reach (none: nobody)",
        help="Mailbox that alarms reach.",
        default=_fixed(None),
        parse=parse_text,
    ),
    Question(
        field="budget_usd",
        option="--budget",
        text="Budget of each environment, in US dollars a month (none: no budget)",
        help="US dollars a month, of each environment.",
        default=_fixed(None),
        parse=parse_amount,
        takes=float,
    ),
    Question(
        field="network",
        option="--network",
        text="VPC (none; new: without a way to the internet; existing)",
        help="VPC: none, new or existing.",
        default=_fixed("none"),
    ),
    Question(
        field="vpc_id",
        option="--vpc-id",
        text="Id of the VPC",
        help="Id of the existing VPC.",
        default=_fixed(None),
        parse=parse_text,
        asked=_is_existing,
    ),
    Question(
        field="subnet_ids",
        option="--subnet-id",
        text="Ids of its subnets",
        help="One of its subnets; repeatable.",
        default=_fixed(()),
        parse=parse_names,
        asked=_is_existing,
        takes=list[str],
    ),
    Question(
        field="security_group_ids",
        option="--security-group-id",
        text="Ids of its security groups",
        help="One of its security groups; repeatable.",
        default=_fixed(()),
        parse=parse_names,
        asked=_is_existing,
        takes=list[str],
    ),
    Question(
        field="team",
        option="--team",
        text="Team that answers for it",
        help="Team that answers for it.",
        default=_fixed("forecasting"),
    ),
    Question(
        field="cost_centre",
        option="--cost-centre",
        text="Cost centre that pays for it",
        help="Cost centre that pays for it.",
        default=_fixed("unassigned"),
    ),
    Question(
        field="ci",
        option="--ci",
        text=f"Pipeline ({', '.join(PIPELINES)})",
        help="Pipeline: github, circleci, both or none.",
        default=_fixed("github"),
    ),
)


def given_by(options: Given) -> dict[str, Any]:
    """Answers of the command line, by their field; None for a question that it leaves open.

    Raises:
        ForecastError: One is none, such as an account without its environment.
    """
    return {each.field: each.answered(options[each.field]) for each in QUESTIONS}


def complete(given: Given) -> Answers:
    """Answers to all questions: those given, and the defaults of the others."""
    values = dict(given)
    for question in QUESTIONS:
        if values.get(question.field) is None:
            values[question.field] = question.default(values)
    return Answers(**{question.field: values[question.field] for question in QUESTIONS})
