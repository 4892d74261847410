"""The serving image: whether it can be pulled in the region, and is still patched."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_config.images import registry_accounts, serving_images
from forecast_config.settings import AwsImage, OwnImage
from forecast_config.support import support_warning
from forecast_operations.cloud.refusals import NotAllowedError
from forecast_operations.preflight.finding import failed, ok, skipped, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config.settings import EcrImage
    from forecast_operations.preflight.finding import Finding
    from forecast_operations.preflight.surroundings import Surroundings

_CHECK = "image"
_SUPPORT = "image support"


def look_at_image(around: Surroundings) -> Iterator[Finding]:
    """Whether the image is in Amazon ECR, in the environment's region."""
    image = around.settings.image
    if isinstance(image, OwnImage):
        yield ok(_CHECK, "built and published by the CDK", "image.kind: own")
        return
    account, repository, wanted = (
        _published(around, image) if isinstance(image, AwsImage) else _named(image)
    )
    shown = f"{repository}{':' if 'imageTag' in wanted else '@'}{next(iter(wanted.values()))}"
    expected = f"{shown} in account {account}, {around.region}"
    try:
        answer = around.cloud.ask(
            "ecr",
            "batch_get_image",
            missing="RepositoryNotFoundException",
            registryId=account,
            repositoryName=repository,
            imageIds=[wanted],
        )
    except NotAllowedError as error:
        # Its owner decides who may look; who may pull for SageMaker is another question.
        reason = f"not verifiable: {error}"
        yield skipped(_CHECK, reason, f"allow {error.permission} on {repository}")
        return
    if answer is not None and answer.get("images"):
        yield ok(_CHECK, shown, expected)
        return
    why = "no such repository" if answer is None else _why(answer.get("failures", ()))
    yield failed(_CHECK, why, expected, _way_on(image, around.region))


def look_at_support(around: Surroundings) -> Iterator[Finding]:
    """Whether AWS still patches the image, where it is one of AWS's."""
    image = around.settings.image
    if not isinstance(image, AwsImage):
        return
    known = serving_images()[image.framework, image.version]
    found, expected = f"patched until {known.patched_until}", "an image that AWS patches"
    try:
        said = support_warning(around.settings, datetime.now(UTC).date())
    except ForecastError as error:
        yield failed(_SUPPORT, found, expected, str(error))
        return
    if said is None:
        yield ok(_SUPPORT, found, expected)
    else:
        yield warning(_SUPPORT, found, expected, said)


def _published(around: Surroundings, image: AwsImage) -> tuple[str, str, dict[str, str]]:
    known = serving_images()[image.framework, image.version]
    # The configuration is refused where AWS publishes no images.
    return registry_accounts()[around.region], known.repository, {"imageTag": known.tag}


def _named(image: EcrImage) -> tuple[str, str, dict[str, str]]:
    registry, _, path = image.uri.partition("/")
    repository = re.split("[:@]", path)[0]
    rest = path[len(repository) + 1 :]
    key = "imageDigest" if path[len(repository)] == "@" else "imageTag"
    return registry.partition(".")[0], repository, {key: rest}


def _why(failures: list[dict[str, str]]) -> str:
    reasons = [each.get("failureReason", each.get("failureCode", "")) for each in failures]
    return "; ".join(reason for reason in reasons if reason) or "no such image"


def _way_on(image: AwsImage | EcrImage, region: str) -> str:
    if isinstance(image, AwsImage):
        return f"choose another version that is published in {region}, or image.kind own"
    return f"push it: docker push {image.uri}"
