"""Markets small enough to train on in a test, and the real one where it is at hand."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from produce_market.layout import MarketTables
    from produce_market.market import Market

ROOT = Path(__file__).resolve().parents[3]
# The examples are scripts beside a package, not part of the distribution.
sys.path.insert(0, str(ROOT / "examples"))


@pytest.fixture(scope="session")
def tables() -> "MarketTables":
    from produce_market.generator import generate  # noqa: PLC0415  # needs the path above

    return generate(days=420, items=24, seed=3)


@pytest.fixture(scope="session")
def market(tables: "MarketTables") -> "Market":
    from produce_market.market import Market  # noqa: PLC0415  # needs the path above

    return Market.from_tables(tables)


@pytest.fixture(scope="session")
def real_folder() -> Path:
    default = ROOT.parent / "shared" / "data" / "supermarket_cn"
    folder = Path(os.environ.get("FORECAST_MARKET_DATA", default))
    if not folder.is_dir():
        pytest.skip("the real market is not on this machine (FORECAST_MARKET_DATA)")
    return folder
