"""Clients of this AWS for the code that runs inside its server.

CloudFormation and SageMaker use the public APIs of the other services here, as they do on AWS:
what a stack creates is therefore exactly what a client of that service sees.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from moto.utilities.utils import get_partition

_VALIDATED_BY_THE_SERVER = frozenset({"sagemaker"})

ACCOUNT = "123456789012"
"""The account of credentials that are not known: moto's default."""

_CONFIG = Config(
    retries={"total_max_attempts": 1},
    s3={"addressing_style": "path"},
    connect_timeout=10,
    read_timeout=120,
    max_pool_connections=20,
)


@dataclass
class Clients:
    """The API clients of one server, one for each account, region and service.

    Args:
        endpoint_url: Where the server listens.
    """

    endpoint_url: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _sessions: dict[str, boto3.Session] = field(default_factory=dict)
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    def client(self, service: str, *, account: str, region: str) -> Any:
        """Return the boto3 client of a service that acts in an account and a region."""
        key = (account, region, service)
        with self._lock:
            if key not in self._clients:
                session = self._session(account, region)
                self._clients[key] = self._connect(session, service, region)
            return self._clients[key]

    def credentials(self, *, account: str, region: str) -> dict[str, str]:
        """Return credentials that act in an account, as environment variables."""
        if account == ACCOUNT:
            access, secret, token = "local", "local", "local"
        else:
            # moto knows an account by the keys it gave out for it.
            frozen = self._session(account, region).get_credentials().get_frozen_credentials()
            access, secret, token = frozen.access_key, frozen.secret_key, frozen.token
        return {
            "AWS_ACCESS_KEY_ID": access,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": token,
        }

    def _connect(self, session: boto3.Session, service: str, region: str) -> Any:
        # The server states the limits of these in the words of AWS; botocore would be first.
        options = Config(parameter_validation=service not in _VALIDATED_BY_THE_SERVER)
        return session.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint_url,
            config=_CONFIG.merge(options),
        )

    def _session(self, account: str, region: str) -> boto3.Session:
        """Credentials decide which account moto acts in: assume a role there to get some."""
        if account not in self._sessions:
            anonymous = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local")  # noqa: S106 - the local AWS takes any
            role = f"arn:{get_partition(region)}:iam::{account}:role/local-aws"
            answer = self._connect(anonymous, "sts", region).assume_role(
                RoleArn=role, RoleSessionName="local-aws"
            )["Credentials"]
            self._sessions[account] = boto3.Session(
                aws_access_key_id=answer["AccessKeyId"],
                aws_secret_access_key=answer["SecretAccessKey"],
                aws_session_token=answer["SessionToken"],
            )
        return self._sessions[account]
