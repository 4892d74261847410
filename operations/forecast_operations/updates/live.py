"""What is deployed now: the templates of the stacks, and the state of the endpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import yaml

from forecast_config import ForecastError
from forecast_operations.updates.hosted import hosted_in

if TYPE_CHECKING:
    from forecast_operations.updates.hosted import Template

_BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


@dataclass(frozen=True)
class Live:
    """AWS, or the local AWS, in one region.

    Attributes:
        cloudformation: Client of AWS CloudFormation.
        sagemaker: Client of Amazon SageMaker.
    """

    cloudformation: Any
    sagemaker: Any

    @classmethod
    def in_region(cls, region: str) -> Live:
        """The clients of a region, with the credentials of the surroundings."""
        import boto3  # noqa: PLC0415 - half a second, which no other command needs to pay

        return cls(
            boto3.client("cloudformation", region_name=region),
            boto3.client("sagemaker", region_name=region),
        )

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

    def output(self, stack: str, key: str) -> str | None:
        """An output of a stack; None when it has none of this name."""
        described = self._ask(
            lambda: self.cloudformation.describe_stacks(StackName=stack), missing="does not exist"
        )
        outputs = described["Stacks"][0].get("Outputs", []) if described else []
        return next((each["OutputValue"] for each in outputs if each["OutputKey"] == key), None)

    @staticmethod
    def _ask(call: Any, *, missing: str) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            return call()
        except ClientError as error:
            if missing in str(error):
                return None
            raise ForecastError(f"AWS refuses: {error}") from None
        except BotoCoreError as error:
            raise ForecastError(
                f'cannot ask AWS: {error}; for the local AWS: eval "$(forecast local env)"'
            ) from None


def check_endpoint_can_change(live: Live, stack: str, deployed: Template | None) -> None:
    """Refuse to begin an update that fails because of the endpoint's state.

    Args:
        live: Where it runs.
        stack: Name of the endpoint's stack.
        deployed: Its template; None when it is not deployed.

    Raises:
        ForecastError: The endpoint is away, or in a transition.
    """
    hosted = None if deployed is None else hosted_in(deployed)
    if hosted is None:
        return
    endpoint = live.endpoint(hosted.name)
    if endpoint is None:
        raise ForecastError(
            f"the endpoint {hosted.name} is away though its stack is deployed, and CloudFormation "
            f"cannot update what is not there: {_way_back(live, stack)}, and deploy again"
        )
    status = endpoint["EndpointStatus"]
    if status in _BUSY:
        raise ForecastError(
            f"the endpoint {hosted.name} is {status}; wait until it is InService and deploy again"
        )


def _way_back(live: Live, stack: str) -> str:
    machine = live.output(stack, "OffHoursStateMachineArn")
    if machine is None:
        return f"delete the stack {stack}"
    return (
        "bring it back with aws stepfunctions start-execution "
        f'--state-machine-arn {machine} --input \'{{"action": "start"}}\''
    )


def check_rollout_held(live: Live, endpoint_name: str, stack: str) -> None:
    """Refuse to call a deployment done that SageMaker has undone.

    After an automatic rollback an endpoint is in service, with the old configuration.

    Raises:
        ForecastError: The endpoint serves another configuration than the stack's.
    """
    expected = live.output(stack, "EndpointConfigName")
    endpoint = live.endpoint(endpoint_name)
    if endpoint is None or expected is None:
        return
    if endpoint["EndpointConfigName"] != expected:
        raise ForecastError(
            f"the rollout was undone: {endpoint_name} is {endpoint['EndpointStatus']} with "
            f"{endpoint['EndpointConfigName']}, expected {expected}; see the alarms "
            f"{endpoint_name}-rollback-…: {endpoint.get('FailureReason', 'no reason given')}"
        )


def _is_json(body: Any) -> bool:
    return isinstance(body, str) and body.lstrip().startswith("{")


def _read(body: Any) -> Any:
    """A template as botocore gives it: parsed already when it is JSON, else the text."""
    return yaml.safe_load(body) if isinstance(body, str) else body
