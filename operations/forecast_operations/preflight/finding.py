"""Findings: what a check saw, what it should have seen, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True)
class Finding:
    """One condition of a deployment as it was found.

    Attributes:
        check: What was looked at, such as "bootstrap version".
        status: Whether the deployment may go on; `skipped` could not be looked at.
        found: What is there; why it was skipped.
        expected: What should be there; empty where there is nothing to compare with.
        advice: What to do about it; empty where it is fine.
    """

    check: str
    status: Status
    found: str
    expected: str = ""
    advice: str = ""


def ok(check: str, found: str, expected: str = "") -> Finding:
    """A condition that holds."""
    return Finding(check, "ok", found, expected)


def warning(check: str, found: str, expected: str, advice: str) -> Finding:
    """A condition that the deployment survives, but should not meet unnoticed."""
    return Finding(check, "warning", found, expected, advice)


def failed(check: str, found: str, expected: str, advice: str) -> Finding:
    """A condition that the deployment would fail by, often after minutes."""
    return Finding(check, "failed", found, expected, advice)


def skipped(check: str, reason: str, advice: str = "") -> Finding:
    """A condition that could not be looked at."""
    return Finding(check, "skipped", reason, advice=advice)
