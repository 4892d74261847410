"""Train the reference model on a produce market and register it in MLflow."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import xgboost as xgb
from rich.console import Console

from forecast_packaging.training import profile
from produce_market.contract import feature_frame, request_columns, serving_document
from produce_market.errors import DataError, RegistrationError
from produce_market.evaluation import (
    BASELINES,
    Evaluation,
    evaluate,
    evaluate_baseline,
    lost_targets,
)
from produce_market.market import Market
from produce_market.model import Hyperparameters, predict, train
from produce_market.panel import training_rows
from produce_market.registration import (
    Registration,
    TrainingRecord,
    alias_name,
    check_place,
    model_name,
    register,
)
from produce_market.report import score_table, stage
from produce_market.sources import add_market_arguments, count, level, load_market
from produce_market.split import Split, split_by_time

EXAMPLE_ROWS = 5
MODEL, SEASONAL_NAIVE, LAST_VALUE = "model", "seasonal naive", "last value"


@dataclass(frozen=True)
class Training:
    """What a training has made, before it is registered."""

    market: Market
    categories: tuple[str, ...]
    split: Split
    booster: xgb.Booster
    evaluations: dict[str, Evaluation]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; the exit code is 0, 1 for a model worse than required, or 2."""
    arguments = _parse(argv)
    console = Console()
    try:
        check_place(arguments.tracking_uri)
        training = fit(arguments, console)
        improved = _tell_scores(training, arguments.level, console)
        if arguments.require_improvement and not improved:
            print("error: nothing was registered (--require-improvement)", file=sys.stderr)
            return 1
        with stage(console, "log and register in MLflow"):
            registered = _register(training, arguments)
    except (DataError, RegistrationError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(
        f"registered {registered.name} version {registered.version} as "
        f"@{registered.alias} in {registered.tracking_uri} (run {registered.run_id})"
    )
    return 0


def _tell_scores(training: Training, level: float, console: Console) -> bool:
    """Print the scores; returns whether the model beats the seasonal-naive forecast."""
    console.print(score_table(training.evaluations, level))
    model = training.evaluations[MODEL]
    improved = not lost_targets(model, training.evaluations[SEASONAL_NAIVE])
    for name in (SEASONAL_NAIVE, LAST_VALUE):
        lost = lost_targets(model, training.evaluations[name])
        if lost:
            print(f"warning: the {name} forecast has a lower WAPE for {' and '.join(lost)}")
    if improved:
        print("the model beats the seasonal-naive forecast on both targets")
    return improved


def fit(arguments: argparse.Namespace, console: Console) -> Training:
    """Load a market, train on its past, calibrate and evaluate.

    Raises:
        DataError: The market's files are missing, malformed or too short.
    """
    settings = Hyperparameters(seed=arguments.seed, rounds=arguments.rounds)
    with stage(console, f"load {arguments.data or 'a generated market'}"):
        market = load_market(arguments)
    with stage(console, f"features of {len(market.sales):,} item-days"):
        rows = training_rows(market)
        split = split_by_time(
            rows,
            calibration_days=arguments.calibration_days,
            held_out_days=arguments.held_out_days,
            last_date=market.last_date,
        )
    categories = tuple(market.items.index)
    with stage(console, f"train {settings.rounds} rounds on {len(split.train):,} rows"):
        booster = train(split.train, categories, settings)
    with stage(console, f"evaluate on {len(split.held_out):,} held-out rows"):
        model = evaluate(
            split,
            predict(booster, split.calibration, categories),
            predict(booster, split.held_out, categories),
            arguments.level,
        )
        baselines = [evaluate_baseline(split, name, arguments.level) for name in BASELINES]
    names = (MODEL, SEASONAL_NAIVE, LAST_VALUE)
    evaluations = dict(zip(names, (model, *baselines), strict=True))
    return Training(market, categories, split, booster, evaluations)


def _register(training: Training, arguments: argparse.Namespace) -> Registration:
    example = _example_rows(training.split.held_out)
    model = training.evaluations[MODEL]
    serving = serving_document(training.categories, model.intervals, example)
    record = TrainingRecord(
        params=_params(training, arguments),
        metrics=model.scores
        | _prefixed("baseline", training.evaluations[SEASONAL_NAIVE])
        | _prefixed("last_value", training.evaluations[LAST_VALUE]),
        documents={
            "serving.json": serving,
            "training_profile.json": profile(request_columns(training.split.train)),
            "calibration.json": _calibration(training),
            "baseline.json": _baseline(training),
        },
        data_version=training.market.digest(),
        example=feature_frame(example, training.categories),
    )
    return register(
        training.booster,
        record,
        tracking_uri=arguments.tracking_uri,
        experiment=arguments.experiment,
        name=arguments.name,
        alias=arguments.alias,
    )


def _example_rows(held_out: pd.DataFrame) -> pd.DataFrame:
    """Rows of the last held-out day, of items that are sold a lot."""
    last = held_out[held_out["date"] == held_out["date"].max()]
    return last.nlargest(EXAMPLE_ROWS, "quantity_mean_28")


def _params(training: Training, arguments: argparse.Namespace) -> dict[str, Any]:
    settings = Hyperparameters(seed=arguments.seed, rounds=arguments.rounds)
    return {
        **asdict(settings),
        **training.split.periods(),
        "data": "generated" if arguments.data is None else arguments.data.name,
        "items": len(training.categories),
        "training_rows": len(training.split.train),
    }


def _prefixed(prefix: str, evaluation: Evaluation) -> dict[str, float]:
    return {f"{prefix}_{name}": value for name, value in evaluation.scores.items()}


def _calibration(training: Training) -> dict[str, Any]:
    rows = training.split.calibration
    return {
        "method": "split conformal, two-sided, finite-sample quantiles",
        "from": f"{rows['date'].min():%Y-%m-%d}",
        "to": f"{rows['date'].max():%Y-%m-%d}",
        "rows": len(rows),
        **training.evaluations[MODEL].intervals,
    }


def _baseline(training: Training) -> dict[str, Any]:
    return {
        "baseline": "the value seven days before, else the last known value of the item",
        "last_value": "the last known value of the item",
        "held_out": {
            "model": training.evaluations[MODEL].scores,
            "baseline": training.evaluations[SEASONAL_NAIVE].scores,
            "last_value": training.evaluations[LAST_VALUE].scores,
        },
    }


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_market_arguments(parser)
    parser.add_argument(
        "--tracking-uri",
        default="sqlite:///mlflow.db",
        help="MLflow's; a relative path starts at the working directory (default: %(default)s)",
    )
    parser.add_argument("--experiment", default="produce-market", help="default: %(default)s")
    parser.add_argument(
        "--name",
        type=model_name,
        default="chinese_produce_forecaster",
        help="registered model: %(default)s",
    )
    parser.add_argument(
        "--alias",
        type=alias_name,
        default="champion",
        help="moved to the new version: %(default)s",
    )
    parser.add_argument("--rounds", type=count, default=Hyperparameters.rounds, help="of boosting")
    parser.add_argument("--calibration-days", type=count, default=28)
    parser.add_argument("--held-out-days", type=count, default=28)
    parser.add_argument(
        "--level", type=level, default=0.9, help="share that intervals cover unasked"
    )
    parser.add_argument(
        "--require-improvement",
        action="store_true",
        help="register nothing and exit with 1 when the seasonal-naive forecast is better",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
