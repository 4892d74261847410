"""A project's own price list: asked from AWS and put beside the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.costing.offers import SOURCE, ask_prices
from forecast_operations.costing.prices import FILE_NAME, PriceBlock, Prices, parse_prices
from forecast_packaging.workspace import write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


def refresh_prices(
    config: Path,
    regions: Sequence[str],
    say: Callable[[str], None],
    cloud_in: Callable[[str], Cloud] = Cloud,
) -> Path:
    """Ask AWS for the prices of regions, and write them to the file beside the configuration.

    Regions of the file that are not asked for keep their prices. The file is replaced in one step,
    and only when every region has been answered.

    Args:
        config: The configuration file.
        regions: The regions.
        say: Told what is read.
        cloud_in: Makes the AWS that is asked.

    Returns:
        The file.

    Raises:
        ForecastError: AWS does not answer, the file that is there is no price list, or it cannot
            be written.
    """
    path = config.resolve().parent / FILE_NAME
    kept: tuple[PriceBlock, ...] = ()
    if path.is_file():
        kept = parse_prices(path.read_text(encoding="utf-8"), str(path)).blocks
    asked = [ask_prices(region, say, cloud_in) for region in dict.fromkeys(regions)]
    blocks = (*(block for block in kept if block.region not in regions), *asked)
    prices = Prices(date=max(block.date for block in blocks), source=SOURCE, blocks=blocks)
    text = prices.model_dump_json(indent=1, exclude_defaults=True) + "\n"
    try:
        write_atomic(path, text.encode())
    except OSError as error:
        raise ForecastError(f"cannot write {path}: {error.strerror}") from None
    return path
