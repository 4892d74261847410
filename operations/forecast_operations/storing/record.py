"""One line of the inventory, and the resource that it is read from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from forecast_operations.synthesis.references import short_id
from forecast_operations.synthesis.templates import flatten

UNKNOWN = "unknown: check"
AWS_OWNED = "a key that AWS owns"


@dataclass(frozen=True, kw_only=True)
class Record:
    """One thing that is stored.

    Attributes:
        what: What it is.
        where: Bucket and prefix, log group, queue and so on.
        personal: Whether personal data can be in it, and which.
        encryption: What it is encrypted with.
        kept: How long it is kept.
        on_deletion: What becomes of it when its stack is deleted.
        stack: The template that it is read from.
        logical_id: The resource in it.
        resource_type: Type of the resource.
    """

    what: str
    where: str
    personal: str
    encryption: str
    kept: str
    on_deletion: str
    stack: str
    logical_id: str
    resource_type: str


@dataclass(frozen=True)
class Stored:
    """A resource of a template.

    Attributes:
        stack: Name of the template.
        logical_id: Id in the template.
        body: Its type, properties and policies.
        exports: What the templates that are read together export, by name.
    """

    stack: str
    logical_id: str
    body: dict[str, Any]
    exports: dict[str, str] = field(default_factory=dict)

    @property
    def resource_type(self) -> str:
        """Its type."""
        return str(self.body["Type"])

    @property
    def properties(self) -> dict[str, Any]:
        """Its properties."""
        found: dict[str, Any] = self.body.get("Properties", {})
        return found

    @property
    def readable_id(self) -> str:
        """Its logical id without the digits that tell nothing."""
        return short_id(self.logical_id)

    @property
    def is_kept(self) -> bool:
        """Whether it outlives its stack (DeletionPolicy)."""
        return self.body.get("DeletionPolicy") in {"Retain", "RetainExceptOnCreate", "Snapshot"}

    def text(self, name: str, default: str = "") -> str:
        """A property as text."""
        return self.shown(self.properties.get(name, default))

    def shown(self, value: Any) -> str:
        """A value as text, with what is imported from another template filled in."""
        if isinstance(value, dict) and "Fn::ImportValue" in value:
            name = flatten(value["Fn::ImportValue"])
            return self.exports.get(name, f"<{name}>")
        return flatten(value)

    def key(self, value: Any) -> str:
        """A KMS key in words: `KMS key EncryptionKey`; what AWS owns without one."""
        if not value:
            return AWS_OWNED
        shown = self.shown(value)
        if shown.startswith("<"):
            return f"KMS key {short_id(shown.strip('<>').partition('.')[0])}"
        return f"KMS key {shown.rpartition('/')[2]}"

    def name(self, property_name: str) -> str:
        """Its name; in brackets the logical id of what is named at deployment."""
        return self.text(property_name) or f"<{self.readable_id}>"

    def record(self, **columns: str) -> Record:
        """A line about it; its stack's deletion deletes it unless a column says otherwise."""
        known = {"on_deletion": "kept" if self.is_kept else "deleted", "personal": "no"}
        return Record(
            **{**known, **columns},
            stack=self.stack,
            logical_id=self.logical_id,
            resource_type=self.resource_type,
        )
