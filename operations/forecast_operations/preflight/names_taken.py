"""Names: whether what the stacks would make is there already, and is not theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config import names
from forecast_config.alerts import has_heartbeat
from forecast_config.settings import NewNetwork
from forecast_operations.cloud.refusals import NotAllowedError
from forecast_operations.deployed.alarms import cousins
from forecast_operations.preflight.finding import failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config import EnvironmentSettings
    from forecast_operations.preflight.finding import Finding
    from forecast_operations.preflight.surroundings import Surroundings

_FREE = "free, or made by the environment's stacks"
_SHOWN = 3


def look_at_endpoint_name(around: Surroundings) -> Iterator[Finding]:
    """Whether the endpoint's name is taken by one that none of the stacks made."""
    name, check = around.endpoint_name, "name of the endpoint"
    if around.endpoint is None:
        yield ok(check, f"{name} is free", _FREE)
    elif any(each.rpartition("/")[2] == name for each in around.owned):
        yield ok(check, f"{name} is the stack's", _FREE)
    else:
        advice = (
            "choose another endpoint.name, or delete that endpoint when nobody calls it: "
            f"aws sagemaker delete-endpoint --endpoint-name {name} --region {around.region}"
        )
        found = f"{name} is there, and {around.stack_names[1]} did not make it"
        yield failed(check, found, _FREE, advice)


def look_at_bucket_name(around: Surroundings) -> Iterator[Finding]:
    """Whether the artifact bucket's name is taken: bucket names are shared by all accounts."""
    check = "name of the bucket"
    bucket = names.artifact_bucket(around.endpoint_name, around.account, around.region)
    try:
        there = around.cloud.ask(
            "s3",
            "head_bucket",
            missing="404",
            Bucket=bucket,
            ExpectedBucketOwner=around.account,
        )
    except NotAllowedError:
        # S3 answers 403 for another account's bucket, and for a bucket that may not be listed.
        found = f"{bucket} is there, and not to be seen with these credentials"
        advice = "allow s3:ListBucket on it; when it is another account's, choose another name"
        if bucket in around.owned:
            yield ok(check, f"{bucket} is the stack's", _FREE)
        else:
            yield failed(check, found, _FREE, advice)
        return
    if there is None:
        yield ok(check, f"{bucket} is free", _FREE)
    elif bucket in around.owned:
        yield ok(check, f"{bucket} is the stack's", _FREE)
    else:
        advice = (
            f"take it in: npx cdk deploy {around.stack_names[0]} --import-existing-resources (give "
            "the account id), or empty and delete it"
        )
        yield failed(check, f"{bucket} is left from before", _FREE, advice)


def look_at_log_groups(around: Surroundings) -> Iterator[Finding]:
    """Whether a log group is left from before: CloudFormation does not take it over."""
    for name in _log_groups(around.settings):
        listed = around.cloud.pages(
            "logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name
        )
        check = f"log group {name}"
        there = any(each["logGroupName"] == name for each in listed)
        if there and name not in around.owned:
            advice = (
                f"aws logs delete-log-group --log-group-name {name} --region {around.region}, or "
                f"take it in: npx cdk deploy {around.stack_names[0]} --import-existing-resources"
            )
            yield failed(check, "is left from before", _FREE, advice)
        else:
            yield ok(check, "is the stack's" if there else "is free", _FREE)


def look_at_alarm_names(around: Surroundings) -> Iterator[Finding]:
    """Whether alarms under the endpoint's name are somebody else's, who would lose them."""
    prefix = names.alarm(around.endpoint_name, "")
    found = [
        alarm["AlarmName"]
        for kind in ("MetricAlarm", "CompositeAlarm")
        for alarm in around.cloud.pages(
            "cloudwatch", "describe_alarms", f"{kind}s", AlarmNamePrefix=prefix, AlarmTypes=[kind]
        )
    ]
    others = cousins(around.endpoint_name, around.config.environments.values())
    strangers = sorted(
        name for name in found if name not in around.owned and not name.startswith(others)
    )
    check = "names of alarms"
    if not strangers:
        yield ok(check, f"{prefix}… is free, or the stack's", _FREE)
        return
    shown = ", ".join(strangers[:_SHOWN]) + (", …" if len(strangers) > _SHOWN else "")
    advice = "rename or delete them: an alarm of the same name would be refused or overwritten"
    yield warning(check, f"{len(strangers)} made by others: {shown}", _FREE, advice)


def _log_groups(settings: EnvironmentSettings) -> Iterator[str]:
    name = settings.endpoint.name
    yield names.endpoint_log_group(name)
    if isinstance(settings.network, NewNetwork):
        yield names.flow_log_group(name)
    if has_heartbeat(settings):
        yield names.function_log_group(names.heartbeat_function(name))
    if settings.off_hours is not None:
        yield names.off_hours_log_group(name)
