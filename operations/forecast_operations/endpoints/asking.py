"""One request to an endpoint: on AWS, or where `AWS_ENDPOINT_URL` points."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_config.settings import AsyncEndpoint
from forecast_operations.cloud.invocation import invoke
from forecast_operations.cloud.refusals import CloudError, NotAllowedError
from forecast_operations.serving.archive import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_config import EnvironmentSettings
    from forecast_operations.cloud.cloud import Cloud


def check_answers_at_once(settings: EnvironmentSettings) -> None:
    """Refuse to ask an asynchronous endpoint, which takes requests from S3 only.

    Raises:
        ForecastError: The environment's endpoint is one.
    """
    endpoint = settings.endpoint
    if isinstance(endpoint, AsyncEndpoint):
        raise ForecastError(
            f"the endpoint {endpoint.name} is asynchronous: it takes requests from S3 and answers "
            f"there; have it asked its golden requests with: forecast verify {settings.name}, or "
            "put a request into S3 and call: aws sagemaker-runtime invoke-endpoint-async "
            f"--endpoint-name {endpoint.name} --input-location s3://… --region {settings.region}"
        )


def ask_endpoint(
    cloud: Cloud, name: str, body: bytes, headers: Mapping[str, str], otherwise: str = ""
) -> Answer:
    """What an endpoint answers; a refusal of its model is an answer as well.

    Args:
        cloud: The region that it is in.
        name: The endpoint.
        body: The request.
        headers: `Content-Type` of the body, and `Accept`: the type of the answer.
        otherwise: What can be asked in its place, for the end of a message.

    Raises:
        ForecastError: The endpoint is not there or does not answer, or the credentials do not
            allow to ask it.
    """
    try:
        status, answer, content_type = invoke(
            cloud, name, body, content_type=headers["Content-Type"], accept=headers["Accept"]
        )
    except NotAllowedError:
        raise
    except CloudError as error:
        hint = f"; or {otherwise}" if otherwise else ""
        raise ForecastError(f"{_unanswered(name, cloud.region, error)}{hint}") from None
    return Answer(status, answer, content_type)


def _unanswered(name: str, region: str, error: CloudError) -> str:
    reason = error.answer.get("Error", {}).get("Message")
    if reason is None:
        return f"cannot ask the endpoint {name}: {error}"
    where = os.environ.get("AWS_ENDPOINT_URL", f"region {region}")
    advice = (
        "deploy it first"
        if "not found" in reason
        else f"see how it is with: forecast endpoints describe {name}, and ask it again"
    )
    return f"the endpoint {name} in {where} does not answer: {reason}; {advice}"
