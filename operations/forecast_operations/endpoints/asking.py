"""One request to an endpoint: on AWS, or where `AWS_ENDPOINT_URL` points."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_operations.cloud.refusals import CloudError, NotAllowedError
from forecast_operations.serving.archive import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_operations.cloud.cloud import Cloud

OK = 200


def ask_endpoint(cloud: Cloud, name: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """What an endpoint answers; a refusal of its model is an answer as well.

    Args:
        cloud: The region that it is in.
        name: The endpoint.
        body: The request.
        headers: `Content-Type` of the body, and `Accept`: the type of the answer.

    Raises:
        ForecastError: The endpoint is not there, or the credentials do not allow to ask it.
    """
    try:
        answer = cloud.ask(
            "sagemaker-runtime",
            "invoke_endpoint",
            EndpointName=name,
            Body=body,
            ContentType=headers["Content-Type"],
            Accept=headers["Accept"],
        )
    except NotAllowedError:
        raise
    except CloudError as error:
        if (status := error.answer.get("OriginalStatusCode")) is not None:
            return Answer(status, str(error.answer["OriginalMessage"]).encode(), "")
        raise ForecastError(_unanswered(name, cloud.region, error)) from None
    return Answer(OK, answer["Body"].read(), answer.get("ContentType", ""))


def _unanswered(name: str, region: str, error: CloudError) -> str:
    reason = error.answer.get("Error", {}).get("Message")
    if reason is None:
        return f"cannot ask the endpoint {name}: {error}; or ask the archive here with: --local"
    where = os.environ.get("AWS_ENDPOINT_URL", f"region {region}")
    return (
        f"the endpoint {name} in {where} does not answer: {reason}; "
        "deploy it first, or ask the archive here with: --local"
    )
