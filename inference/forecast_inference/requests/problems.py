"""What a client is told of a request whose shape is wrong."""

from __future__ import annotations

import re
from typing import Final

from forecast_inference.errors import PayloadTooLargeError, RequestError
from forecast_inference.requests.content import MAX_ROWS

_NAME: Final = re.compile(r"[\w .-]{1,64}")
"""Letters of any script, digits and what joins them: a key, and no value put in its place."""


def shown(key: str) -> str | None:
    """A client's own key as an answer may repeat it; ``None`` when it does not look like a name."""
    return key if _NAME.fullmatch(key) else None


def missing(name: str, row: int | None = None) -> RequestError:
    """A feature that a row, or the whole table, does not have."""
    return RequestError(
        "the feature is missing, every row needs it", code="missing_feature", row=row, feature=name
    )


def unexpected(name: str, row: int | None = None) -> RequestError:
    """A key or a column that the contract does not know."""
    return RequestError(
        "the key is not expected, leave it out", code="unexpected_key", row=row, feature=shown(name)
    )


def invalid_row(message: str, row: int) -> RequestError:
    """A row that has not the shape of one."""
    return RequestError(message, code="invalid_row", row=row)


def no_rows() -> RequestError:
    """A request without rows."""
    return RequestError("there are no rows, expected at least one", code="no_instances")


def too_many_rows(found: str) -> PayloadTooLargeError:
    """A request with more rows than an endpoint takes, ``found`` being how many it has."""
    return PayloadTooLargeError(
        f"{found}, expected at most {MAX_ROWS}: split the request", code="too_many_rows"
    )


def check_count(count: int) -> None:
    """Check the number of rows.

    Raises:
        RequestError: there is none.
        PayloadTooLargeError: there are more than ``MAX_ROWS``.
    """
    if count == 0:
        raise no_rows()
    if count > MAX_ROWS:
        raise too_many_rows(f"{count} rows")
