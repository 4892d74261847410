"""The fleet: what each variant of an endpoint serves, from which image, with how many instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_operations.cloud.refusals import NotAllowedError
from forecast_operations.deployed.live import variants_in
from forecast_operations.records.place import addresses_of, digest_at, object_at
from forecast_operations.records.record import Check, ServedVariant
from forecast_operations.verifying.condition import not_allowed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forecast_config import PackagedModel
    from forecast_operations.cloud.cloud import Cloud
    from forecast_operations.deployed.live import Live
    from forecast_operations.verifying.subject import Subject

_NO_OBJECT = "404"
_UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One variant as AWS describes it.

    Attributes:
        name: Its name.
        summary: What DescribeEndpoint says of it.
        config: What DescribeEndpointConfig says of it.
        container: What DescribeModel says of its container.
        tags: The tags of its model, which tell where it comes from.
        shadow: Whether it gets copies of requests only.
        refused: Why its model could not be looked at, or its tags; None where they were.
    """

    name: str
    summary: Mapping[str, Any]
    config: Mapping[str, Any]
    container: Mapping[str, Any]
    tags: Mapping[str, str]
    shadow: bool
    refused: NotAllowedError | None = None

    @property
    def model_data(self) -> str:
        """`s3://` address of its archive, or the prefix of its files."""
        addresses = addresses_of({"PrimaryContainer": self.container})
        return str(addresses[0]) if addresses else _UNKNOWN

    @property
    def version(self) -> str:
        """Version that its model is tagged with."""
        return self.tags.get("model_version", _UNKNOWN)

    @property
    def archive_digest(self) -> str | None:
        """Digest of its archive; None where the address does not prove the one of its tags."""
        return digest_at(self.model_data, [self.tags.get("archive_digest")])

    @property
    def served(self) -> ServedVariant:
        """It as a record keeps it."""
        images = self.summary.get("DeployedImages") or [{}]
        _, _, resolved = str(images[0].get("ResolvedImage", "")).partition("@")
        return ServedVariant(
            name=self.name,
            shadow=self.shadow,
            model_version=self.version,
            archive_digest=self.archive_digest,
            model_data=self.model_data,
            image=str(self.container.get("Image", _UNKNOWN)),
            image_digest=resolved or None,
            instance_type=self.config.get("InstanceType"),
            instances=self.summary.get("CurrentInstanceCount"),
        )


def look_at_fleet(
    live: Live, config: Mapping[str, Any], endpoint: Mapping[str, Any] | None = None
) -> list[Variant]:
    """The variants of an endpoint or of a configuration alone, production variants first.

    Args:
        live: Where they are.
        config: The answer of DescribeEndpointConfig; empty when it is gone.
        endpoint: The answer of DescribeEndpoint, whose variants they are; None: those of the
            configuration, whether or not anything serves them.
    """
    described = {each["VariantName"]: each for each, _ in variants_in(config)}
    return [
        _look_at(live, summary, described.get(summary["VariantName"], {}), shadow=shadow)
        for summary, shadow in variants_in(config if endpoint is None else endpoint)
    ]


def check_fleet(
    subject: Subject, fleet: Sequence[Variant], cause: str | None = None
) -> list[Check]:
    """Whether the variants are those that were deployed, and serve what is locked.

    Args:
        subject: What is verified.
        fleet: The variants.
        cause: The check whose failure explains another archive; None where none does.
    """
    images = subject.deployed.images(subject.account, subject.live.cloud.region)
    checks = [_check_names(subject, fleet)]
    for variant in fleet:
        checks.append(_check_instances(subject, variant))
        checks.append(_check_image(variant, images.get(variant.name)))
        checks.append(_check_archive(subject, variant, cause))
        checks.extend(_check_object(subject.live.cloud, variant))
    return checks


def _look_at(
    live: Live, summary: Mapping[str, Any], config: Mapping[str, Any], *, shadow: bool
) -> Variant:
    model: Mapping[str, Any] = {}
    tags: Mapping[str, str] = {}
    refused = None
    try:
        if "ModelName" in config:
            model = live.sagemaker_model(config["ModelName"]) or {}
        if "ModelArn" in model:
            tags = live.tags_of(model["ModelArn"])
    except NotAllowedError as error:
        refused = error
    containers = model.get("Containers") or [{}]
    return Variant(
        name=summary["VariantName"],
        summary=summary,
        config=config,
        container=model.get("PrimaryContainer") or containers[0],
        tags=tags,
        shadow=shadow,
        refused=refused,
    )


def _check_names(subject: Subject, fleet: Sequence[Variant]) -> Check:
    hosted = subject.deployed.hosted
    expected = [*sorted(hosted.variants), *(f"{name} (shadow)" for name in sorted(hosted.shadows))]
    found = sorted(each.name for each in fleet if not each.shadow)
    found += sorted(f"{each.name} (shadow)" for each in fleet if each.shadow)
    same = expected == found
    return Check(
        name="variants",
        passed=same,
        expected=", ".join(expected),
        found=", ".join(found),
        advice="" if same else "the endpoint does not serve what its stack describes",
    )


