"""`forecast init`: answers given, asked for and refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
import yaml
from typer.main import get_command

from forecast_config import ConfigError, load_config
from forecast_operations.cli import app
from forecast_operations.starting import asking
from forecast_operations.starting.questions import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

REPOSITORY = Path(__file__).parents[3]


def _options() -> dict[str, str]:
    """Names of the parameters of `forecast init` by their options."""
    command: Any = get_command(app)
    parameters = command.commands["init"].params
    return {option: each.name for each in parameters for option in each.opts}


def test_every_question_has_an_option() -> None:
    options = _options()

    assert {question.option: question.field for question in QUESTIONS}.items() <= options.items()


def test_every_option_is_documented() -> None:
    text = (REPOSITORY / "docs" / "new-project.md").read_text("utf-8")

    assert [each.option for each in QUESTIONS if f"`{each.option}" not in text] == []


def test_the_defaults_make_a_project_that_is_valid(
    tmp_path: Path, init: Callable[..., Result]
) -> None:
    done = init(tmp_path / "Wine & Cheese", "--yes", "--json")

    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    root = Path(said["folder"])
    assert sorted(said["files"]) == sorted(
        str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()
    )
    config = load_config(root / "config" / "forecast.yaml")
    assert [each.endpoint.name for each in config.environments.values()] == [
        "wine-cheese-dev",
        "wine-cheese-staging",
        "wine-cheese-prod",
    ]


def test_dev_has_one_instance_and_prod_replaces_its_two_by_parts(
    tmp_path: Path, init: Callable[..., Result]
) -> None:
    init(tmp_path / "p", "--yes", "--max-instances", "6", "--cpu-target", "55.5")

    environments = load_config(tmp_path / "p" / "config" / "forecast.yaml").environments
    assert environments["dev"].autoscaling is None
    assert environments["staging"].autoscaling.min_instance_count == 1
    prod = environments["prod"]
    assert (prod.autoscaling.min_instance_count, prod.autoscaling.max_instance_count) == (2, 6)
    assert prod.autoscaling.targets["cpu"].percent == 55.5
    assert prod.rollout.kind == "canary"


def test_everything_that_can_be_answered_reaches_the_configuration(
    tmp_path: Path, init: Callable[..., Result]
) -> None:
    done = init(
        *(tmp_path / "p", "--yes", "--project", "shop", "--model-name", "prices"),
        *("--tracking-uri", "https://mlflow.example.com/a b#c", "--framework", "scikit-learn"),
        *("--environments", "prod", "--region", "cn-north-1", "--account", "prod=111111111111"),
        *("--no-scaling", "--min-instances", "3", "--instance-type", "ml.t2.medium"),
        *("--email", "team@example.com", "--budget", "99.5", "--network", "existing"),
        *("--vpc-id", "vpc-01234567", "--subnet-id", "subnet-01234567"),
        *("--subnet-id", "subnet-89abcdef", "--security-group-id", "sg-01234567"),
        *("--team", "a: b", "--cost-centre", "007"),
    )

    assert done.exit_code == 0, done.output
    config = load_config(tmp_path / "p" / "config" / "forecast.yaml")
    assert config.model.tracking_uri == "https://mlflow.example.com/a b#c"
    prod = config.environments["prod"]
    assert (config.model.name, prod.endpoint.name) == ("prices", "shop-prod")
    assert (prod.region, prod.account) == ("cn-north-1", "111111111111")
    assert (prod.endpoint.initial_instance_count, prod.autoscaling) == (3, None)
    assert prod.image.framework == "scikit-learn"
    assert prod.alarms.budget.monthly_usd == 99.5
    for targets in (prod.alarms.notifications.critical, prod.alarms.notifications.medium):
        assert targets["team"].address == "team@example.com"
    assert prod.network.subnet_ids == ("subnet-01234567", "subnet-89abcdef")
    assert (prod.tags.team, prod.tags.cost_centre) == ("a: b", "007")


WRONG = {
    "--project": ("a_b", "expected letters, digits and hyphens, with a letter or digit at both"),
    "--model-name": ("two words", "expected letters, digits, dots, underscores and hyphens"),
    "--tracking-uri": ("", "expected at least 1 character"),
    "--framework": ("pytorch", "expected one of: scikit-learn, xgboost, got 'pytorch'"),
    "--environments": ("dev,dev", "expected each one once, got 'dev' again"),
    "--region": ("mars", "expected an AWS region such as eu-central-1, got 'mars'"),
    "--account": ("dev=12", "expected an account id of 12 digits, got '12'"),
    "--instance-type": ("ml.m5.huge", "expected a SageMaker hosting instance type such as ml.m5"),
    "--min-instances": ("0", "at least 1, got 0"),
    "--max-instances": ("1", "expected at least min_instance_count (2), got 1"),
    "--cpu-target": ("0", "got 0"),
    "--email": ("nobody", "expected an e-mail address such as team@example.com, got 'nobody'"),
    "--budget": ("0", "got 0"),
    "--network": ("vpn", "expected one of: existing, new, none, got 'vpn'"),
    "--team": ("a\nb", "expected letters, digits, spaces and"),
    "--cost-centre": ("§", "expected letters, digits, spaces and"),
    "--ci": ("jenkins", "expected one of: github, circleci, both, none, got 'jenkins'"),
}


@pytest.mark.parametrize("option", WRONG)
def test_a_wrong_answer_is_named_by_its_option_before_anything_is_written(
    option: str, tmp_path: Path, init: Callable[..., Result]
) -> None:
    answer, message = WRONG[option]

    done = init(tmp_path / "p", "--yes", option, answer)

    assert isinstance(done.exception, ConfigError)
    lines = str(done.exception).splitlines()
    assert [line for line in lines if line.startswith(f"{option}: ")]
    assert message in str(done.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "answer"),
    [("--vpc-id", "vpc-1"), ("--subnet-id", "x"), ("--security-group-id", "y")],
)
def test_an_existing_network_is_checked_id_by_id(
    option: str, answer: str, tmp_path: Path, init: Callable[..., Result]
) -> None:
    ids = {"--vpc-id": "vpc-01234567", "--subnet-id": "subnet-01234567"}
    ids |= {"--security-group-id": "sg-01234567", option: answer}

    done = init(tmp_path / "p", "--yes", "--network", "existing", *sum(ids.items(), ()))

    assert re.match(rf"{option}: expected the id of .*, got '{answer}'$", str(done.exception))


def test_all_wrong_answers_are_named_at_once_in_the_words_of_the_configuration(
    tmp_path: Path, init: Callable[..., Result]
) -> None:
    document = yaml.safe_load((REPOSITORY / "config" / "forecast.yaml").read_text())
    document["defaults"]["region"] = "mars"
    document["defaults"]["endpoint"]["instance_type"] = "ml.m5.huge"
    (tmp_path / "forecast.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "forecast.yaml")
    checked = {problem.message for problem in caught.value.problems}

    done = init(tmp_path / "p", "--yes", "--region", "mars", "--instance-type", "ml.m5.huge")

    assert isinstance(done.exception, ConfigError)
    assert done.exception.exit_code == 2
    found = {problem.source: problem.message for problem in done.exception.problems}
    assert set(found) == {"--region", "--instance-type"}
    assert set(found.values()) <= checked


def test_answers_are_held_against_each_other(tmp_path: Path, init: Callable[..., Result]) -> None:
    done = init(tmp_path / "p", "--yes", "--instance-type", "ml.t2.medium", "--budget", "10")
    abroad = init(tmp_path / "p", "--yes", "--region", "eu-north-1", "--budget", "10")

    assert "--instance-type: burstable instance types cannot scale" in str(done.exception)
    assert "--budget: expected null, as CloudFormation makes no budgets" in str(abroad.exception)


def test_an_account_of_no_environment_is_refused(
    tmp_path: Path, init: Callable[..., Result]
) -> None:
    unknown = init(tmp_path / "p", "--yes", "--account", "qa=111111111111")
    no_pair = init(tmp_path / "p", "--yes", "--account", "111111111111")

    sentence = "--account: an account is given for 'qa', expected one of: dev, staging, prod"
    assert str(unknown.exception) == sentence
    assert str(no_pair.exception).startswith("--account: expected environment=account such as")


def test_a_person_is_asked_for_the_rest_and_again_when_an_answer_is_wrong(
    tmp_path: Path, init: Callable[..., Result]
) -> None:
    typed = {
        "--project": ["a_b", "shop"],
        "--environments": ["dev, prod"],
        "--region": ["mars", "eu-west-1"],
        "--account": ["dev", "dev=111111111111"],
        "--scaling": ["perhaps", "no"],
        "--instance-type": ["99", "1"],
        "--min-instances": ["two", "1"],
        "--budget": ["a lot", "20"],
        "--network": ["new"],
    }
    skipped = {"--max-instances", "--cpu-target", "--vpc-id", "--subnet-id", "--security-group-id"}
    given = {"--team": "ai", "--ci": "none"}
    asked = [each.option for each in QUESTIONS if each.option not in skipped | given.keys()]
    lines = [line for option in asked for line in typed.get(option, [""])]

    done = init(tmp_path / "p", *sum(given.items(), ()), input="\n".join([*lines, ""]))

    assert done.exit_code == 0, done.output
    config = load_config(tmp_path / "p" / "config" / "forecast.yaml")
    assert list(config.environments) == ["dev", "prod"]
    dev = config.environments["dev"]
    assert (dev.endpoint.name, dev.region, dev.account) == ("shop-dev", "eu-west-1", "1" * 12)
    assert (dev.autoscaling, dev.network.kind, dev.tags.team) == (None, "new", "ai")
    for message in (
        "expected an AWS region such as eu-central-1, got 'mars'",
        "expected environment=account such as dev=111111111111, got 'dev'",
        "expected yes or no, got 'perhaps'",
        "expected a whole number, got 'two'",
        "expected a number, got 'a lot'",
        "expected a SageMaker hosting instance type such as ml.m5.large, got '99'",
    ):
        assert message in done.stderr
    assert dev.endpoint.instance_type == "ml.t2.medium"
    assert done.output.count("ml.t2.medium in eu-west-1: ") == 1
    assert "its endpoints are called shop-dev, shop-prod" in done.stdout


def test_with_nobody_to_ask_the_option_is_named_and_nothing_written(
    tmp_path: Path, init: Callable[..., Result]
) -> None:
    done = init(tmp_path / "p", "--project", "shop", input="prices\n")

    assert str(done.exception) == (
        "nothing was written: there is nobody to ask for --tracking-uri; give it, or take the "
        "defaults with --yes"
    )
    assert list(tmp_path.iterdir()) == []


def test_who_has_enough_of_it_interrupts(monkeypatch: pytest.MonkeyPatch) -> None:
    def abort(*_: Any, **__: Any) -> str:
        raise typer.Abort

    monkeypatch.setattr(typer, "prompt", abort)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    given = dict.fromkeys((question.field for question in QUESTIONS), None)

    with pytest.raises(KeyboardInterrupt):
        asking.ask_for_rest({"folder": "shop", **given})
