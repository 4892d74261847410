"""Horizons: several steps forecast from one row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.contract.reading import take, take_choice
from forecast_inference.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from forecast_inference.contract.inputs import InputSpec

STEP_DAYS: Final = {"day": 1, "week": 7}


@dataclass(frozen=True, slots=True)
class HorizonSpec:
    """How a row is continued into the future.

    Attributes:
        date_input: the input that moves on with every step.
        step_days: days from one step to the next.
        maximum: most steps in one request.
        carry: inputs that take the named output of the step before.
    """

    date_input: str
    step_days: int
    maximum: int
    carry: Mapping[str, str]


def read_horizon(
    entry: Any, inputs: Mapping[str, InputSpec], outputs: Collection[str]
) -> HorizonSpec | None:
    """The horizon of its JSON document; ``None`` when there is none.

    Raises:
        ArtifactError: it names inputs or outputs that are none or of another type.
    """
    if entry is None:
        return None
    take(entry, "horizon", {"date_input", "maximum"}, {"step", "carry"})
    date_input, maximum = entry["date_input"], entry["maximum"]
    moved = inputs.get(date_input) if isinstance(date_input, str) else None
    if moved is None or moved.type != "date":
        raise ArtifactError(
            f"horizon: date_input is {date_input!r}, expected an input of type date"
        )
    if not isinstance(maximum, int) or isinstance(maximum, bool) or maximum < 1:
        raise ArtifactError(f"horizon: maximum is {maximum!r}, expected a whole number above 0")
    step = take_choice({"step": "day", **entry}, "step", "horizon", STEP_DAYS)
    carry = take(entry.get("carry", {}), "horizon: carry", (), inputs)
    for name, output in carry.items():
        if inputs[name].type not in {"float", "double"}:
            raise ArtifactError(f"horizon carries into {name!r}, which is no double or float")
        if inputs[name].out_of_range == "refuse":
            raise ArtifactError(
                f"horizon carries into {name!r}, whose out_of_range is 'refuse': no client can "
                "correct an output, expected accept, clip or impute"
            )
        if not isinstance(output, str) or output not in outputs:
            raise ArtifactError(
                f"horizon carries {output!r} into {name!r}, expected one of {', '.join(outputs)}"
            )
    return HorizonSpec(date_input, STEP_DAYS[step], maximum, carry)
