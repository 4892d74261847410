"""What is deployed now: the templates of the stacks, and the state of the endpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import yaml

from forecast_config import ForecastError

if TYPE_CHECKING:
    from forecast_operations.updates.hosted import Template


@dataclass(frozen=True)
class Live:
    """AWS, or the local AWS, in one region.

    Attributes:
        cloudformation: Client of AWS CloudFormation.
        sagemaker: Client of Amazon SageMaker.
        sts: Client of AWS STS.
    """

    cloudformation: Any
    sagemaker: Any
    sts: Any

    @classmethod
    def in_region(cls, region: str) -> Live:
        """The clients of a region, with the credentials of the surroundings."""
        import boto3  # noqa: PLC0415 - half a second, which no other command needs to pay

        return cls(
            boto3.client("cloudformation", region_name=region),
            boto3.client("sagemaker", region_name=region),
            boto3.client("sts", region_name=region),
        )

    def account(self) -> str:
        """Id of the account of the credentials.

        Raises:
            ForecastError: There are no credentials that are valid, or nobody answers.
        """
        return str(self._ask(self.sts.get_caller_identity)["Account"])

    def template(self, stack: str) -> Template | None:
        """The template that a stack was deployed with; None when there is no such stack.

        Raises:
            ForecastError: The credentials do not allow it, or nobody answers.
        """
        found = self._ask(
            lambda: self.cloudformation.get_template(StackName=stack, TemplateStage="Original"),
            missing="does not exist",
        )
        if found is None:
            return None
        body = found["TemplateBody"]
        return cast("Template", json.loads(body) if _is_json(body) else _read(body))

    def endpoint(self, name: str) -> dict[str, Any] | None:
        """The answer of DescribeEndpoint; None when there is no such endpoint.

        Raises:
            ForecastError: The credentials do not allow it, or nobody answers.
        """
        found: dict[str, Any] | None = self._ask(
            lambda: self.sagemaker.describe_endpoint(EndpointName=name), missing="Could not find"
        )
        return found

    def endpoint_config(self, name: str) -> dict[str, Any] | None:
        """The answer of DescribeEndpointConfig; None when there is no such configuration.

        Raises:
            ForecastError: The credentials do not allow it, or nobody answers.
        """
        found: dict[str, Any] | None = self._ask(
            lambda: self.sagemaker.describe_endpoint_config(EndpointConfigName=name),
            missing="Could not find",
        )
        return found

    def output(self, stack: str, key: str) -> str | None:
        """An output of a stack; None when it has none of this name."""
        described = self._ask(
            lambda: self.cloudformation.describe_stacks(StackName=stack), missing="does not exist"
        )
        outputs = described["Stacks"][0].get("Outputs", []) if described else []
        return next((each["OutputValue"] for each in outputs if each["OutputKey"] == key), None)

    @staticmethod
    def _ask(call: Any, *, missing: str | None = None) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            return call()
        except ClientError as error:
            if missing is not None and missing in str(error):
                return None
            raise ForecastError(f"AWS refuses: {error}") from None
        except BotoCoreError as error:
            raise ForecastError(
                f'cannot ask AWS: {error}; for the local AWS: eval "$(forecast local env)"'
            ) from None


def _is_json(body: Any) -> bool:
    return isinstance(body, str) and body.lstrip().startswith("{")


def _read(body: Any) -> Any:
    """A template as botocore gives it: parsed already when it is JSON, else the text."""
    return yaml.safe_load(body) if isinstance(body, str) else body
