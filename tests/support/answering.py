"""A client of AWS that answers what a test says, and takes and gives only what the API has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import xform_name
from botocore.validate import ParamValidator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Client:
    """Answers each operation with what it was given; a function is asked, an exception raised.

    Requests and answers must be such as the API of the service has them, by botocore's own models:
    a parameter of another name, or an answer that AWS never gives, fails the test.

    Attributes:
        called: Operations that were called, in order.
    """

    def __init__(self, service: str, answers: Any = None, **named: Any) -> None:
        """Answer for a service.

        Args:
            service: The service, as boto3 calls it.
            answers: Something with a method for each operation; it is asked at each call, so that
                a test may change it.
            **named: Answers by operation instead.
        """
        self._service = service
        self._answers = named if answers is None else answers
        self.called: list[str] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        model = _operations(self._service)[operation]

        def answer(**given: Any) -> Any:
            self.called.append(operation)
            if model.input_shape is not None:
                _check(given, model.input_shape)
            found = self._found(operation)
            found = found(**given) if callable(found) else found
            if isinstance(found, Exception):
                raise found
            if model.output_shape is not None:
                _check(found, model.output_shape, whole=False)
            return found

        return answer

    def get_paginator(self, operation: str) -> Any:
        """The operation's answer as the only page."""
        ask = getattr(self, operation)

        class Pages:
            def paginate(self, **given: Any) -> Iterator[Any]:
                yield ask(**given)

        return Pages()

    def _found(self, operation: str) -> Any:
        answers = self._answers
        return answers[operation] if isinstance(answers, Mapping) else getattr(answers, operation)


@cache
def _operations(service: str) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): model.operation_model(name) for name in model.operation_names}


def _check(values: Any, shape: Any, *, whole: bool = True) -> None:
    """Refuse what is no value of a shape of the API; an answer may leave out what is required."""
    # botocore gives no other way to the single errors.
    errors = ParamValidator().validate(values, shape)._errors
    wrong = [each for each in errors if whole or each[0] != "missing required field"]
    assert wrong == [], f"{shape.name}: {wrong}"
