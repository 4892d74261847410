"""Dynamic references: values that a template names and that only a handler ever sees.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

import json
import re
from typing import Any

from botocore.exceptions import ClientError

from forecast_local import context
from forecast_local.cloudformation.handler import ResourceError, StackIdentity

_REFERENCE = re.compile(r"\{\{resolve:(ssm-secure|ssm|secretsmanager):([^}]+)\}\}")
_ARN_PARTS = 7
_IMAGINARY = "https://example.com/a-secret-of-a-simulation"


def resolve_references(value: Any, identity: StackIdentity) -> Any:
    """Replace the dynamic references in a property.

    Args:
        value: Any JSON value.
        identity: The stack, in whose account and region the values are looked up.

    Raises:
        ResourceError: If a reference names nothing that exists.
    """
    if isinstance(value, list):
        return [resolve_references(item, identity) for item in value]
    if isinstance(value, dict):
        return {key: resolve_references(item, identity) for key, item in value.items()}
    if not isinstance(value, str) or "{{resolve:" not in value:
        return value
    found = _REFERENCE.sub(lambda match: _value(match.group(1), match.group(2), identity), value)
    if "{{resolve:" in found:
        raise ResourceError(f"Incorrect format is used in the following dynamic reference: {value}")
    return found


def _value(service: str, text: str, identity: StackIdentity) -> str:
    try:
        if service == "secretsmanager":
            return _secret(text, identity)
        name, _, version = text.partition(":")
        wanted = f"{name}:{version}" if version else name
        client = _client("ssm", identity)
        answer = client.get_parameter(Name=wanted, WithDecryption=service == "ssm-secure")
        return str(answer["Parameter"]["Value"])
    except ClientError as error:
        if context.current().is_simulated:
            return _IMAGINARY
        raise ResourceError(
            f"Could not resolve the dynamic reference to {text}: "
            f"{error.response['Error']['Message']}"
        ) from error


def _secret(text: str, identity: StackIdentity) -> str:
    """Look a secret up: ``id:SecretString:key:stage:version``, of which all but the id can miss."""
    parts = text.split(":")
    width = _ARN_PARTS if text.startswith("arn:") else 1
    secret, rest = ":".join(parts[:width]), parts[width:]
    given = dict(zip(("", "key", "VersionStage", "VersionId"), rest, strict=False))
    options = {name: given[name] for name in ("VersionStage", "VersionId") if given.get(name)}
    client = _client("secretsmanager", identity)
    content = str(client.get_secret_value(SecretId=secret, **options)["SecretString"])
    if not given.get("key"):
        return content
    try:
        return str(json.loads(content)[given["key"]])
    except (ValueError, KeyError, TypeError) as error:
        raise ResourceError(
            f"Could not find the key {given['key']} in the secret {secret}"
        ) from error


def _client(service: str, identity: StackIdentity) -> Any:
    return identity.clients.client(service, account=identity.account, region=identity.region)
