"""Tags: who answers for an environment, who pays for it, and whatever else is to be known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, StringConstraints

from forecast_config.settings.base import Settings
from forecast_config.settings.fields import Matching
from forecast_config.settings.ruling import refused, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config.settings.ruling import Broken

TAGS_OF_THE_LIBRARY = (
    "team",
    "cost-centre",
    "environment",
    "model_name",
    "model_version",
    "run_id",
    "data_version",
    "code_reference",
    "model_digest",
    "archive_digest",
)
"""Keys that the stacks set themselves: the settings of this block, and the model's lineage."""

_RESERVED = {"cost_centre", *TAGS_OF_THE_LIBRARY}

_TEXT = Matching(r"^[\w .:/=+\-@]+$", "letters, digits, spaces and _ . : / = + - @")


def _check_key(key: str) -> str:
    if key.lower().startswith("aws:"):
        raise refused("expected a tag key that does not start with aws:, which AWS reserves")
    # Keys of IAM's tags are the same in whatever case (IAM user guide, "Tags for IAM resources").
    if key.lower() in _RESERVED:
        raise refused("expected another tag key, as the library sets this one itself")
    return key


TagValue = Annotated[str, StringConstraints(max_length=256), _TEXT]
TagKey = Annotated[str, StringConstraints(max_length=128), _TEXT, AfterValidator(_check_key)]


@rule("additional")
def _keys_differ_in_more_than_case(additional: dict[str, str]) -> Iterator[Broken]:
    first: dict[str, str] = {}
    for key in additional:
        other = first.setdefault(key.lower(), key)
        if other != key:
            yield (
                ("additional", key),
                f"expected a key that differs from '{other}' by more than case",
            )


class TagSettings(Settings):
    """Who answers for an environment and who pays, and further tags."""

    team: TagValue
    """Team that answers for the environment."""

    cost_centre: TagValue
    """Cost centre that pays for it."""

    additional: Annotated[dict[TagKey, TagValue], Field(max_length=20)] = Field(
        default_factory=dict
    )
    """Further tags; no key may be one that the library sets itself, in whatever case."""

    rules = (_keys_differ_in_more_than_case,)
