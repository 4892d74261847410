"""The rows of a JSON answer, with a slot for each number."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_inference.contract.schema import FeatureSchema
    from forecast_inference.errors import RequestError

_ADJUSTMENTS_KEPT: Final = 256


class JsonRows:
    """Predictions as JSON objects: the outputs, their intervals, and what the answer comes from.

    Args:
        schema: the outputs and their intervals.
        model_version: the version that every prediction names.
        levels: the levels asked for; ``None`` for the default one.
    """

    def __init__(
        self, schema: FeatureSchema, model_version: str, levels: Sequence[float] | None
    ) -> None:
        outputs = [f"{_text(output.name)}:%s" for output in schema.outputs]
        if levels is not None:
            intervals = ",".join([_interval(schema, level) for level in levels])
            outputs.append(f'"confidence_intervals":[{intervals}]')
        elif schema.default_level is not None:
            outputs.append(f'"confidence_interval":{_interval(schema, schema.default_level)}')
        self._numbers = ",".join(outputs)
        self._version = f',"model_version":{_text(model_version)},"prediction_timestamp":"'
        date = "" if schema.horizon is None else schema.horizon.date_input
        self._date_key = _text(date)

    def row(
        self,
        timestamp: str,
        index: tuple[int, str] | None = None,
        adjusted: Sequence[tuple[str, str]] = (),
    ) -> str:
        """A prediction.

        Args:
            timestamp: the UTC time of the prediction, in ISO 8601.
            index: the row of the request and the date, when each row has several.
            adjusted: what was changed of the row, as pairs of an action and a feature.
        """
        place = "" if index is None else f'"row":{index[0]},{self._date_key}:"{index[1]}",'
        changes = f',"adjusted":{escaped(adjustments(tuple(adjusted)))}' if adjusted else ""
        return f'{{{place}{self._numbers}{changes}{self._version}{timestamp}"}}'

    @staticmethod
    def refusal(error: RequestError, _: int | None = None) -> str:
        """What stands in the place of a prediction that there is none of."""
        return escaped(json.dumps(error.document(), separators=(",", ":")))


@lru_cache(_ADJUSTMENTS_KEPT)
def adjustments(adjusted: tuple[tuple[str, str], ...]) -> str:
    """The JSON list of what was changed of a row; the same again and again in most requests."""
    entries: list[Any] = [{"feature": name, "action": action} for action, name in adjusted]
    return json.dumps(entries, separators=(",", ":"))


def escaped(text: str) -> str:
    """Text for a template: as it is, without a slot."""
    return text.replace("%", "%%")


def _interval(schema: FeatureSchema, level: float) -> str:
    bounds = [
        f"{_text(output.name)}:[%s,%s]"
        for output in schema.outputs
        if output.name in schema.intervals
    ]
    return "{" + ",".join([f'"level":{level!r}', *bounds]) + "}"


def _text(text: str) -> str:
    return escaped(json.dumps(text))
