"""The split of a market's days: what the model learns from, is calibrated on and is judged on."""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from produce_market.errors import DataError

SMALLEST_TRAINING_DAYS = 28


@dataclass(frozen=True)
class Split:
    """Consecutive periods of whole days: training, then calibration, then the held-out days."""

    train: pd.DataFrame
    calibration: pd.DataFrame
    held_out: pd.DataFrame

    def periods(self) -> dict[str, str]:
        """First and last day of each period, for the record."""
        return {
            f"{name}_{end}": f"{day:%Y-%m-%d}"
            for name, rows in vars(self).items()
            for end, day in (("from", rows["date"].min()), ("to", rows["date"].max()))
        }


def split_by_time(
    rows: pd.DataFrame, *, calibration_days: int, held_out_days: int, last_date: date
) -> Split:
    """Split rows by their `date`: the last days are held out, those before them calibrate.

    Raises:
        DataError: A period has no row, or the training period is shorter than four weeks.
    """
    held_out_from = pd.Timestamp(last_date - timedelta(days=held_out_days - 1))
    calibration_from = held_out_from - pd.Timedelta(days=calibration_days)
    day = rows["date"]
    split = Split(
        train=rows[day < calibration_from],
        calibration=rows[(day >= calibration_from) & (day < held_out_from)],
        held_out=rows[day >= held_out_from],
    )
    for name, part in vars(split).items():
        if part.empty:
            raise DataError(f"the {name} period has no sale, expected a longer market")
    trained = (calibration_from - split.train["date"].min()).days
    if trained < SMALLEST_TRAINING_DAYS:
        raise DataError(
            f"got {trained} days to train on, expected at least {SMALLEST_TRAINING_DAYS}"
        )
    return split
