"""What is asked of AWS comes back as it is, and what AWS refuses is a sentence."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from forecast_config import ForecastError
from forecast_operations.updates.live import Live

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).parents[3] / "docs"


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


def test_the_policy_in_the_docs_allows_what_is_asked_and_no_more() -> None:
    calls = re.findall(r'"(cloudformation|sagemaker)",\s*"(\w+)"', inspect.getsource(Live))
    needed = {f"{service}:{name.title().replace('_', '')}" for service, name in calls}
    section = (DOCS / "security.md").read_text("utf-8").partition("## Who deploys")[2]
    statements = json.loads(section.partition("```json\n")[2].partition("```")[0])["Statement"]
    page = (DOCS / "updates.md").read_text("utf-8")

    allowed = {action for each in statements[1:] for action in each["Action"]}
    assert statements[0]["Action"] == "sts:AssumeRole"
    assert needed == allowed
    assert [action for action in needed if f"`{action}`" not in page] == []
