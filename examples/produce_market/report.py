"""What the training script tells: progress by stage, and a table of scores."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from produce_market.contract import OUTPUTS
from produce_market.evaluation import Evaluation

_MEASURES = (
    ("wape", "WAPE", "{:.1%}"),
    ("mase", "MASE", "{:.3f}"),
    ("bias", "bias", "{:+.1%}"),
    ("coverage", "coverage", "{:.1%}"),
    ("interval_width", "width", "{:.2f}"),
)


@contextmanager
def stage(console: Console, title: str) -> Iterator[None]:
    """One line when the stage has ended, with its seconds."""
    start = time.perf_counter()
    yield
    console.print(
        f"{title:<58} {time.perf_counter() - start:6.1f} s", highlight=False, soft_wrap=True
    )


def score_table(evaluations: Mapping[str, Evaluation], level: float) -> Table:
    """The scores on the held-out days, one row per target and way to forecast."""
    table = Table(title=f"Held-out days; prediction intervals for {level:.0%}")
    table.add_column("target", no_wrap=True)
    table.add_column("forecast", no_wrap=True)
    for _, heading, _ in _MEASURES:
        table.add_column(heading, justify="right")
    for output in OUTPUTS:
        target = output.target
        for name, evaluation in evaluations.items():
            cells = (
                form.format(evaluation.scores[f"{target}_{key}"]) for key, _, form in _MEASURES
            )
            table.add_row(f"{target}, {output.unit}", name, *cells)
        table.add_section()
    return table
