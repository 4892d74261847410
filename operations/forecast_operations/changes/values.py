"""Values of a template side by side: which leaves differ, short enough to read, without secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_operations.synthesis.templates import flatten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HIDDEN = "(not shown)"
"""What stands for a value that may be a secret."""

_LONGEST = 80
_SHORT_DIGEST = 12
_NAMES = ("Key", "Name", "VariantName", "Sid", "Id", "ScheduledActionName", "AlarmName")
"""Properties that members of a list are told apart by."""

_DIGEST = re.compile(r"[0-9a-f]{32,}")
_SECRET_NAME = re.compile(
    r"secret|passw|token|credential|api_?key|access_?key|private_?key|webhook",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN|\bhttps?://[^\s/@]+:[^\s/@]+@|\bhttps?://\S+\?\S+="
    r"|(?i:passw\w*|secret|token)[\"']?\s*[:=]\s*[\"']?\w"
)
"""Access key ids, private keys, addresses with a password or an argument, and what is said to be a
secret inside a text (Amazon IAM user guide, "IAM identifiers", for the first)."""

_REFERENCE = "{{resolve:"
"""How a dynamic reference begins: it names a secret, and holds none."""


@dataclass(frozen=True)
class Difference:
    """One leaf in which two values differ.

    Attributes:
        path: Where it is (`ProductionVariants/AllTraffic/InstanceType`).
        before: What was there; None for nothing.
        after: What will be there; None for nothing.
    """

    path: str
    before: str | None
    after: str | None


def differences(before: Any, after: Any, path: str = "") -> Iterator[Difference]:
    """The leaves in which two values of templates differ.

    Args:
        before: The one.
        after: The other; None on either side is no value.
        path: Where they are.
    """
    if before == after:
        return
    old, new = _members(before), _members(after)
    # What comes or goes as a whole is taken apart too, so that no secret hides in it.
    old = {} if before is None else old
    new = {} if after is None else new
    if old is not None and new is not None and (old or new):
        for key in dict.fromkeys((*old, *new)):
            yield from differences(old.get(key), new.get(key), f"{path}/{key}" if path else key)
        return
    yield Difference(path, _shown(path, before), _shown(path, after))


def _members(value: Any) -> Mapping[str, Any] | None:
    """The members of an object or list by what they are called; None for a leaf."""
    if isinstance(value, dict):
        return None if _is_function(value) else value
    if not isinstance(value, list) or not value:
        return None
    if not all(isinstance(each, dict) and not _is_function(each) for each in value):
        return None
    for name in _NAMES:
        called = [each.get(name) for each in value]
        if all(isinstance(each, str) for each in called) and len(set(called)) == len(called):
            return {str(each[name]): each for each in value}
    return {str(number): each for number, each in enumerate(value)}


def _is_function(value: Mapping[str, Any]) -> bool:
    key = next(iter(value)) if len(value) == 1 else ""
    return key == "Ref" or key.startswith("Fn::")


def _shown(path: str, value: Any) -> str | None:
    if value is None:
        return None
    text = _text(value)
    if _REFERENCE not in text and (_SECRET_NAME.search(path) or _SECRET_VALUE.search(text)):
        return HIDDEN
    if "\n" in text or len(text) > 5 * _LONGEST:
        return f"text of {len(text):,} characters"
    short = _DIGEST.sub(lambda found: f"{found[0][:_SHORT_DIGEST]}…", text)
    # The end of an address tells versions apart as well as its beginning.
    half = _LONGEST // 2
    return short if len(short) <= _LONGEST else f"{short[: half - 1]}…{short[-half:]}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_text(each) for each in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return flatten(value)
