"""A missing permission to look fails its own check, and nothing else is left out for it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from forecast_operations.cloud.cloud import permission_of


class Closed:
    """A client one of whose operations is not allowed."""

    def __init__(self, client: Any, service: str, operation: str) -> None:
        self._client, self._service, self._operation = client, service, operation

    def __getattr__(self, name: str) -> Any:
        return self._refuse if name == self._operation else getattr(self._client, name)

    def get_paginator(self, name: str) -> Any:
        if name == self._operation:
            self._refuse()
        return self._client.get_paginator(name)

    def _refuse(self, **_: Any) -> None:
        permission = permission_of(self._service, self._operation)
        error = {
            "Code": "AccessDeniedException",
            "Message": f"User: me is not authorized to perform: {permission}",
        }
        raise ClientError({"Error": error}, self._operation)


@pytest.mark.parametrize(
    ("service", "operation", "failed"),
    [
        ("sagemaker", "describe_endpoint", ["endpoint"]),
        ("sagemaker", "describe_endpoint_config", ["variants"]),
        (
            "sagemaker",
            "describe_model",
            ["image AllTraffic", "archive AllTraffic", "golden AllTraffic"],
        ),
        ("sagemaker", "list_tags", ["archive AllTraffic", "golden AllTraffic"]),
        ("s3", "head_object", ["object AllTraffic"]),
    ],
)
def test_what_may_not_be_looked_at_fails_and_the_rest_goes_on(
    deployed: Any, checks_failed: Any, service: str, operation: str, failed: list[str]
) -> None:
    deployed.clients[service] = Closed(deployed.aws.client(service), service, operation)

    record = deployed.verify()

    found = checks_failed(record)
    assert list(found) == failed
    permission = permission_of(service, operation)
    assert found[failed[0]].found == f"not allowed: {permission}"
    assert f"the permission {permission} is missing; allow it to me" in found[failed[0]].advice
    assert record.checks[0].passed


def test_a_variant_that_may_not_be_looked_at_is_not_called_another_version(
    deployed: Any, checks_failed: Any
) -> None:
    sagemaker = deployed.aws.client("sagemaker")
    deployed.clients["sagemaker"] = Closed(sagemaker, "sagemaker", "describe_model")

    golden = checks_failed(deployed.verify())["golden AllTraffic"]

    assert golden.found == "not asked: nobody may see what would answer"
    assert golden.advice == "see archive AllTraffic"
