"""One region of AWS: its clients, and their answers.

Clients take credentials, profile, endpoint (`AWS_ENDPOINT_URL`), certificates and retries
(`AWS_RETRY_MODE`, `AWS_MAX_ATTEMPTS`) from where every tool of AWS takes them (AWS SDKs and tools
reference guide, "Settings reference").
"""

from __future__ import annotations

import threading
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from forecast_operations.cloud.refusals import refusal, silence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

T = TypeVar("T")

_CONNECT_SECONDS = 10

_PERMISSION_PREFIXES = {
    "application-autoscaling": "application-autoscaling",
    "sagemaker-runtime": "sagemaker",
    "service-quotas": "servicequotas",
    "stepfunctions": "states",
}
"""Services whose permissions are called otherwise than their client (AWS service authorization
reference)."""

_PERMISSIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjectsV2": "s3:ListBucket",
}
"""Permissions that are not called like their operation (Amazon S3 user guide, "Required permissions
for Amazon S3 API operations")."""


class Cloud:
    """AWS, or what `AWS_ENDPOINT_URL` points to, in one region.

    Every call goes through `ask` or `pages`, with the names of service and operation as literals:
    the permissions in the documentation are read from them.
    """

    def __init__(self, region: str, *, clients: Mapping[str, Any] | None = None) -> None:
        """Point at a region; nothing is called.

        Args:
            region: The region.
            clients: Clients by service that take the place of botocore's.
        """
        self.region = region
        self._clients: dict[str, Any] = dict(clients or {})
        self._session: Any = None
        self._making = threading.Lock()

    def client(self, service: str) -> Any:
        """The client of a service; made once.

        Raises:
            CloudError: The profile is not there, or the region is none.
        """
        # Sessions of boto3 make one client at a time only (boto3 guide, "Multithreading").
        with self._making:
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    def ask(
        self, service: str, operation: str, *, missing: str | None = None, **arguments: Any
    ) -> Any:
        """The answer to one call; None when what is asked for is not there.

        Args:
            service: The service, as boto3 calls it.
            operation: The operation, as boto3 calls it (`describe_endpoint`).
            missing: What the error says, or its code, when the thing is not there; else that is an
                error like any other.
            **arguments: Arguments of the operation.

        Raises:
            NotAllowedError: The credentials lack a permission, which the message names.
            CloudError: AWS refuses for another reason, or nobody answers.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            return getattr(self.client(service), operation)(**arguments)
        except ClientError as error:
            if missing is not None and missing in str(error):
                return None
            raise refusal(error, permission=permission_of(service, operation)) from None
        except BotoCoreError as error:
            raise silence(error) from None

    def pages(self, service: str, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
        """The members of a list that AWS gives in pages.

        Args:
            service: The service, as boto3 calls it.
            operation: The operation, as boto3 calls it (`list_endpoints`).
            key: The list in each page.
            **arguments: Arguments of the operation.

        Raises:
            NotAllowedError: The credentials lack a permission, which the message names.
            CloudError: AWS refuses for another reason, or nobody answers.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            for page in self.client(service).get_paginator(operation).paginate(**arguments):
                yield from page.get(key) or ()
        except ClientError as error:
            raise refusal(error, permission=permission_of(service, operation)) from None
        except BotoCoreError as error:
            raise silence(error) from None

    def account(self) -> str:
        """Id of the account of the credentials.

        Raises:
            CloudError: There are no credentials that are valid, or nobody answers.
        """
        return str(self.ask("sts", "get_caller_identity")["Account"])

    def caller(self) -> str:
        """ARN of whoever the credentials are of.

        Raises:
            CloudError: There are no credentials that are valid, or nobody answers.
        """
        return str(self.ask("sts", "get_caller_identity")["Arn"])

    def _make(self, service: str) -> Any:
        # Half a second, which a command that calls nothing need not pay.
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        try:
            if self._session is None:
                self._session = boto3.Session(region_name=self.region)
            return self._session.client(service, config=Config(connect_timeout=_CONNECT_SECONDS))
        except BotoCoreError as error:
            raise silence(error) from None


def permission_of(service: str, operation: str) -> str:
    """The permission that an operation needs, such as `sagemaker:DescribeEndpoint`."""
    prefix = _PERMISSION_PREFIXES.get(service, service)
    named = f"{prefix}:{''.join(word.capitalize() for word in operation.split('_'))}"
    return _PERMISSIONS.get(named, named)


def in_calls(items: Iterable[T], most: int) -> Iterator[list[T]]:
    """Items in lists of which one call takes each.

    Args:
        items: What calls are made for; without any there is no call.
        most: Most that a call takes.
    """
    rest = iter(items)
    while named := list(islice(rest, most)):
        yield named
