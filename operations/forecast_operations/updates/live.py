"""What is deployed now: the templates of the stacks, and the state of the endpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import yaml

from forecast_operations.cloud.cloud import Cloud

if TYPE_CHECKING:
    from forecast_operations.updates.hosted import Template

_NO_STACK = "does not exist"
_NO_ENDPOINT = "Could not find"


@dataclass(frozen=True)
class Live:
    """What is deployed in one region; every method raises CloudError when AWS refuses.

    Attributes:
        cloud: AWS, or the local AWS, there.
    """

    cloud: Cloud

    @classmethod
    def in_region(cls, region: str) -> Live:
        """What is deployed in a region, seen with the credentials of the surroundings."""
        return cls(Cloud(region))

    def account(self) -> str:
        """Id of the account of the credentials."""
        return self.cloud.account()

    def template(self, stack: str) -> Template | None:
        """The template that a stack was deployed with; None when there is no such stack."""
        found = self.cloud.ask(
            "cloudformation",
            "get_template",
            missing=_NO_STACK,
            StackName=stack,
            TemplateStage="Original",
        )
        if found is None:
            return None
        body = found["TemplateBody"]
        return cast("Template", json.loads(body) if _is_json(body) else _read(body))

    def endpoint(self, name: str) -> dict[str, Any] | None:
        """The answer of DescribeEndpoint; None when there is no such endpoint."""
        found: dict[str, Any] | None = self.cloud.ask(
            "sagemaker", "describe_endpoint", missing=_NO_ENDPOINT, EndpointName=name
        )
        return found

    def endpoint_config(self, name: str) -> dict[str, Any] | None:
        """The answer of DescribeEndpointConfig; None when there is no such configuration."""
        found: dict[str, Any] | None = self.cloud.ask(
            "sagemaker", "describe_endpoint_config", missing=_NO_ENDPOINT, EndpointConfigName=name
        )
        return found

    def stack(self, name: str) -> dict[str, Any] | None:
        """The answer of DescribeStacks for one stack; None when there is no such stack."""
        found = self.cloud.ask(
            "cloudformation", "describe_stacks", missing=_NO_STACK, StackName=name
        )
        return cast("dict[str, Any]", found["Stacks"][0]) if found else None

    def output(self, stack: str, key: str) -> str | None:
        """An output of a stack; None when it has none of this name."""
        outputs = (self.stack(stack) or {}).get("Outputs", [])
        return next((each["OutputValue"] for each in outputs if each["OutputKey"] == key), None)


def _is_json(body: Any) -> bool:
    return isinstance(body, str) and body.lstrip().startswith("{")


def _read(body: Any) -> Any:
    """A template as botocore gives it: parsed already when it is JSON, else the text."""
    return yaml.safe_load(body) if isinstance(body, str) else body
