"""Print how good forecasts of several days from one evening are, and what carrying brings."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from forecast_inference.answers.intervals import interval_bounds
from forecast_packaging.training import empirical_coverage
from produce_market.contract import OUTPUTS
from produce_market.errors import DataError
from produce_market.evaluation import evaluate
from produce_market.horizon import CARRY, backtest, step_scores
from produce_market.model import Hyperparameters, predict, train
from produce_market.panel import training_rows
from produce_market.report import stage
from produce_market.sources import add_market_arguments, count, load_market
from produce_market.split import Split, split_by_time

CALIBRATION_DAYS, HELD_OUT_DAYS = 28, 28
LEVEL = 0.9
DAYS_AHEAD = ((1, 1), (2, 4), (5, 7), (8, 14))
CARRIED: dict[str, Mapping[str, str]] = {
    "nothing": {},
    "quantity (served)": CARRY,
    "quantity and price": {**CARRY, "unit_price": "forecasted_price"},
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; the exit code is 0, or 2 for errors."""
    arguments = _parse(argv)
    console = Console()
    try:
        market = load_market(arguments)
        split = split_by_time(
            training_rows(market),
            calibration_days=CALIBRATION_DAYS,
            held_out_days=HELD_OUT_DAYS,
            last_date=market.last_date,
        )
        categories = tuple(market.items.index)
        settings = Hyperparameters(seed=arguments.seed, rounds=arguments.rounds)
        with stage(console, f"train on {len(split.train):,} rows"):
            booster = train(split.train, categories, settings)
        forecasts = {}
        for name, carry in CARRIED.items():
            with stage(console, f"forecast from {arguments.evenings} evenings, {name} carried"):
                forecasts[name] = backtest(
                    booster,
                    market,
                    split,
                    evenings=arguments.evenings,
                    steps=DAYS_AHEAD[-1][1],
                    carry=carry,
                )
        calibration = predict(booster, split.calibration, categories)
        held_out = predict(booster, split.held_out, categories)
        intervals = evaluate(split, calibration, held_out, LEVEL).intervals["outputs"]
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    console.print(_table(forecasts, split, intervals))
    return 0


def _table(
    forecasts: Mapping[str, pd.DataFrame], split: Split, intervals: Mapping[str, Any]
) -> Table:
    table = Table(title="WAPE by what is carried, and coverage of what is served")
    for heading in ("days ahead", "target", *forecasts, f"coverage at {LEVEL:.0%}"):
        table.add_column(heading, justify="right")
    for first, last in DAYS_AHEAD:
        parts = {
            name: rows[rows["step"].between(first - 1, last - 1)]
            for name, rows in forecasts.items()
        }
        scores = {name: step_scores(part) for name, part in parts.items()}
        for output in OUTPUTS:
            cells = [f"{score[output.target]:.1%}" for score in scores.values()]
            served = parts["quantity (served)"]
            lower, upper = interval_bounds(
                intervals[output.name],
                LEVEL,
                served[output.name].to_numpy(),
                minimum=output.minimum,
            )
            coverage = empirical_coverage(
                served[output.target],
                lower,
                upper,
                LEVEL,
                calibration_rows=len(split.calibration),
            )
            days = f"{first}" if first == last else f"{first} to {last}"
            table.add_row(days, output.target, *cells, f"{coverage.share:.1%}")
        table.add_section()
    return table


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_market_arguments(parser)
    parser.add_argument("--rounds", type=count, default=Hyperparameters.rounds, help="of boosting")
    parser.add_argument(
        "--evenings", type=count, default=15, help="to forecast from (default: %(default)s)"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
