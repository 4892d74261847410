"""States of the Amazon States Language that the off hours are made of, as plain data.

JSONPath throughout. What an execution knows stands in its input: `$.round` counts rounds and
failures and says what the alarms match, `$.wanted` and `$.seen` are the last looks at the wish and
the endpoint, `$.error` is what failed last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

State = dict[str, Any]

CALL_TIMEOUT_SECONDS = 60
"""Time that one call of AWS may take; all of them answer at once, whatever they set off."""

RETRIES = 5
"""Further attempts of a call, after at most 2, 4, 8, 16 and 32 seconds."""

_ANYTHING = ["States.ALL"]
_COUNTED = ("number", "failures", "settled")


def call(
    integration: str,
    parameters: Mapping[str, Any],
    *,
    then: str,
    on_error: str = "CountFailure",
    keep: Mapping[str, str] | None = None,
    at: str = "$.answer",
    retries: int = RETRIES,
) -> State:
    """A call of AWS, tried again after any error, as throttling has no name that all services use.

    Args:
        integration: ARN of the service integration, or a substitution for it.
        parameters: Those of the call.
        then: The next state.
        on_error: The next state when it stays refused; the error then stands in `$.error`.
        keep: What of the answer is kept; default: all of it.
        at: Path that it is kept at. Null, which would throw it away, is lost in a template.
        retries: Further attempts.
    """
    state: State = {
        "Type": "Task",
        "Resource": integration,
        "Parameters": dict(parameters),
        "TimeoutSeconds": CALL_TIMEOUT_SECONDS,
        "ResultPath": at,
        "Catch": [{"ErrorEquals": _ANYTHING, "ResultPath": "$.error", "Next": on_error}],
        "Next": then,
    }
    if keep is not None:
        state["ResultSelector"] = dict(keep)
    if retries:
        state["Retry"] = [
            {
                "ErrorEquals": _ANYTHING,
                "IntervalSeconds": 2,
                "BackoffRate": 2,
                "MaxAttempts": retries,
                "JitterStrategy": "FULL",
            }
        ]
    return state


def choice(*rules: State, otherwise: str) -> State:
    """The first rule that holds says where to go."""
    return {"Type": "Choice", "Choices": list(rules), "Default": otherwise}


def put(value: Any, at: str, *, then: str) -> State:
    """A constant, kept at a path."""
    return {"Type": "Pass", "Result": value, "ResultPath": at, "Next": then}


def count(what: str, *, then: str) -> State:
    """One more round (`number`) or failure (`failures`)."""
    return {
        "Type": "Pass",
        "Parameters": {
            f"{name}.$": f"States.MathAdd($.round.{name}, 1)" if name == what else f"$.round.{name}"
            for name in _COUNTED
        },
        "ResultPath": "$.round",
        "Next": then,
    }


def is_any_of(variable: str, values: Sequence[str]) -> State:
    """The condition that a string is one of several."""
    return {"Or": [{"Variable": variable, "StringEquals": value} for value in values]}


def cause_is_like(pattern: str) -> State:
    """The condition that the last error reads so.

    Errors that an API does not model, such as an endpoint that is not there, all have one name and
    differ by their text alone.
    """
    return {
        "And": [
            {"Variable": "$.error.Cause", "IsPresent": True},
            {"Variable": "$.error.Cause", "StringMatches": pattern},
        ]
    }
