"""What lies in a bucket: one line for each prefix that is used or has rules of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_operations.cloud.objects import split
from forecast_operations.records.place import addresses_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forecast_operations.storing.record import Record, Stored

_REQUESTS_HINT = "possible: whatever clients send"
_ACCESS_HINT = "yes: IP addresses and principals of who reads the bucket"


@dataclass(frozen=True)
class Use:
    """A prefix of a bucket that another resource writes to or reads from.

    Attributes:
        bucket: Name of the bucket, or its template and its logical id.
        prefix: The prefix.
        what: What lies there.
        personal: Whether personal data can be in it.
    """

    bucket: str
    prefix: str
    what: str
    personal: str


_KNOWN_PREFIXES = {
    "async/": ("requests, answers and failures of asynchronous requests", _REQUESTS_HINT),
    "data-capture/": ("captured requests and answers", _REQUESTS_HINT),
    "deployments/": (
        "deployment records, with golden requests and their answers",
        "yes: who verified; possible: rows of the logged example",
    ),
    "models/": ("model archives, with golden requests", "possible: rows of the logged example"),
}
"""Prefixes of this project's bucket, which stay when nothing writes to them any more."""


def uses_of(resources: Iterable[Stored]) -> list[Use]:
    """The prefixes that the resources write to or read from."""
    return [use for resource in resources for use in _uses(resource)]


def _uses(resource: Stored) -> Iterator[Use]:
    properties = resource.properties
    if resource.resource_type == "AWS::S3::Bucket":
        logging = properties.get("LoggingConfiguration", {})
        if "DestinationBucketName" in logging:
            prefix = resource.shown(logging.get("LogFilePrefix", ""))
            bucket = _place(resource, resource.shown(logging["DestinationBucketName"]))
            yield Use(bucket, prefix, f"access logs of {_name(resource)}", _ACCESS_HINT)
    if resource.resource_type == "AWS::SageMaker::EndpointConfig":
        yield from _uses_of_endpoint(resource)
    if resource.resource_type == "AWS::SageMaker::Model":
        yield from _uses_of_model(resource)


def _uses_of_endpoint(resource: Stored) -> Iterator[Use]:
    capture = resource.properties.get("DataCaptureConfig", {})
    if capture.get("EnableCapture", bool(capture)) and "DestinationS3Uri" in capture:
        share = capture.get("InitialSamplingPercentage", 100)
        what = f"captured requests and answers ({share} % of them)"
        yield _use(resource, resource.shown(capture["DestinationS3Uri"]), what, _REQUESTS_HINT)
    output = resource.properties.get("AsyncInferenceConfig", {}).get("OutputConfig", {})
    for name, what in (
        ("S3OutputPath", "answers to asynchronous requests"),
        ("S3FailurePath", "failures of asynchronous requests"),
    ):
        if name in output:
            yield _use(resource, resource.shown(output[name]), what, _REQUESTS_HINT)


def _uses_of_model(resource: Stored) -> Iterator[Use]:
    for address in addresses_of(resource.properties):
        place = resource.shown(address).removesuffix("/").rpartition("/")[0]
        yield _use(resource, place, *_KNOWN_PREFIXES["models/"])
        bucket, models, _ = place.partition("/models")
        if models:
            # No template tells of them: `forecast verify` writes them beside the archives.
            yield _use(resource, f"{bucket}/deployments", *_KNOWN_PREFIXES["deployments/"])


def _use(resource: Stored, uri: str, what: str, personal: str) -> Use:
    bucket, prefix = split(uri)
    prefix = f"{prefix.rstrip('/')}/" if prefix else ""
    return Use(_place(resource, bucket), prefix, what, personal)


def _place(resource: Stored, bucket: str) -> str:
    """A bucket's name, or where in which template it is: templates may share logical ids."""
    return f"{resource.stack}/{bucket.strip('<>')}" if bucket.startswith("<") else bucket


def bucket_records(bucket: Stored, uses: Sequence[Use]) -> list[Record]:
    """A line for each prefix of a bucket, and one for the rest of it."""
    places = {bucket.text("BucketName"), f"{bucket.stack}/{bucket.logical_id}"}
    mine = {use.prefix: use for use in uses if use.bucket in places}
    prefixes = dict.fromkeys(
        [*mine, *(rule["Prefix"] for rule in _rules(bucket) if "Prefix" in rule)]
    )
    records = []
    for prefix in sorted(each for each in prefixes if each):
        what, personal = _described(prefix, mine)
        records.append(_record(bucket, prefix, what, personal))
    if "" in mine:
        records.append(_record(bucket, "", mine[""].what, mine[""].personal))
    elif not records or any("Prefix" not in rule for rule in _rules(bucket)):
        what = "everything else in the bucket" if records else "objects"
        records.append(_record(bucket, "", what, "unknown: check"))
    return records


def _described(prefix: str, mine: dict[str, Use]) -> tuple[str, str]:
    if prefix in mine:
        return mine[prefix].what, mine[prefix].personal
    below = [use for place, use in mine.items() if place.startswith(prefix)]
    known = _KNOWN_PREFIXES.get(prefix)
    if known is not None:
        return known
    return (f"objects under {prefix}", below[0].personal if below else "unknown: check")


def _record(bucket: Stored, prefix: str, what: str, personal: str) -> Record:
    return bucket.record(
        what=what,
        where=f"s3://{_name(bucket)}/{prefix}",
        personal=personal,
        encryption=_encryption(bucket),
        kept=_kept(bucket, prefix),
        # CloudFormation deletes no bucket that holds something.
        on_deletion="kept" if bucket.is_kept else "deleted if empty, else the deletion fails",
    )


def _name(bucket: Stored) -> str:
    return bucket.text("BucketName") or f"<{bucket.readable_id}>"


def _rules(bucket: Stored) -> list[dict[str, Any]]:
    rules = bucket.properties.get("LifecycleConfiguration", {}).get("Rules", [])
    return [rule for rule in rules if rule.get("Status") == "Enabled"]


def _encryption(bucket: Stored) -> str:
    rules = bucket.properties.get("BucketEncryption", {}).get(
        "ServerSideEncryptionConfiguration", []
    )
    default = rules[0].get("ServerSideEncryptionByDefault", {}) if rules else {}
    if str(default.get("SSEAlgorithm", "")).startswith("aws:kms"):
        return bucket.key(default.get("KMSMasterKeyID"))
    return "a key of Amazon S3 (SSE-S3)"


def _kept(bucket: Stored, prefix: str) -> str:
    rules = [rule for rule in _rules(bucket) if prefix.startswith(rule.get("Prefix", ""))]
    days = [rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule]
    kept = _days(min(days)) if days else "until it is deleted"
    if bucket.properties.get("VersioningConfiguration", {}).get("Status") != "Enabled":
        return kept
    replaced = [
        rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
        for rule in rules
        if "NoncurrentVersionExpiration" in rule
    ]
    old = _days(min(replaced)) if replaced else "without end"
    return f"{kept}, then {old} as a noncurrent version"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
