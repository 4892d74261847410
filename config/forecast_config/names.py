"""Physical names: the few that a person must find, each within its service's limit."""

from __future__ import annotations

import hashlib

ENDPOINT_NAME_LIMIT = 63
"""Characters of an endpoint's name (SageMaker API reference, CreateEndpoint)."""

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


def alarm(endpoint_name: str, condition: str) -> str:
    """Name of an endpoint's alarm: what it watches, after the endpoint it belongs to."""
    return f"{endpoint_name}-{condition}"


def topic(endpoint_name: str, severity: str) -> str:
    """Name of the topic that an endpoint's alarms of one severity go to."""
    return f"{endpoint_name}-alerts-{severity}"


def stack(environment: str, part: str = "") -> str:
    """Name of an environment's stack: `ForecastProd`, `ForecastProdArtifacts`."""
    words = environment.replace("_", "-").split("-")
    return f"Forecast{''.join(word[:1].upper() + word[1:] for word in words)}{part}"
