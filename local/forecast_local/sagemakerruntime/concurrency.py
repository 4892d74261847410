"""How many requests a serverless variant answers at once; the rest is throttled."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from forecast_local.sagemaker.generation import Route


class ThrottledError(Exception):
    """All of a variant's concurrency is in use."""


_lock = threading.Lock()
_running: dict[int, int] = {}


@contextmanager
def slot(route: Route) -> Iterator[int]:
    """Take one of a serverless variant's places; a variant with instances has no limit.

    Args:
        route: Who answers.

    Yields:
        The requests that are answered at once, this one included.

    Raises:
        ThrottledError: If none is left.
    """
    key = id(route.server)
    with _lock:
        count = _running.get(key, 0)
        if route.max_concurrency is not None and count >= route.max_concurrency:
            raise ThrottledError(
                f"Rate exceeded: all {route.max_concurrency} places of variant {route.variant} "
                "are in use"
            )
        _running[key] = count + 1
    try:
        yield count + 1
    finally:
        with _lock:
            _running[key] -= 1
            if not _running[key]:
                del _running[key]
