"""An update begins only when the endpoint can change, and is done only when it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from forecast_config import ForecastError
from forecast_operations.updates.live import Live, check_endpoint_can_change, check_rollout_held

if TYPE_CHECKING:
    from collections.abc import Callable


class _Client:
    """Answers each operation with what it was given; an exception is raised."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def answer(**_: Any) -> Any:
            found = self._answers[operation]
            if isinstance(found, Exception):
                raise found
            return found

        return answer


def _error(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "Describe")


def _live(endpoint: Any, *, output: str = "new") -> Live:
    outputs = [{"OutputKey": "EndpointConfigName", "OutputValue": output}]
    stacks = {"Stacks": [{"Outputs": outputs}]}
    return Live(_Client(describe_stacks=stacks), _Client(describe_endpoint=endpoint))


def test_an_endpoint_that_is_away_is_not_updated(endpoint_template: Callable[..., Any]) -> None:
    live = _live(_error("Could not find endpoint"))

    with pytest.raises(ForecastError, match="forecast is away though its stack is deployed"):
        check_endpoint_can_change(live, "ForecastProd", endpoint_template(A="ml.m5.large"))


@pytest.mark.parametrize("status", ["Updating", "Creating", "RollingBack", "Deleting"])
def test_an_endpoint_in_a_transition_is_not_updated(
    status: str, endpoint_template: Callable[..., Any]
) -> None:
    live = _live({"EndpointStatus": status})

    with pytest.raises(ForecastError, match=f"forecast is {status}; wait until it is InService"):
        check_endpoint_can_change(live, "ForecastProd", endpoint_template(A="ml.m5.large"))


def test_an_endpoint_in_service_and_none_at_all_can_begin(
    endpoint_template: Callable[..., Any],
) -> None:
    check_endpoint_can_change(
        _live({"EndpointStatus": "InService"}), "ForecastProd", endpoint_template(A="ml.m5.large")
    )
    check_endpoint_can_change(_live(_error("Could not find endpoint")), "ForecastProd", None)


def test_the_state_machine_of_the_off_hours_brings_it_back(
    endpoint_template: Callable[..., Any],
) -> None:
    outputs = [{"OutputKey": "OffHoursStateMachineArn", "OutputValue": "arn:machine"}]
    live = Live(
        _Client(describe_stacks={"Stacks": [{"Outputs": outputs}]}),
        _Client(describe_endpoint=_error("Could not find endpoint")),
    )

    with pytest.raises(ForecastError, match="--state-machine-arn arn:machine --input"):
        check_endpoint_can_change(live, "ForecastProd", endpoint_template(A="ml.m5.large"))


def test_a_rollout_that_was_undone_is_no_success() -> None:
    live = _live(
        {
            "EndpointStatus": "InService",
            "EndpointConfigName": "old",
            "FailureReason": "an alarm fired",
        }
    )

    with pytest.raises(ForecastError) as caught:
        check_rollout_held(live, "forecast", "ForecastProd")

    assert "InService with old, expected new" in str(caught.value)
    assert str(caught.value).endswith("an alarm fired")


def test_a_rollout_that_held_is_one() -> None:
    live = _live({"EndpointStatus": "InService", "EndpointConfigName": "new"})

    check_rollout_held(live, "forecast", "ForecastProd")


def test_a_template_is_read_as_it_was_deployed() -> None:
    text = _Client(get_template={"TemplateBody": '{"Resources": {}}'})
    yaml_text = _Client(get_template={"TemplateBody": "Resources: {}"})
    parsed = _Client(get_template={"TemplateBody": {"Resources": {}}})
    missing = _Client(get_template=_error("Stack with id ForecastProd does not exist"))

    assert [
        Live(client, None).template("ForecastProd") for client in (text, yaml_text, parsed, missing)
    ] == [{"Resources": {}}, {"Resources": {}}, {"Resources": {}}, None]


def test_what_aws_refuses_and_nobody_answering_are_sentences() -> None:
    refused = Live(_Client(get_template=_error("not authorized")), None)
    nobody = Live(_Client(get_template=EndpointConnectionError(endpoint_url="http://x")), None)

    with pytest.raises(ForecastError, match=r"AWS refuses: .*not authorized"):
        refused.template("ForecastProd")
    with pytest.raises(ForecastError, match=r"cannot ask AWS: .*forecast local env"):
        nobody.template("ForecastProd")
