"""The CDK bootstrap: what the CLI deploys by, once for each account and region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.settings import OwnImage
from forecast_operations.deployed.stacks import is_stuck
from forecast_operations.preflight.finding import failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.preflight.finding import Finding
    from forecast_operations.preflight.surroundings import Surroundings

LEAST_VERSION = 6
"""Version that the stacks need (`requiresBootstrapStackVersion` of the CDK's assemblies)."""

ROLLBACK_VERSION = 23
"""First version that `cdk rollback` works with, which leads out of an update that failed (AWS CDK
CLI reference, `cdk rollback`); `cdk diff` needs 8."""

_TOOLKIT = "CDKToolkit"


def look_at_bootstrap(around: Surroundings) -> Iterator[Finding]:
    """Whether the bootstrap is there, whole, and not too old."""
    again = f"npx cdk bootstrap aws://{around.account}/{around.region}"
    name = f"/cdk-bootstrap/{around.qualifier}/version"
    found = around.cloud.ask("ssm", "get_parameter", missing="ParameterNotFound", Name=name)
    if found is None:
        expected = f"at least {LEAST_VERSION}"
        yield failed("bootstrap version", f"no parameter {name}", expected, again)
        return
    yield _check_version(int(found["Parameter"]["Value"]), again)
    yield _check_stack(around, again)
    yield from _check_stores(around, again)


def _check_version(version: int, again: str) -> Finding:
    check, expected = "bootstrap version", f"at least {LEAST_VERSION}"
    if version < LEAST_VERSION:
        return failed(check, str(version), expected, again)
    if version < ROLLBACK_VERSION:
        wanted = f"at least {ROLLBACK_VERSION}, for cdk rollback after a failed update"
        return warning(check, str(version), wanted, again)
    return ok(check, str(version), expected)


def _check_stack(around: Surroundings, again: str) -> Finding:
    name = str(around.cdk_settings.get("toolkitStackName", _TOOLKIT))
    stack = around.live.stack(name)
    check, expected = "bootstrap stack", f"{name}, at rest"
    if stack is None:
        advice = f"{again}; where it has another name, say so as toolkitStackName in cdk.json"
        return warning(check, f"no stack {name}", expected, advice)
    if is_stuck(stack["StackStatus"]):
        return failed(check, f"{name} is {stack['StackStatus']}", expected, again)
    return ok(check, f"{name} is {stack['StackStatus']}", expected)


def _check_stores(around: Surroundings, again: str) -> Iterator[Finding]:
    bucket = f"cdk-{around.qualifier}-assets-{around.account}-{around.region}"
    there = around.cloud.ask("s3", "head_bucket", missing="404", Bucket=bucket)
    yield _check_store("bootstrap bucket", bucket, again, there=there is not None)
    if not isinstance(around.settings.image, OwnImage):
        return
    repository = f"cdk-{around.qualifier}-container-assets-{around.account}-{around.region}"
    there = around.cloud.ask(
        "ecr",
        "describe_repositories",
        missing="RepositoryNotFoundException",
        repositoryNames=[repository],
    )
    yield _check_store("bootstrap repository", repository, again, there=there is not None)


def _check_store(check: str, name: str, again: str, *, there: bool) -> Finding:
    if there:
        return ok(check, name)
    advice = f"delete the stack {_TOOLKIT} and make it again: {again}"
    return failed(check, f"no {name}, though the bootstrap makes it", name, advice)
