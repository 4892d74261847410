"""Several steps from one row: rows continued into the future before they are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from forecast_inference.contract.values import date_text, days_of
from forecast_inference.errors import RequestError
from forecast_inference.requests.columns import settle
from forecast_inference.requests.single import bounds_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecast_inference.contract.horizon import HorizonSpec
    from forecast_inference.contract.inputs import InputSpec
    from forecast_inference.requests.columns import Block, Findings, Group
    from forecast_inference.requests.rows import Row

_LAST_DAY: Final = days_of("9999-12-31")


class RowExtender:
    """Makes the rows of all steps of a row.

    Args:
        horizon: how a row is continued.
        order: the inputs in the order of a row's values.
    """

    def __init__(self, horizon: HorizonSpec, order: Sequence[InputSpec]) -> None:
        self._horizon = horizon
        self._names = [spec.name for spec in order]
        self.date = self._names.index(horizon.date_input)
        fixed = {horizon.date_input, *horizon.carry}
        self._fillers = [
            bounds_of(spec)[0] if spec.name in horizon.carry else None for spec in order
        ]
        self._listable = [name not in fixed for name in self._names]

    def extend(self, row: Row, index: int, steps: int) -> list[Row] | RequestError:
        """The rows of each step, the row itself first, or why there are none.

        A value that is a list holds one value for each step. What is no value of its input stays as
        it is, for the check of the rows to refuse.
        """
        columns = []
        for name, value, listable, filler in zip(
            self._names, row, self._listable, self._fillers, strict=True
        ):
            if listable and type(value) is list:
                if len(value) != steps:
                    return RequestError(
                        f"expected one value or a list of {steps}, one for each step, got a list "
                        f"of {len(value)}",
                        code="invalid_steps",
                        row=index,
                        feature=name,
                    )
                columns.append(value)
            elif filler is not None:
                # Its later values come from the steps before: what was sent counts once.
                columns.append([value] + [filler] * (steps - 1))
            else:
                columns.append([value] * steps)
        try:
            columns[self.date] = self._dates(row[self.date], index, steps)
        except RequestError as error:
            return error
        return list(zip(*columns, strict=True))

    def _dates(self, first: Any, index: int, steps: int) -> list[Any]:
        name = self._horizon.date_input
        if first is None:
            raise RequestError(
                "expected the date of the first step, got null",
                code="null_value",
                row=index,
                feature=name,
            )
        try:
            start = days_of(first) if type(first) is str else None
        except ValueError:
            start = None
        if start is None:
            return [first] * steps
        step = self._horizon.step_days
        if start + (steps - 1) * step > _LAST_DAY:
            raise RequestError(
                "the last step is after 9999-12-31", code="invalid_date", row=index, feature=name
            )
        return [date_text(start + number * step) for number in range(steps)]


def blocks_of_step(
    groups: Sequence[Group],
    blocks: Sequence[Block],
    place: slice,
    carried: Mapping[str, Sequence[float]],
    findings: Findings,
) -> list[Any]:
    """The blocks of one step of every row, with the values that come from the step before.

    Args:
        groups: the groups of the blocks.
        blocks: the blocks of all steps.
        place: where the rows of the step are.
        carried: values in place of those sent, by input; the policy of its range applies.
        findings: what the policies found is added to it.
    """
    found: list[Any] = []
    for group, block in zip(groups, blocks, strict=True):
        columns: list[Any] = []
        for spec, column in zip(group.inputs, block, strict=True):
            values = carried.get(spec.name)
            if values is None:
                columns.append(column[place])
                continue
            taken = np.array(values, dtype=np.float64)
            if spec.has_range:
                settle(spec, taken, findings)
            columns.append(taken)
        found.append(columns)
    return found
