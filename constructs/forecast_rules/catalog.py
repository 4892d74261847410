"""What each rule is, why it is there and where that is written; its examples are its tests."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

Severity = Literal["error", "warning"]

GROUPS = ("rollout", "endpoint", "serverless", "async", "scaling", "alarm", "security", "deletion")
"""Folders of rules, in the order in which a person reads them."""

_ENGINE_SEVERITIES: dict[Severity, str] = {"error": "ERROR", "warning": "WARN"}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule and all that is known of it.

    Attributes:
        rule_id: Its id, by which it is acknowledged and explained.
        group: The folder it is in.
        title: What it finds, in a few words.
        severity: An error ends a synth; a warning is something that AWS accepts.
        reason: What happens when it is not followed.
        source: Where that is written.
        url: Address of the source.
        fix: What to do instead.
        companions: Other rules that its failing example breaks, too.
        rego: The rule itself.
        passing: A template that keeps it.
        failing: A template that breaks it.
    """

    rule_id: str
    group: str
    title: str
    severity: Severity
    reason: str
    source: str
    url: str
    fix: str
    companions: tuple[str, ...]
    rego: str
    passing: str
    failing: str


@cache
def rules() -> tuple[Rule, ...]:
    """All rules, by group and number."""
    return tuple(rule for group in GROUPS for rule in _read_group(_folder().joinpath(group), group))


def find_rule(rule_id: str) -> Rule | None:
    """The rule of an id, however it is capitalised; None when there is none."""
    return next((rule for rule in rules() if rule.rule_id == rule_id.upper()), None)


@cache
def rego_sources() -> tuple[tuple[str, str], ...]:
    """Name and content of every Rego module that an engine needs to run the rules."""
    library = _folder().joinpath("library.rego").read_text("utf-8")
    return (
        ("catalog.rego", _catalog_module()),
        ("library.rego", library),
        *((f"{rule.rule_id}.rego", rule.rego) for rule in rules()),
    )


def _folder() -> Traversable:
    return files("forecast_rules").joinpath("rules")


def _read_group(folder: Traversable, group: str) -> list[Rule]:
    catalog = tomllib.loads(folder.joinpath("catalog.toml").read_text("utf-8"))

    def text(name: str) -> str:
        return folder.joinpath(name).read_text("utf-8")

    return [
        Rule(
            rule_id=rule_id,
            group=group,
            companions=tuple(entry.pop("also", ())),
            rego=text(f"{rule_id}.rego"),
            passing=text(f"{rule_id}.passing.yaml"),
            failing=text(f"{rule_id}.failing.yaml"),
            **entry,
        )
        for rule_id, entry in catalog.items()
    ]


def _catalog_module() -> str:
    # The rules look up here what the catalog says, so that it is written once.
    entries = {
        rule.rule_id: {
            "severity": _ENGINE_SEVERITIES[rule.severity],
            "fix": rule.fix,
            "url": rule.url,
        }
        for rule in rules()
    }
    return f"package forecast\n\nimport rego.v1\n\ncatalog := {json.dumps(entries, indent=2)}\n"
