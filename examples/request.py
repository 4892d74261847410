"""Print a request for the endpoint: the best-selling items of a market on given days.

Each row holds what was known on the evening before its date.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd

from produce_market.contract import request_document, write_json
from produce_market.errors import DataError
from produce_market.market import Market
from produce_market.panel import forecast_rows
from produce_market.sources import add_market_arguments, count, level, load_market


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; the exit code is 0, or 2 for errors."""
    arguments = _parse(argv)
    try:
        market = load_market(arguments)
        day = market.last_date if arguments.date is None else arguments.date
        days = [day - timedelta(days=back) for back in reversed(range(arguments.last_days))]
        rows = pd.concat([best_sellers(market, each, arguments.items) for each in days])
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    parameters = {"horizon": arguments.horizon, "levels": arguments.levels}
    asked = {name: value for name, value in parameters.items() if value is not None}
    document = request_document(rows) | ({"parameters": asked} if asked else {})
    print(write_json(document), end="")
    return 0


def best_sellers(market: Market, day: date, count: int) -> pd.DataFrame:
    """Rows to forecast a day, of the items sold most in the four weeks before.

    Raises:
        DataError: The day is not within a day of the market's days.
    """
    latest = market.last_date + timedelta(days=1)
    if not market.first_date < day <= latest:
        raise DataError(
            f"got the date {day}, expected one after {market.first_date} and up to {latest}: "
            "later days lack the sales of the evening before"
        )
    return forecast_rows(market, day).nlargest(count, "quantity_mean_28")


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_market_arguments(parser)
    parser.add_argument(
        "--date", type=date.fromisoformat, help="day to forecast (default: the market's last day)"
    )
    parser.add_argument(
        "--last-days", type=count, default=1, help="forecast this many days up to it: %(default)s"
    )
    parser.add_argument(
        "--items", type=count, default=3, help="best sellers per day (default: %(default)s)"
    )
    parser.add_argument(
        "--horizon", type=count, help="ask for this many days from each row (default: one)"
    )
    parser.add_argument(
        "--levels", type=level, nargs="+", help="ask for prediction intervals at these levels"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
