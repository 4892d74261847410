"""What is asked of AWS comes back as it is, and what AWS refuses is a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from forecast_config import ForecastError

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_operations.deployed.live import Live


def test_a_template_is_read_as_it_was_deployed(
    live_with: Callable[..., Live], refusal: Callable[..., Any]
) -> None:
    answers = [{"TemplateBody": body} for body in ('{"Resources": {}}', "Resources: {}")]
    parsed: Any = {"TemplateBody": {"Resources": {}}}
    missing = refusal("Stack with id ForecastProd does not exist")

    assert [
        live_with(cloudformation={"get_template": answer}).template("ForecastProd")
        for answer in (*answers, parsed, missing)
    ] == [{"Resources": {}}, {"Resources": {}}, {"Resources": {}}, None]


def test_what_aws_refuses_and_nobody_answering_are_sentences(
    live_with: Callable[..., Live], refusal: Callable[..., Any]
) -> None:
    refused = live_with(
        cloudformation={
            "get_template": refusal(
                "not authorized to perform: cloudformation:GetTemplate on resource: x"
            )
        }
    )
    silence = EndpointConnectionError(endpoint_url="http://x")
    nobody = live_with(
        cloudformation={"get_template": silence}, sts={"get_caller_identity": silence}
    )

    with pytest.raises(
        ForecastError, match=r"permission cloudformation:GetTemplate on x is missing"
    ):
        refused.template("ForecastProd")
    with pytest.raises(ForecastError, match=r"cannot ask AWS: .*forecast local env"):
        nobody.template("ForecastProd")
    with pytest.raises(ForecastError, match=r"cannot ask AWS: "):
        nobody.account()
