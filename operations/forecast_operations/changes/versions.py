"""Model versions of a template: champion and challenger, as the tags of their resources say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from forecast_operations.deployed.live import variants_in
from forecast_operations.synthesis.hosted import hosted_in, referred_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_operations.synthesis.hosted import Template

Role = Literal["champion", "challenger"]

ROLES: tuple[Role, ...] = ("champion", "challenger")

_CHALLENGER_PREFIX = "challenger_"


@dataclass(frozen=True)
class TaggedVersion:
    """One model version, as far as the tags say; None for what they do not.

    Attributes:
        version: Version in the registry.
        name: Name of the registered model.
        run_id: Run that made it.
        model_digest: Digest of what it is packed from.
        archive_digest: Digest of its archive.
        data_version: Version of the data that it was trained on.
        code_reference: Code that trained it.
    """

    version: str
    name: str | None = None
    run_id: str | None = None
    model_digest: str | None = None
    archive_digest: str | None = None
    data_version: str | None = None
    code_reference: str | None = None


def versions_in(template: Template | None) -> dict[Role, TaggedVersion]:
    """What the endpoint of a template serves: the first variant, and what is compared with it."""
    if template is None:
        return {}
    found = (_tagged(tags) for tags in _tags_of_variants(template))
    return {role: each for role, each in zip(ROLES, found, strict=False) if each is not None}


def versions_of(tags: Mapping[str, str]) -> dict[Role, TaggedVersion]:
    """What an endpoint configuration serves, as its own tags say.

    They hold less of a challenger than those of its model, which is not named in them.
    """
    challenger = {
        key.removeprefix(_CHALLENGER_PREFIX): value
        for key, value in tags.items()
        if key.startswith(_CHALLENGER_PREFIX)
    }
    found = (_tagged(tags), _tagged(challenger))
    return {role: each for role, each in zip(ROLES, found, strict=True) if each is not None}


def _tagged(tags: Mapping[str, str]) -> TaggedVersion | None:
    version = tags.get("model_version")
    if version is None:
        return None
    return TaggedVersion(
        version=version,
        name=tags.get("model_name"),
        run_id=tags.get("run_id"),
        model_digest=tags.get("model_digest"),
        archive_digest=tags.get("archive_digest"),
        data_version=tags.get("data_version"),
        code_reference=tags.get("code_reference"),
    )


def _tags_of_variants(template: Template) -> Iterator[dict[str, str]]:
    """Tags of the model of each variant, the champion's first."""
    hosted = hosted_in(template)
    for variant, _ in variants_in({} if hosted is None else hosted.config):
        model = template["Resources"].get(referred_id(variant.get("ModelName")), {})
        yield _tags(model.get("Properties", {}))


def _tags(properties: Mapping[str, Any]) -> dict[str, str]:
    return {
        each["Key"]: each["Value"]
        for each in properties.get("Tags", ())
        if isinstance(each.get("Value"), str)
    }
