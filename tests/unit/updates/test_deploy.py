"""`forecast deploy` calls nothing before it knows the way, and takes it only as far as it may."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import ForecastError
from forecast_operations.commands import deploy
from forecast_operations.deployed.live import Live
from forecast_operations.synthesis import cdk as cdk_cli
from forecast_operations.updates import proposal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Deploy = Callable[..., list[str]]

_STACKS = ("ForecastProdArtifacts", "ForecastProd")


@pytest.fixture
def deployed_as(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, live_with: Callable[..., Live]
) -> Deploy:
    """Runs the command between two templates; gives the CDK's commands."""

    def run(
        old: dict[str, Any],
        new: dict[str, Any],
        *,
        account: str = "unknown-account",
        status: str = "UPDATE_COMPLETE",
        protected: bool = False,
        serves: str = "new",
        **options: Any,
    ) -> list[str]:
        called: list[str] = []

        def cdk(_: Path, arguments: Sequence[str]) -> None:
            called.append(arguments[0])
            if arguments[0] == "synth":
                _synthesize(Path(arguments[arguments.index("--output") + 1]), new, account)

        serving = {"EndpointStatus": "InService", "EndpointConfigName": serves}
        outputs = [{"OutputKey": "EndpointConfigName", "OutputValue": "new"}]
        stack = {
            "StackStatus": status,
            "EnableTerminationProtection": protected,
            "Outputs": outputs,
        }
        live = live_with(
            cloudformation={
                "get_template": {"TemplateBody": old},
                "describe_stacks": {"Stacks": [stack]},
            },
            sagemaker={
                "describe_endpoint": serving,
                "describe_endpoint_config": {**serving, "ProductionVariants": []},
            },
            sts={"get_caller_identity": {"Account": "222222222222"}},
        )
        environment = SimpleNamespace(
            name="prod",
            stack_name="ForecastProd",
            artifacts_stack_name="ForecastProdArtifacts",
            region="eu-central-1",
            endpoint=SimpleNamespace(name="forecast"),
        )
        found = SimpleNamespace(root=tmp_path), {"prod": environment}
        monkeypatch.setattr(proposal, "load_environments", lambda *_: found)
        monkeypatch.setattr(proposal, "run_cdk", cdk)
        monkeypatch.setattr(cdk_cli, "run_cdk", cdk)
        monkeypatch.setattr(Live, "in_region", lambda _: live)
        deploy.deploy_command("prod", tmp_path / "forecast.yaml", **options)
        return called

    return run


def _synthesize(assembly: Path, template: dict[str, Any], account: str) -> None:
    assembly.mkdir(parents=True)
    artifacts = {}
    for stack in _STACKS:
        (assembly / f"{stack}.template.json").write_text(json.dumps(template))
        (assembly / f"{stack}.assets.json").write_text(
            json.dumps({"files": {"0": {"destinations": {"a": {"objectKey": "0.json"}}}}})
        )
        artifacts[stack] = {
            "environment": f"aws://{account}/eu-central-1",
            "properties": {"stackTemplateAssetObjectUrl": "s3://bucket/0.json"},
        }
    (assembly / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))


@pytest.mark.parametrize("allowed", ["allow_rescale", "allow_recreate"])
def test_variants_change_with_their_own_option_only(
    allowed: str, deployed_as: Deploy, endpoint_template: Callable[..., Any]
) -> None:
    old = endpoint_template(A="ml.m5.large")
    new = endpoint_template(A="ml.m5.large", B="ml.m5.large")

    with pytest.raises(ForecastError, match="done for you: --allow-unguarded"):
        deployed_as(old, new, **{allowed: True})

    assert deployed_as(old, new, allow_unguarded=True) == ["synth", "deploy", "deploy"]


def test_two_things_in_the_way_take_two_options(
    deployed_as: Deploy, endpoint_template: Callable[..., Any]
) -> None:
    old = endpoint_template(A="ml.m5.large", scaled=("A",))
    new = endpoint_template(B="ml.m5.large", scaled=("B",))

    with pytest.raises(ForecastError, match=r"done for you: --allow-rescale$"):
        deployed_as(old, new, allow_unguarded=True)

    done = deployed_as(old, new, allow_unguarded=True, allow_rescale=True)
    assert done == ["synth", "deploy", "deploy", "deploy"]


def test_another_account_is_not_even_looked_at(
    deployed_as: Deploy, endpoint_template: Callable[..., Any]
) -> None:
    template = endpoint_template(A="ml.m5.large")

    with pytest.raises(ForecastError, match="expected credentials of account 111111111111"):
        deployed_as(template, template, account="111111111111")

    assert deployed_as(template, template, account="222222222222") == ["synth", "deploy"]


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_what_never_was_made_is_a_first_deployment(
    status: str, deployed_as: Deploy, endpoint_template: Callable[..., Any]
) -> None:
    old = endpoint_template(A="ml.m5.large", scaled=("A",))
    new = endpoint_template(A="ml.c5.large", scaled=("A",))

    assert deployed_as(old, new, status=status) == ["synth", "deploy"]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("UPDATE_ROLLBACK_FAILED", "npx cdk rollback ForecastProd"),
        ("ROLLBACK_FAILED", "then delete the stack"),
        ("DELETE_FAILED", "then delete the stack"),
        ("UPDATE_IN_PROGRESS", "another deployment is under way"),
        ("ROLLBACK_COMPLETE", "delete the stack after its termination protection is off"),
    ],
)
def test_a_stack_that_cannot_be_updated_is_refused_whatever_is_allowed(
    status: str, said: str, deployed_as: Deploy, endpoint_template: Callable[..., Any]
) -> None:
    template = endpoint_template(A="ml.m5.large")

    with pytest.raises(ForecastError, match=f"is {status}: CloudFormation updates no") as caught:
        deployed_as(
            template,
            template,
            status=status,
            protected=status == "ROLLBACK_COMPLETE",
            allow_rescale=True,
            allow_unguarded=True,
            allow_recreate=True,
        )

    assert said in str(caught.value)


def test_what_was_undone_is_refused_before_anything_is_called(
    deployed_as: Deploy, endpoint_template: Callable[..., Any]
) -> None:
    template = endpoint_template(A="ml.m5.large")

    with pytest.raises(ForecastError, match="the last rollout was undone: forecast serves old"):
        deployed_as(template, template, serves="old")
