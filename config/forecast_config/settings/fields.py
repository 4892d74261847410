"""Constraints on single values, with the words in which each is explained."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import core_schema

from forecast_config.regions import REGION_PATTERN
from forecast_config.settings.ruling import all_refused, refused
from forecast_config.words import shown

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

MAX_INSTANCES = 10_000
"""Most instances that are taken for meant; the account's quota decides far below."""

MAX_RETENTION_DAYS = 36_500
"""Most days anything is kept: a century, within the 32 bits of S3's lifecycle rules."""

MAX_COOLDOWN_SECONDS = 86_400
"""Longest pause between two scalings that is taken for meant: a day."""


@dataclass(frozen=True)
class Matching:
    """A string of a pattern that has words for itself.

    Attributes:
        pattern: Regular expression from `^` to `$`, for Python and for the JSON schema.
        expected: What the pattern means, as in "expected …, got 'x'".
    """

    pattern: str
    expected: str

    def check(self, value: str) -> str:
        """The string itself, when all of it matches."""
        # fullmatch: with match, "$" lets a line break at the end pass.
        if not re.fullmatch(self.pattern, value):
            raise refused(f"expected {self.expected}, got {shown(value)}")
        return value

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        # Editors that know the second key show it instead of the pattern (VS Code, "JSON schemas").
        message = f"expected {self.expected}"
        return {**handler(schema), "pattern": self.pattern, "patternErrorMessage": message}


def _check_distinct(items: tuple[str, ...]) -> tuple[str, ...]:
    seen: set[str] = set()
    broken = []
    for index, item in enumerate(items):
        if item.lower() in seen:
            broken.append(((index,), f"expected each one once, got {shown(item)} again"))
        seen.add(item.lower())
    if broken:
        raise all_refused(broken, items)
    return items


Distinct = AfterValidator(_check_distinct)
"""A list of strings in which none stands twice, in whatever case."""

StackPrefix = Annotated[
    str,
    Field(max_length=40),
    Matching(r"^[A-Z][A-Za-z0-9]*$", "letters and digits, with a capital letter first"),
]
"""Beginning of the names of stacks, whose whole may have 128 characters (AWS CloudFormation API
reference, CreateStack)."""

Region = Annotated[str, Matching(REGION_PATTERN, "an AWS region such as eu-central-1")]

InstanceCount = Annotated[int, Field(ge=1, le=MAX_INSTANCES)]

RetentionDays = Annotated[int, Field(ge=1, le=MAX_RETENTION_DAYS)]

CooldownSeconds = Annotated[int, Field(ge=0, le=MAX_COOLDOWN_SECONDS)]
