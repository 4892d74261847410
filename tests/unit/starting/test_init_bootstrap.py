"""What a new project has an account bootstrapped with: a policy, in the place of everything."""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudformation_yaml import load_template

if TYPE_CHECKING:
    from conftest import Started

REPOSITORY = Path(__file__).parents[3]
KNOWN = {"Partition": "aws", "AccountId": "111111111111", "Region": "ap-southeast-1"}


def _policy(project: Started) -> dict[str, Any]:
    template = load_template((project.root / "deployment-policy.yaml").read_text())
    found: dict[str, Any] = template["Resources"]["DeploymentPolicy"]["Properties"]
    return found


def _resolved(value: Any) -> Any:
    """A part of the policy as CloudFormation makes it in an account, in Singapore."""
    match value:
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{AWS::(\w+)\}", lambda match: KNOWN[match[1]], text)
        case {"Ref": str(name)}:
            return KNOWN[name.removeprefix("AWS::")]
        case dict():
            return {key: _resolved(each) for key, each in value.items()}
        case list():
            return [_resolved(each) for each in value]
        case _:
            return value


def test_cfn_lint_accepts_the_policy(projects: dict[str, Started]) -> None:
    file = str(projects["both"].root / "deployment-policy.yaml")
    done = subprocess.run(
        [str(Path(sys.executable).parent / "cfn-lint"), file],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_the_policy_is_that_of_the_page_on_security(projects: dict[str, Started]) -> None:
    page = (REPOSITORY / "docs" / "security.md").read_text("utf-8")
    block = page.partition("<!-- deployment policy -->\n```json\n")[2].partition("```")[0]

    document = _resolved(_policy(projects["both"])["PolicyDocument"])

    for_both = json.loads(block.replace("/Forecast*", "/Both*"))
    assert document == for_both


def test_no_stack_of_a_project_may_change_the_policy(projects: dict[str, Started]) -> None:
    policy = _policy(projects["both"])
    name = f"arn:aws:iam::111111111111:policy/{policy['ManagedPolicyName']}"

    _, own, _ = _resolved(policy["PolicyDocument"])["Statement"]
    assert not any(fnmatch.fnmatchcase(name, each) for each in own["Resource"])


def test_the_readme_bootstraps_with_it(projects: dict[str, Started]) -> None:
    readme = (projects["both"].root / "README.md").read_text()

    name = _policy(projects["both"])["ManagedPolicyName"]
    assert f"--cloudformation-execution-policies arn:aws:iam::ACCOUNT:policy/{name}\n" in readme
    bootstraps = re.findall(r"^ *npx cdk bootstrap aws://.*\n.*", readme, re.MULTILINE)
    assert bootstraps
    assert all(name in each for each in bootstraps)
