"""The roles of a new project's pipeline: who takes them on, and what they may touch."""

from __future__ import annotations

import fnmatch
import re
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from call_graph import CallGraph, read_modules
from cloudformation_yaml import load_template
from permissions import changes_nothing, needed_by_command, read_calls

from forecast_config import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Started

BIN = Path(sys.executable).parent


def _run(*command: str) -> None:
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.fixture(params=["github", "circleci"])
def roles(request: pytest.FixtureRequest, projects: dict[str, Started]) -> Path:
    return projects["both"].root / "ci" / f"aws-roles-{request.param}.yaml"


def test_the_roles_are_a_template_that_cfn_lint_accepts(roles: Path) -> None:
    _run("cfn-lint", str(roles))


def _conditions(roles: Path, role: str) -> dict[str, Any]:
    properties = load_template(roles.read_text())["Resources"][role]["Properties"]
    (statement,) = properties["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert any(key.endswith(":aud") for key in statement["Condition"]["StringEquals"])
    found: dict[str, Any] = statement["Condition"]
    return found


def _subject(condition: dict[str, Any]) -> Any:
    (value,) = (value for key, value in condition.items() if key.endswith(":sub"))
    return value


def test_github_deploys_in_a_reviewed_environment_only(projects: dict[str, Started]) -> None:
    roles = projects["both"].root / "ci" / "aws-roles-github.yaml"

    deploy = _conditions(roles, "DeployRole")["StringEquals"]
    assert _subject(deploy) == {"Fn::Sub": "${Subject}:environment:${Environment}"}
    assert deploy["token.actions.githubusercontent.com:ref"] == "refs/heads/main"


@pytest.mark.parametrize(("environment", "following"), [("qa", "staging"), ("prod", "prod")])
def test_github_looks_for_a_pull_request_and_for_the_next_deployment(
    environment: str, following: str, projects: dict[str, Started]
) -> None:
    roles = projects["both"].root / "ci" / "aws-roles-github.yaml"

    template = load_template(roles.read_text())
    subjects = _subject(_conditions(roles, "PlanRole")["StringEquals"])
    known = {"Subject": "repo:shop/prices"}
    assert [_resolved(template, each, environment, known) for each in subjects] == [
        "repo:shop/prices:pull_request",
        f"repo:shop/prices:environment:{following}",
    ]


USER = "0a1b2c3d-0000-4000-8000-0123456789ab"
MINE = f"org/ORGANIZATION_ID/project/PROJECT_ID/user/{USER}"
MAIN = f"{MINE}/vcs-origin/github.com/OWNER/NAME/vcs-ref/refs/heads/main"


@pytest.mark.parametrize(
    ("subject", "trusted"),
    [
        (MAIN, True),
        (MAIN.replace("refs/heads/main", "refs/heads/x"), False),
        (MAIN.replace("refs/heads/main", "refs/heads/x/vcs-ref/refs/heads/main"), False),
        (MAIN.replace("refs/heads/main", "refs/tags/main"), False),
        (MAIN.replace("refs/heads/main", "refs/heads/main2"), False),
        (MAIN.replace("refs/heads/main", "refs/heads/Main"), False),
        (MAIN.replace("OWNER/NAME", "other/NAME"), False),
        (MAIN.replace("OWNER/NAME", "other/OWNER/NAME"), False),
        (MAIN.replace("PROJECT_ID", "other"), False),
        (MAIN.replace(USER, f"{USER}/vcs-origin/github.com/x/y"), False),
        (f"{MINE}/vcs-origin/x/vcs-ref/refs/heads/{MAIN}", False),
    ],
)
def test_circleci_deploys_the_main_branch_only(
    subject: str, projects: dict[str, Started], *, trusted: bool
) -> None:
    condition = _conditions(projects["both"].root / "ci" / "aws-roles-circleci.yaml", "DeployRole")

    # As in a policy, a star of fnmatch matches a slash as well.
    like = fnmatch.fnmatchcase(subject, _subject(condition["StringLike"]))
    unlike = not fnmatch.fnmatchcase(subject, _subject(condition["StringNotLike"]))
    assert (like and unlike) is trusted


def test_a_branch_in_the_name_of_another_is_refused_whatever_else_is_trusted(
    projects: dict[str, Started],
) -> None:
    condition = _conditions(projects["both"].root / "ci" / "aws-roles-circleci.yaml", "DeployRole")

    hostile = MAIN.replace("refs/heads/main", "refs/heads/x/vcs-ref/refs/heads/main")
    assert fnmatch.fnmatchcase(hostile, _subject(condition["StringNotLike"]))


def _resolved(
    template: dict[str, Any],
    value: Any,
    environment: str,
    parameters: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """A value as CloudFormation makes it in an account, in Frankfurt."""
    inner: dict[str, Any] = {}
    text = value
    if isinstance(value, dict):
        text = value["Fn::Sub"]
        if isinstance(text, list):
            text, inner = text
    known = {
        "AWS::Partition": "aws",
        "AWS::AccountId": "111111111111",
        "AWS::Region": "eu-central-1",
        **parameters,
    }
    for name, found in inner.items():
        mapping, by, key = found["Fn::FindInMap"]
        assert by == {"Ref": "Environment"}
        known[name] = template["Mappings"][mapping][environment][key]
    return re.sub(r"\$\{([^}]+)\}", lambda match: known[match[1]], str(text))


def _may(roles: Path, policies: tuple[str, ...], action: str, resource: str) -> bool:
    """Whether the policies of the roles of qa allow an action."""
    template = load_template(roles.read_text())
    for policy in policies:
        for statement in template["Resources"][policy]["Properties"]["PolicyDocument"]["Statement"]:
            actions, resources = (
                each if isinstance(each, list) else [each]
                for each in (statement["Action"], statement["Resource"])
            )
            if any(fnmatch.fnmatchcase(action, each) for each in actions) and any(
                fnmatch.fnmatchcase(resource, _resolved(template, each, "qa")) for each in resources
            ):
                return True
    return False


def _bucket(environment: str) -> str:
    # The name that the stacks give it.
    name = names.artifact_bucket(f"both-{environment}", "111111111111", "eu-central-1")
    return f"arn:aws:s3:::{name}"


LOOK = ("Look",)
DEPLOY = ("Look", "Deploy")


@pytest.mark.parametrize(
    ("policies", "action", "environment", "path", "allowed"),
    [
        (LOOK, "s3:ListBucket", "qa", "", True),
        (LOOK, "s3:ListBucket", "prod", "", False),
        (LOOK, "s3:GetObject", "qa", "/deployments/qa/x.json", True),
        (LOOK, "s3:GetObject", "prod", "/deployments/prod/x.json", False),
        (LOOK, "s3:GetObject", "qa", "/data-capture/x", False),
        (LOOK, "s3:GetObject", "prod", "/data-capture/x", False),
        (LOOK, "s3:GetObject", "qa", "/models/x.gz", True),
        (LOOK, "s3:GetObject", "prod", "/models/x.gz", False),
        (LOOK, "s3:GetObject", "qa", "/async/answers/x", False),
        (LOOK, "s3:PutObject", "qa", "/deployments/qa/x.json", False),
        (DEPLOY, "s3:PutObject", "qa", "/deployments/qa/x.json", True),
        (DEPLOY, "s3:PutObject", "prod", "/deployments/prod/x.json", False),
        (DEPLOY, "s3:PutObject", "qa", "/models/x.gz", False),
        (DEPLOY, "s3:GetObject", "qa", "/models/x.gz", True),
        (DEPLOY, "s3:GetObject", "prod", "/models/x.gz", False),
        (DEPLOY, "s3:GetObject", "qa", "/data-capture/x", False),
    ],
)
def test_a_role_touches_the_records_of_its_environment_and_nothing_that_clients_sent(
    policies: tuple[str, ...],
    action: str,
    environment: str,
    path: str,
    *,
    allowed: bool,
    roles: Path,
) -> None:
    assert _may(roles, policies, action, _bucket(environment) + path) is allowed


@pytest.mark.parametrize(
    ("bucket", "allowed"),
    [
        ("cdk-hnb659fds-assets-111111111111-eu-central-1", True),
        ("cdk-hnb659fds-assets-222222222222-eu-central-1", False),
        ("another-111111111111-eu-central-1", False),
    ],
)
def test_who_looks_sees_that_the_bucket_of_the_bootstrap_is_there(
    bucket: str, roles: Path, *, allowed: bool
) -> None:
    arn = f"arn:aws:s3:::{bucket}"

    assert _may(roles, LOOK, "s3:ListBucket", arn) is allowed
    assert not _may(roles, LOOK, "s3:GetObject", f"{arn}/x")


def test_an_endpoint_is_asked_by_its_own_environment_only(roles: Path) -> None:
    def asked(environment: str) -> bool:
        where = "arn:aws:sagemaker:eu-central-1:111111111111:endpoint"
        return _may(roles, DEPLOY, "sagemaker:InvokeEndpoint", f"{where}/both-{environment}")

    assert [asked("qa"), asked("prod")] == [True, False]


def test_keys_decrypt_only_what_the_bucket_of_the_environment_holds(roles: Path) -> None:
    template = load_template(roles.read_text())
    checked = 0
    for policy in DEPLOY:
        for statement in template["Resources"][policy]["Properties"]["PolicyDocument"]["Statement"]:
            if not {"kms:Decrypt", "kms:GenerateDataKey"} & set(statement["Action"]) and (
                statement["Action"] != "kms:Decrypt"
            ):
                continue
            condition = statement["Condition"]
            assert "kms:ViaService" in condition["StringEquals"]
            for each in condition["StringLike"]["kms:EncryptionContext:aws:s3:arn"]:
                assert _resolved(template, each, "qa").startswith(_bucket("qa"))
                checked += 1
    assert checked == 5


def test_the_plan_has_no_more_than_the_looking_policy(roles: Path) -> None:
    resources = load_template(roles.read_text())["Resources"]

    assert resources["PlanRole"]["Properties"]["ManagedPolicyArns"] == [{"Ref": "Look"}]


def _allowed(resources: dict[str, Any], policy: str) -> list[str]:
    found = []
    for statement in resources[policy]["Properties"]["PolicyDocument"]["Statement"]:
        actions = statement["Action"]
        found += [actions] if isinstance(actions, str) else actions
    return found


def test_the_roles_may_do_what_the_commands_of_the_pipeline_do(roles: Path) -> None:
    resources = load_template(roles.read_text())["Resources"]
    look = _allowed(resources, "Look")
    deploy = look + _allowed(resources, "Deploy")

    graph = CallGraph(read_modules())
    calls, _ = read_calls(graph)
    needed = needed_by_command(graph, calls)

    def missing(command: str, actions: list[str]) -> set[str]:
        asked = needed[f"forecast {command}"]
        return {
            each
            for each in asked
            if not any(fnmatch.fnmatchcase(each, action) for action in actions)
        }

    for command in ("package", "plan", "preflight"):
        assert missing(command, look) == set(), command
    for command in ("package", "deploy", "verify"):
        assert missing(command, deploy) == set(), command


def test_who_plans_changes_nothing(roles: Path) -> None:
    actions = _allowed(load_template(roles.read_text())["Resources"], "Look")

    assert [action for action in actions if not changes_nothing(action)] == []
