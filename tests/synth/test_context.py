"""Context flags are read strictly, and a mistake is one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aws_cdk import App

from forecast_config import ForecastError, load_config
from forecast_config.rollouts import waiting_seconds
from forecast_config.settings import ChallengerRollout
from forecast_stacks import SynthContext

if TYPE_CHECKING:
    from collections.abc import Callable


def test_without_flags_everything_in_the_projects_configuration_is_meant(
    new_app: Callable[..., App], repository: Path
) -> None:
    context = SynthContext.from_node(new_app().node)

    assert context.config == Path("config/forecast.yaml")
    assert (context.model_version, context.model_alias, context.candidate_run_id) == (None,) * 3
    config = load_config(repository / context.config, accounts=context.accounts)
    assert [settings.name for settings in context.select(config)] == ["dev", "staging", "prod"]


def test_flags_are_typed(new_app: Callable[..., App]) -> None:
    app = new_app(
        config="other.yaml",
        environments=" dev, prod,dev ",
        accounts="dev=111111111111, prod=222222222222",
        model_version=16,
    )
    context = SynthContext.from_node(app.node)

    assert context.config == Path("other.yaml")
    assert context.environments == ("dev", "prod")
    assert context.accounts == {"dev": "111111111111", "prod": "222222222222"}
    assert context.model_version == "16"


def test_an_image_that_was_built_elsewhere_is_taken_by_its_uri(
    new_app: Callable[..., App],
) -> None:
    uri = "111111111111.dkr.ecr.eu-central-1.amazonaws.com/forecaster:1"

    assert SynthContext.from_node(new_app(image_uri=uri).node).image_uri == uri
    with pytest.raises(ForecastError, match=r"image_uri: expected an image in Amazon ECR .*'mine'"):
        SynthContext.from_node(new_app(image_uri="mine").node)


def test_only_the_environments_asked_for_are_selected(
    new_app: Callable[..., App], samples: dict[str, Path]
) -> None:
    config = load_config(samples["forecast"])
    context = SynthContext.from_node(new_app(environments="prod,dev").node)

    assert [settings.name for settings in context.select(config)] == ["prod", "dev"]


def test_an_unknown_environment_is_rejected_by_name(
    new_app: Callable[..., App], samples: dict[str, Path]
) -> None:
    context = SynthContext.from_node(new_app(environments="dev,production").node)

    with pytest.raises(
        ForecastError, match="environments: expected one of dev, staging, prod, got 'production'"
    ):
        context.select(load_config(samples["forecast"]))


@pytest.mark.parametrize("accounts", ["111111111111", "dev", "dev=", "=111111111111"])
def test_a_malformed_account_is_rejected(new_app: Callable[..., App], accounts: str) -> None:
    with pytest.raises(ForecastError, match="accounts: expected environment=account"):
        SynthContext.from_node(new_app(accounts=accounts).node)


@pytest.mark.parametrize("flag", ["config", "environments", "accounts", "model_version"])
def test_a_flag_without_a_value_is_rejected(new_app: Callable[..., App], flag: str) -> None:
    with pytest.raises(ForecastError, match=f"{flag}: expected a value, got none"):
        SynthContext.from_node(new_app(**{flag: " "}).node)


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (
            {"model_verison": "3"},
            "-c model_verison: unknown context flag; did you mean model_version",
        ),
        ({"zone": "a"}, "unknown context flag; expected one of: config, environments"),
        ({"environments": ","}, "environments: expected at least one environment, got ','"),
        (
            {"accounts": "dev=111111111111,dev=222222222222"},
            "expected one account for 'dev', got two",
        ),
    ],
)
def test_rejects_flags_that_would_do_nothing(
    new_app: Callable[..., App], context: dict[str, str], message: str
) -> None:
    with pytest.raises(ForecastError, match=message):
        SynthContext.from_node(new_app(**context).node)


def test_keys_of_the_cdk_are_left_alone(new_app: Callable[..., App]) -> None:
    node = new_app(**{"aws:cdk:bundling-stacks": ["x"]}).node

    assert SynthContext.from_node(node).model_version is None


def test_rejects_a_start_without_the_feature_flags() -> None:
    with pytest.raises(ForecastError, match="run the app with the CDK CLI, as in npx cdk synth"):
        SynthContext.from_node(App().node)


def test_weights_are_reset_when_asked_for(new_app: Callable[..., App]) -> None:
    assert not SynthContext.from_node(new_app().node).reset_weights
    assert SynthContext.from_node(new_app(reset_weights="true").node).reset_weights
    with pytest.raises(ForecastError, match="reset_weights: expected true or false, got 'yes'"):
        SynthContext.from_node(new_app(reset_weights="yes").node)


def test_the_conformance_packs_are_asked_for_by_name(new_app: Callable[..., App]) -> None:
    assert not SynthContext.from_node(new_app().node).conformance
    assert SynthContext.from_node(new_app(checks="nag").node).conformance
    with pytest.raises(ForecastError, match="checks: expected nag, got 'all'"):
        SynthContext.from_node(new_app(checks="all").node)


def test_a_challenger_is_left_out_when_asked_for(
    new_app: Callable[..., App], samples: dict[str, Path]
) -> None:
    config = load_config(samples["modes"])
    as_written = SynthContext.from_node(new_app().node).select(config)
    alone = SynthContext.from_node(new_app(challenger="none").node).select(config)

    comparing = {each.name for each in as_written if isinstance(each.rollout, ChallengerRollout)}
    assert comparing
    assert {each.name for each in alone if each.rollout.kind == "all_at_once"} >= comparing
    assert [each.name for each in alone] == [each.name for each in as_written]
    assert [waiting_seconds(each.rollout) for each in alone] == [
        waiting_seconds(each.rollout) for each in as_written
    ]
    with pytest.raises(ForecastError, match="challenger: expected none, got '2'"):
        SynthContext.from_node(new_app(challenger="2").node)
