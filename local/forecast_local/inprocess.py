"""Clients that reach this AWS without a server: a request is answered in the same process."""

import threading
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from moto.core.botocore_stubber import BotocoreStubber

from forecast_local.clients import Clients

_ACCOUNT_HEADER = "x-moto-account-id"
_VALIDATED_BY_THE_BACKEND = frozenset({"sagemaker"})


@dataclass
class InProcessClients(Clients):
    """The API clients of a simulation.

    They go through botocore's serialisation and moto's answers as those of a server do, so that
    what a handler asks for is checked alike.
    """

    endpoint_url: str = "in this process"
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _known: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    def client(self, service: str, *, account: str, region: str) -> Any:
        """Return the boto3 client of a service that acts in an account and a region."""
        key = (service, account, region)
        with self._guard:
            if key not in self._known:
                self._known[key] = _connect(*key)
            return self._known[key]


def _connect(service: str, account: str, region: str) -> Any:
    session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local")  # noqa: S106 - nothing leaves the process
    client = session.client(
        service,
        region_name=region,
        # moto reads the partition from the region in the address, which IAM's own may lack.
        endpoint_url=f"https://iam.{region}.amazonaws.com" if service == "iam" else None,
        config=Config(
            ignore_configured_endpoint_urls=True,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
            parameter_validation=service not in _VALIDATED_BY_THE_BACKEND,
        ),
    )

    def act_in_account(request: Any, **_: Any) -> None:
        request.headers[_ACCOUNT_HEADER] = account

    client.meta.events.register("before-sign", act_in_account)
    stubber = BotocoreStubber()
    stubber.enabled = True
    client.meta.events.register("before-send", stubber)
    return client
