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
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    live_with: Callable[..., Live],
    settings: Any,
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
        endpoint_status: str = "InService",
        fails_at: int | None = None,
        raised: type[BaseException] = ForecastError,
        **options: Any,
    ) -> list[str]:
        called: list[str] = []

        def cdk(_: Path, arguments: Sequence[str]) -> None:
            called.append(arguments[0])
            if arguments[0] == "synth":
                _synthesize(Path(arguments[arguments.index("--output") + 1]), new, account)
            elif called.count("deploy") == fails_at:
                raise raised("cdk deploy ended with status 1")

        serving = {"EndpointStatus": endpoint_status, "EndpointConfigName": serves}
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
        project = SimpleNamespace(root=tmp_path, lock_path=tmp_path / "models.lock.json")
        found = project, {"prod": settings}
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


def test_a_failed_deployment_names_what_tells_the_alarm_and_what_goes_back(
    deployed_as: Deploy, endpoint_template: Callable[..., Any]
) -> None:
    template = endpoint_template(A="ml.m5.large")

    with pytest.raises(ForecastError) as caught:
        deployed_as(template, template, fails_at=1)

    assert str(caught.value).splitlines() == [
        "cdk deploy ended with status 1",
        "the alarm that fired, if one did: forecast verify prod",
        "back to what was verified: forecast rollback prod",
    ]


@pytest.mark.parametrize(
    ("allowed", "new_kind", "left"),
    [
        ("allow_rescale", "ml.c5.large", "forecast does not scale: as many instances serve as did"),
        ("allow_recreate", None, "the endpoint forecast is away, and its incidents notify nobody"),
    ],
)
def test_a_later_step_that_fails_says_what_the_first_has_left(
    allowed: str,
    new_kind: str | None,
    left: str,
    *,
    deployed_as: Deploy,
    endpoint_template: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    old = endpoint_template(A="ml.m5.large", scaled=("A",))
    new = endpoint_template(A=new_kind, policy=None)
    option = f"--{allowed.replace('_', '-')}"
    said = f"{left}, until this has ended: forecast deploy prod {option}"

    with pytest.raises(ForecastError, match=said):
        deployed_as(old, new, fails_at=2, yes=True, **{allowed: True})
    with pytest.raises(ForecastError) as caught:
        deployed_as(old, new, fails_at=1, yes=True, **{allowed: True})
    assert left not in str(caught.value)
    capsys.readouterr()

    # CloudFormation goes on with what has begun when nobody waits for it any more.
    with pytest.raises(KeyboardInterrupt):
        deployed_as(old, new, fails_at=1, raised=KeyboardInterrupt, yes=True, **{allowed: True})
    assert said in capsys.readouterr().out


def test_the_endpoint_that_goes_is_named_and_asked_for(
    deployed_as: Deploy,
    endpoint_template: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    old, new = endpoint_template(A="ml.m5.large"), endpoint_template(A=None, policy=None)

    with pytest.raises(ForecastError, match="--allow-recreate, which removes the endpoint forec"):
        deployed_as(old, new)
    with pytest.raises(ForecastError, match="nobody to ask; add --yes"):
        deployed_as(old, new, allow_recreate=True)

    said = capsys.readouterr().err
    assert "about to deploy prod:\n  - account 222222222222, region eu-central-1\n" in said
    assert "the endpoint forecast is removed and made anew: minutes without an answer" in said
    done = deployed_as(old, new, allow_recreate=True, yes=True)
    assert done == ["synth", "deploy", "deploy"]


def test_another_projects_endpoint_is_left_alone_by_a_prefix_of_its_own(
    deployed_as: Deploy,
    endpoint_template: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    old = endpoint_template(A="ml.m5.large", name="prices")
    new = endpoint_template(A="ml.m5.large")

    with pytest.raises(ForecastError, match=r"another project's.* a stack_prefix of its") as got:
        deployed_as(old, new)

    assert "--allow-recreate, which removes the endpoint prices" in str(got.value)
    with pytest.raises(ForecastError, match="nobody to ask"):
        deployed_as(old, new, allow_recreate=True)
    said = capsys.readouterr().err
    assert "the endpoint prices is removed when the new one is there" in said
    assert said.count("cut off") == 1


def test_what_is_lost_with_a_resource_is_asked_for_and_nothing_else(
    deployed_as: Deploy,
    endpoint_template: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    old, new = endpoint_template(A="ml.m5.large"), endpoint_template(A="ml.m5.large")
    new["Resources"]["Model"]["Properties"]["PrimaryContainer"] = {"Image": "another"}

    assert deployed_as(old, new) == ["synth", "deploy"]
    assert capsys.readouterr().err == ""
    old["Resources"]["Logs"] = {"Type": "AWS::Logs::LogGroup"}
    with pytest.raises(ForecastError, match="nobody to ask"):
        deployed_as(old, new)
    assert (
        "ForecastProd/Logs (AWS::Logs::LogGroup) is removed: the events in the old one are lost"
    ) in capsys.readouterr().err
    assert deployed_as(old, new, yes=True) == ["synth", "deploy"]


def test_a_mixed_endpoint_is_no_success(
    deployed_as: Deploy, endpoint_template: Callable[..., Any]
) -> None:
    old, new = endpoint_template(A="ml.m5.large"), endpoint_template(A="ml.m5.large")
    new["Resources"]["Topic"]["Properties"] = {"DisplayName": "another"}

    with pytest.raises(ForecastError, match="undone in part: forecast is UpdateRollbackFailed"):
        deployed_as(old, new, endpoint_status="UpdateRollbackFailed")
