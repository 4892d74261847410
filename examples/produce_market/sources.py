"""Where a script's market comes from: a folder in the original layout, or the generator."""

import argparse
from pathlib import Path

from produce_market.errors import DataError
from produce_market.generator import generate
from produce_market.layout import read_tables
from produce_market.market import Market

DEFAULT_DAYS, DEFAULT_ITEMS, DEFAULT_SEED = 900, 80, 7


def add_market_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the market; training and requests share them."""
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="a market in the original layout; else generated"
    )
    for name, default, purpose in (
        ("--days", DEFAULT_DAYS, "generated days"),
        ("--generated-items", DEFAULT_ITEMS, "generated items"),
        ("--seed", DEFAULT_SEED, "of the generator and the model"),
    ):
        parser.add_argument(
            name, type=count, default=default, help=f"{purpose} (default: %(default)s)"
        )


def count(text: str) -> int:
    """The whole number above zero that an option gives.

    Raises:
        argparse.ArgumentTypeError: It is something else.
    """
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number above zero")
    return int(text)


def level(text: str) -> float:
    """The share between 0 and 1 that an option gives.

    Raises:
        argparse.ArgumentTypeError: It is something else.
    """
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"got {text}, expected a share between 0 and 1")
    return share


def load_market(arguments: argparse.Namespace) -> Market:
    """The market that the options choose.

    Raises:
        DataError: The folder is not a market in the original layout, or the generator's options
            are outside its limits.
    """
    if arguments.data is not None:
        return Market.from_tables(read_tables(arguments.data))
    try:
        tables = generate(days=arguments.days, items=arguments.generated_items, seed=arguments.seed)
    except ValueError as error:
        raise DataError(str(error)) from error
    return Market.from_tables(tables)
