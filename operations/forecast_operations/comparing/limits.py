"""What a comparison asks for unless it is told otherwise; without numpy, for the command line."""

from __future__ import annotations

from typing import Literal

from forecast_config.advice import COMPARED_DATES

Loss = Literal["absolute", "squared"]
"""What an error costs: its size, or its square."""

SINCE = "24h"
"""How far back."""

MIN_SAMPLES = COMPARED_DATES
"""Time points below which nothing is said.

With fewer the weighted periodogram has two frequencies or less: with 27 it is the first to have
three (m is the cube root), and Student's t six degrees of freedom, below which only differences
are found that a chart shows anyway.
"""

LEAST_SAMPLES = 10
"""Fewest time points that may be asked for."""

LIMIT = 100_000
"""Captured requests of each variant."""

TOP = 10
"""Items that are listed."""
