"""What a request asks for, once it is read and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecast_inference.errors import RequestError

NOTHING: Mapping[Any, Any] = {}


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a request asks for beside its rows.

    Attributes:
        levels: levels of the prediction intervals wanted; ``None`` asks for the default one.
        horizon: steps to forecast from each row; ``None`` asks for the row itself only.
    """

    levels: tuple[float, ...] | None = None
    horizon: int | None = None


PLAIN = Parameters()


@dataclass(slots=True)
class Batch:
    """The rows of one request.

    Attributes:
        count: rows asked for, before any horizon.
        blocks: the checked inputs of the rows that get a prediction: see ``columns.Block``; with a
            horizon those of all steps of a row, then those of the next.
        parameters: what else is asked for.
        refused: the error of each row that gets none, by its index in the request.
        adjusted: what was changed of a row, by its index in the request: pairs of ``clipped`` or
            ``imputed`` and the input's name.
        out_of_range: values outside the range of their input, by input; also those accepted.
        dates: with a horizon, the date of each prediction as ``YYYY-MM-DD``.
        row: the plain values of a single row, see ``single.CheckedRow``; there are no blocks then,
            as arrays would cost more than the arithmetic.
    """

    count: int
    blocks: Sequence[Any]
    parameters: Parameters = PLAIN
    refused: Mapping[int, RequestError] = field(default_factory=lambda: NOTHING)
    adjusted: Mapping[int, Sequence[tuple[str, str]]] = field(default_factory=lambda: NOTHING)
    out_of_range: Mapping[str, int] = field(default_factory=lambda: NOTHING)
    dates: Sequence[str] = ()
    row: tuple[Any, ...] | None = None

    @property
    def predicted_count(self) -> int:
        """Predictions to make: every step of every row that is not refused."""
        return (self.count - len(self.refused)) * (self.parameters.horizon or 1)
