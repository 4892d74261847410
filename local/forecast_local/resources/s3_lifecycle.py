"""The translation of a bucket's lifecycle rules from CloudFormation's words to the API's."""

from collections.abc import Mapping
from typing import Any

from forecast_local.cloudformation.handler import ResourceError

_KNOWN = frozenset(
    {
        "AbortIncompleteMultipartUpload",
        "ExpirationDate",
        "ExpirationInDays",
        "ExpiredObjectDeleteMarker",
        "Id",
        "NoncurrentVersionExpiration",
        "NoncurrentVersionExpirationInDays",
        "NoncurrentVersionTransitions",
        "ObjectSizeGreaterThan",
        "ObjectSizeLessThan",
        "Prefix",
        "Status",
        "TagFilters",
        "Transitions",
    }
)
_EXPIRATION = {
    "ExpirationInDays": "Days",
    "ExpirationDate": "Date",
    "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
}


def lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Translate one lifecycle rule.

    Args:
        rule: The rule as the property ``LifecycleConfiguration`` states it.

    Returns:
        The rule as PutBucketLifecycleConfiguration wants it.

    Raises:
        ResourceError: If the rule has a member that is not translated.
    """
    unknown = sorted(set(rule) - _KNOWN)
    if unknown:
        raise ResourceError(
            f"the local AWS does not apply {unknown[0]} of a lifecycle rule; it knows "
            f"{sorted(_KNOWN)}"
        )
    answer: dict[str, Any] = {"Status": rule["Status"], "Filter": _filter(rule)}
    if "Id" in rule:
        answer["ID"] = rule["Id"]
    expiration = {api: rule[key] for key, api in _EXPIRATION.items() if key in rule}
    if expiration:
        answer["Expiration"] = expiration
    if "AbortIncompleteMultipartUpload" in rule:
        answer["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    if "NoncurrentVersionExpiration" in rule:
        answer["NoncurrentVersionExpiration"] = rule["NoncurrentVersionExpiration"]
    elif "NoncurrentVersionExpirationInDays" in rule:
        days = rule["NoncurrentVersionExpirationInDays"]
        answer["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    answer.update(_transitions(rule))
    return answer


def _transitions(rule: Mapping[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    current = {"TransitionInDays": "Days", "TransitionDate": "Date"}
    noncurrent = {"TransitionInDays": "NoncurrentDays"}
    for key, names in (("Transitions", current), ("NoncurrentVersionTransitions", noncurrent)):
        if key in rule:
            answer[key] = [
                {names.get(name, name): value for name, value in item.items()} for item in rule[key]
            ]
    return answer


def _filter(rule: Mapping[str, Any]) -> dict[str, Any]:
    parts: dict[str, Any] = {
        key: rule[key]
        for key in ("Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan")
        if key in rule
    }
    tags = rule.get("TagFilters", [])
    if not parts and len(tags) == 1:
        return {"Tag": tags[0]}
    if len(parts) == 1 and not tags:
        return parts
    if not parts and not tags:
        return {"Prefix": ""}
    return {"And": {**parts, "Tags": tags} if tags else parts}
