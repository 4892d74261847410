"""Physical names: the few that a person must find, each within its service's limit."""

from __future__ import annotations

import hashlib
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ENDPOINT_NAME_LIMIT = 63
"""Characters of an endpoint's name (SageMaker API reference, CreateEndpoint)."""

VARIANT_NAME_LIMIT = 63
"""Characters of a variant's name (SageMaker API reference, ProductionVariant)."""

DASHBOARD_NAME_LIMIT = 255
"""Characters of a dashboard's name (CloudWatch API reference, PutDashboard)."""

FUNCTION_NAME_LIMIT = 64
"""Characters of a function's name (AWS Lambda API reference, CreateFunction)."""

BUCKET_NAME_LIMIT = 63
"""Characters of a bucket's name (Amazon S3 user guide, bucket naming rules)."""

_HASH_LENGTH = 8
_ACCOUNT_LENGTH = 12
_LONGEST_REGION = len("us-isof-south-1")


def bounded(name: str, limit: int) -> str:
    """A name of at most `limit` characters: cut, and made unique by a hash, when it is longer."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{name[: limit - _HASH_LENGTH - 1].rstrip('-')}-{digest}"


def challenger_variant(variant_name: str) -> str:
    """Name of the variant that a challenger serves under, beside a production variant.

    Like the production variant's own, it stays the same from deployment to deployment.
    """
    return bounded(f"{variant_name}-challenger", VARIANT_NAME_LIMIT)


def artifact_bucket(endpoint_name: str, account: str, region: str) -> str:
    """Name of the bucket that holds an endpoint's artifacts.

    Account and region may be tokens such as `${AWS::AccountId}`: their longest values are counted,
    so that the name is within the limit wherever the stack is deployed.
    """
    room = BUCKET_NAME_LIMIT - _ACCOUNT_LENGTH - _LONGEST_REGION - 2
    return f"{bounded(f'{endpoint_name}-artifacts'.lower(), room)}-{account}-{region}"


def endpoint_log_group(endpoint_name: str) -> str:
    """Log group that SageMaker writes an endpoint's container logs to."""
    return f"/aws/sagemaker/Endpoints/{endpoint_name}"


def flow_log_group(endpoint_name: str) -> str:
    """Log group of the flow logs of an endpoint's own VPC."""
    return f"/aws/vpc/flow-logs/{endpoint_name}"


def off_hours(endpoint_name: str) -> str:
    """Name of the state machine that removes an endpoint in its off hours; at most 80 characters.

    The limit is that of the AWS Step Functions API reference, CreateStateMachine.
    """
    return f"{endpoint_name}-off-hours"


def off_hours_log_group(endpoint_name: str) -> str:
    """Log group of that state machine.

    The prefix keeps it out of the account's log resource policy, whose size is limited (AWS Step
    Functions developer guide, "Logging using CloudWatch Logs").
    """
    return f"/aws/vendedlogs/states/{off_hours(endpoint_name)}"


def heartbeat_function(endpoint_name: str) -> str:
    """Name of the function that asks an endpoint whether it answers, and answers right."""
    return bounded(f"{endpoint_name}-heartbeat", FUNCTION_NAME_LIMIT)


def function_log_group(function_name: str) -> str:
    """Log group that AWS Lambda writes a function's logs to."""
    return f"/aws/lambda/{function_name}"


def alarm(endpoint_name: str, condition: str) -> str:
    """Name of an endpoint's alarm: what it watches, after the endpoint it belongs to."""
    return f"{endpoint_name}-{condition}"


def topic(endpoint_name: str, severity: str) -> str:
    """Name of the topic that an endpoint's alarms of one severity go to."""
    return f"{endpoint_name}-alerts-{severity}"


def dashboard(endpoint_name: str) -> str:
    """Name of the dashboard of an endpoint: the endpoint's own."""
    return endpoint_name


def overview_dashboard(endpoint_names: Sequence[str]) -> str:
    """Name of the dashboard of several endpoints, after the words that all their names begin with.

    An account has its dashboards in common for all regions (CloudWatch API reference,
    PutDashboard), so that two projects need two names.
    """
    places = zip(*(name.split("-") for name in endpoint_names), strict=False)
    shared = [words[0] for words in takewhile(lambda words: len(set(words)) == 1, places)]
    return bounded("-".join([*(shared or ["forecast"]), "overview"]), DASHBOARD_NAME_LIMIT)


def stack(prefix: str, environment: str, part: str = "") -> str:
    """Name of an environment's stack: `ForecastProd`, `ForecastProdArtifacts`.

    Args:
        prefix: What the names of all stacks of a project begin with.
        environment: Name of the environment.
        part: What is in the stack besides the endpoint's own.
    """
    words = environment.replace("_", "-").split("-")
    return f"{prefix}{''.join(word[:1].upper() + word[1:] for word in words)}{part}"
