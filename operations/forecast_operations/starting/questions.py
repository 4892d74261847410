"""The questions that make a new project, in the order in which they are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError
from forecast_operations.starting.answers import PIPELINES, Answers, project_name

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
        default: The answer taken for none, by the answers before it.
        parse: Makes an answer of what was typed.
        asked: Whether it is a question at all, by the answers before it.
    """

    field: str
    option: str
    text: str
    default: Callable[[Given], Any]
    parse: Callable[[str], Any] = str
    asked: Callable[[Given], bool] = lambda _: True


def _fixed(value: Any) -> Callable[[Given], Any]:
    return lambda _: value


def parse_names(text: str) -> tuple[str, ...]:
    """Names that are separated by commas or spaces."""
    return tuple(text.replace(",", " ").split())


def parse_accounts(text: str) -> dict[str, str]:
    """Account ids by environment.

    Raises:
        ForecastError: A part is no pair.
    """
    accounts: dict[str, str] = {}
    for part in parse_names(text):
        name, equals, account = part.partition("=")
        if not (name and equals and account):
            raise ForecastError(
                f"expected environment=account such as dev=111111111111, got '{part}'"
            )
        accounts[name] = account
    return accounts


def _parse_truth(text: str) -> bool:
    answer = text.strip().lower()
    if answer in {"y", "yes", "true"}:
        return True
    if answer in {"n", "no", "false"}:
        return False
    raise ForecastError(f"expected yes or no, got '{text}'")


def _parse_count(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ForecastError(f"expected a whole number, got '{text}'") from None


def _parse_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ForecastError(f"expected a number, got '{text}'") from None


def _parse_amount(text: str) -> float | None:
    return _parse_number(text) if text.strip() else None


def _parse_text(text: str) -> str | None:
    return text.strip() or None


def _scales(given: Given) -> bool:
    return bool(given["scaling"])


def _is_existing(given: Given) -> bool:
    return bool(given["network"] == "existing")


QUESTIONS = (
    Question(
        field="project",
        option="--project",
        text="Name of the project; its endpoints are called after it",
        default=lambda given: project_name(given["folder"]),
    ),
    Question(
        field="model_name",
        option="--model-name",
        text="Name of the registered model",
        default=_fixed("forecaster"),
    ),
    Question(
        field="tracking_uri",
        option="--tracking-uri",
        text="MLflow registry that it is in",
        default=_fixed("sqlite:///mlflow.db"),
    ),
    Question(
        field="framework",
        option="--framework",
        text="AWS image that serves it (xgboost; scikit-learn, also for other libraries)",
        default=_fixed("xgboost"),
    ),
    Question(
        field="environments",
        option="--environments",
        text="Environments, in the order of their deployment",
        default=_fixed(("dev", "staging", "prod")),
        parse=parse_names,
    ),
    Question(
        field="region",
        option="--region",
        text="AWS region",
        default=_fixed("eu-central-1"),
    ),
    Question(
        field="accounts",
        option="--account",
        text="Account ids, such as dev=111111111111 prod=222222222222 (none: of the credentials)",
        default=_fixed({}),
        parse=parse_accounts,
    ),
    Question(
        field="scaling",
        option="--scaling",
        text="Scale with the load (yes, no)",
        default=_fixed(True),  # noqa: FBT003 - an answer, not a switch
        parse=_parse_truth,
    ),
    Question(
        field="instance_type",
        option="--instance-type",
        text="Instance type, or its row",
        default=_fixed("ml.m5.large"),
    ),
    Question(
        field="min_instances",
        option="--min-instances",
        text="Instances, at least two of which keep an endpoint alive when one fails",
        default=_fixed(2),
        parse=_parse_count,
    ),
    Question(
        field="max_instances",
        option="--max-instances",
        text="Most instances",
        default=lambda given: max(4, 2 * given["min_instances"]),
        parse=_parse_count,
        asked=_scales,
    ),
    Question(
        field="cpu_target",
        option="--cpu-target",
        text="Share of the CPUs in use that scaling keeps, in percent",
        default=_fixed(70),
        parse=_parse_number,
        asked=_scales,
    ),
    Question(
        field="email",
        option="--email",
        text="E-mail address that alarms reach (none: nobody)",
        default=_fixed(None),
        parse=_parse_text,
    ),
    Question(
        field="budget_usd",
        option="--budget",
        text="Budget of each environment, in US dollars a month (none: no budget)",
        default=_fixed(None),
        parse=_parse_amount,
    ),
    Question(
        field="network",
        option="--network",
        text="VPC (none; new: without a way to the internet; existing)",
        default=_fixed("none"),
    ),
    Question(
        field="vpc_id",
        option="--vpc-id",
        text="Id of the VPC",
        default=_fixed(None),
        parse=_parse_text,
        asked=_is_existing,
    ),
    Question(
        field="subnet_ids",
        option="--subnet-id",
        text="Ids of its subnets",
        default=_fixed(()),
        parse=parse_names,
        asked=_is_existing,
    ),
    Question(
        field="security_group_ids",
        option="--security-group-id",
        text="Ids of its security groups",
        default=_fixed(()),
        parse=parse_names,
        asked=_is_existing,
    ),
    Question(
        field="team",
        option="--team",
        text="Team that answers for it",
        default=_fixed("forecasting"),
    ),
    Question(
        field="cost_centre",
        option="--cost-centre",
        text="Cost centre that pays for it",
        default=_fixed("unassigned"),
    ),
    Question(
        field="ci",
        option="--ci",
        text=f"Pipeline ({', '.join(PIPELINES)})",
        default=_fixed("github"),
    ),
)


def given_by(options: Given) -> dict[str, Any]:
    """Answers of the command line, by their field; None for a question that it leaves open.

    Raises:
        ForecastError: An account is no pair.
    """
    given = dict(options)
    if given["environments"] is not None:
        given["environments"] = parse_names(given["environments"])
    if given["accounts"] is not None:
        try:
            given["accounts"] = parse_accounts(" ".join(given["accounts"]))
        except ForecastError as error:
            raise ForecastError(f"--account: {error}") from None
    for name in ("subnet_ids", "security_group_ids"):
        if given[name] is not None:
            given[name] = tuple(given[name])
    return given


def complete(given: Given) -> Answers:
    """Answers to all questions: those given, and the defaults of the others."""
    values = dict(given)
    for question in QUESTIONS:
        if values.get(question.field) is None:
            values[question.field] = question.default(values)
    return Answers(**{question.field: values[question.field] for question in QUESTIONS})
