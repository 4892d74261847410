"""Lengths of a history that can be planned from."""

from __future__ import annotations

MIN_DAYS = 7
"""Shortest history that a week can be planned from."""

MAX_DAYS = 1100
"""Longest history that is taken for meant: three years."""
