"""One request to an endpoint of SageMaker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_operations.cloud.refusals import CloudError, silence

if TYPE_CHECKING:
    from forecast_operations.cloud.cloud import Cloud

OK = 200


def invoke(
    cloud: Cloud, endpoint_name: str, body: bytes, *, content_type: str, accept: str, **more: str
) -> tuple[int, bytes, str]:
    """Status, body and type of what a container answers, also when it refuses the request.

    SageMaker wraps a refusal: 424 ModelError around the container's own status (Amazon SageMaker
    API reference, InvokeEndpoint).

    Args:
        cloud: The region that the endpoint is in.
        endpoint_name: The endpoint.
        body: The request.
        content_type: Type of the body.
        accept: Type of the answer.
        **more: Other arguments of InvokeEndpoint, such as `TargetVariant`.

    Raises:
        NotAllowedError: The credentials do not allow to ask it.
        CloudError: There is no such endpoint, it does not answer, or the connection breaks.
    """
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - half a second

    try:
        answer = cloud.ask(
            "sagemaker-runtime",
            "invoke_endpoint",
            EndpointName=endpoint_name,
            Body=body,
            ContentType=content_type,
            Accept=accept,
            **more,
        )
        return OK, bytes(answer["Body"].read()), answer.get("ContentType", "")
    except BotoCoreError as error:
        raise silence(error) from None
    except CloudError as error:
        status = error.answer.get("OriginalStatusCode")
        if status is None:
            raise
        return int(status), str(error.answer.get("OriginalMessage", "")).encode(), ""
