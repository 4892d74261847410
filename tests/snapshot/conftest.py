"""The synthesized samples, shared with the tests of the constructs."""

from __future__ import annotations

from synthesis import *  # noqa: F403 - fixtures are found by being here