def _check_instances(subject: Subject, variant: Variant) -> Check:
    name, summary = f"instances {variant.name}", variant.summary
    if "ServerlessConfig" in variant.config:
        return _check_warm(name, summary)
    current, desired = summary.get("CurrentInstanceCount"), summary.get("DesiredInstanceCount")
    found_type = variant.config.get("InstanceType", _UNKNOWN)
    wanted_type = subject.deployed.hosted.variants.get(variant.name, found_type)
    moving = [each["Status"] for each in summary.get("VariantStatus") or ()]
    enough = current == desired and (bool(current) or subject.deployed.hosted.mode == "async")
    passed = enough and not moving and found_type == wanted_type
    return Check(
        name=name,
        passed=passed,
        expected=f"{desired} in service on {wanted_type}",
        found=f"{current} on {found_type}" + (f" ({', '.join(moving)})" if moving else ""),
        advice=""
        if passed
        else "not every instance is in service, or it is one of another type: verify again in some "
        "minutes, then look at the log group of the endpoint",
    )


def _check_warm(name: str, summary: Mapping[str, Any]) -> Check:
    def warm(which: str) -> str:
        count = (summary.get(f"{which}ServerlessConfig") or {}).get("ProvisionedConcurrency")
        return "serverless" if count is None else f"serverless, {count} kept warm"

    current, desired = warm("Current"), warm("Desired")
    same = current == desired
    advice = "" if same else "the warm capacity is not there yet: verify again in some minutes"
    return Check(name=name, passed=same, expected=desired, found=current, advice=advice)


def _check_image(variant: Variant, wanted: str | None) -> Check:
    if variant.refused is not None and not variant.container:
        image = wanted or "an image in the template"
        return not_allowed(f"image {variant.name}", image, variant.refused)
    found = str(variant.container.get("Image", _UNKNOWN))
    # What only AWS knows of it stands in angle brackets.
    expected = found if wanted is not None and "<" in wanted else wanted
    return Check(
        name=f"image {variant.name}",
        passed=found == expected,
        expected=expected or "an image in the template",
        found=found,
        advice=""
        if found == expected
        else "the variant runs another image than the one that was deployed",
    )


def _check_archive(subject: Subject, variant: Variant, cause: str | None) -> Check:
    wanted = subject.models.get(variant.name)
    found = f"version {variant.version}, {variant.archive_digest or variant.model_data}"
    if wanted is None:
        return Check(
            name=f"archive {variant.name}",
            passed=False,
            expected="a variant that the settings know",
            found=found,
            advice="the settings have changed since the deployment: deploy them, or put them back",
        )
    expected = f"version {wanted.model.version}, {wanted.archive_digest}"
    if variant.refused is not None and variant.archive_digest is None:
        return not_allowed(f"archive {variant.name}", expected, variant.refused)
    same = variant.archive_digest == wanted.archive_digest
    return Check(
        name=f"archive {variant.name}",
        passed=same,
        expected=expected,
        found=found,
        advice="" if same else _why_another(subject, variant, wanted, cause),
    )


def _why_another(
    subject: Subject, variant: Variant, wanted: PackagedModel, cause: str | None
) -> str:
    if cause is not None:
        return f"see {cause}"
    environment, locked = subject.settings.name, wanted.model.version
    if variant.version == locked:
        return (
            f"the lock's version {locked} packs to other bytes here: the code or the settings that "
            f"pack it have changed since it was deployed; run: forecast deploy {environment}, or "
            "verify at the commit that was deployed"
        )
    return (
        f"the lock says {locked}, {variant.version} is deployed: deploy the lock's first (forecast "
        f"deploy {environment}), or pin what is deployed (forecast resolve {environment} "
        f"--model-version {variant.version}) and commit {subject.project.lock_path.name}"
    )


def _check_object(cloud: Cloud, variant: Variant) -> Iterator[Check]:
    """Whether the archive is still in the bucket: an instance that starts fetches it again."""
    place = object_at(variant.model_data)
    if place is None:
        return
    bucket, key = place
    name, expected = f"object {variant.name}", f"s3://{bucket}/{key}"
    try:
        found = cloud.ask("s3", "head_object", missing=_NO_OBJECT, Bucket=bucket, Key=key)
    except NotAllowedError as error:
        yield not_allowed(name, expected, error)
        return
    yield Check(
        name=name,
        passed=found is not None,
        expected=expected,
        found="not there" if found is None else f"{found['ContentLength']} bytes",
        advice=""
        if found is not None
        else "no instance can start without it: bring an earlier version of the object back, or "
        f"publish it again by deploying ({variant.archive_digest})",
    )
