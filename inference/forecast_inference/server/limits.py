"""Limits of the container contract that hold for any server in front of the predictor.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

from typing import Final

from forecast_inference.errors import PayloadTooLargeError
from forecast_inference.handler import Response
from forecast_inference.requests.content import JSON, MAX_BODY_BYTES

MAX_ANSWER_BYTES: Final = MAX_BODY_BYTES
"""What SageMaker takes from a container: payloads of real-time inference have up to 6 MB
(https://docs.aws.amazon.com/sagemaker/latest/dg/hosting-faqs.html)."""

INVOCATION_TIMEOUT_SECONDS: Final = 60.0
"""When SageMaker stops waiting for an answer."""


def within_limit(response: Response) -> Response:
    """The response, or a 413 that says what to do when SageMaker would not take it."""
    if len(response.body) <= MAX_ANSWER_BYTES:
        return response
    too_large = PayloadTooLargeError(
        f"the answer has {len(response.body)} bytes, expected at most {MAX_ANSWER_BYTES}: "
        "send fewer rows, ask for fewer levels, or accept text/csv",
        code="answer_too_large",
    )
    return Response(too_large.status, too_large.body(), JSON)
