"""The synthesized samples, and an empty stack to try a construct in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import DefaultStackSynthesizer, Environment, Stack
from aws_cdk.assertions import Template

if TYPE_CHECKING:
    from collections.abc import Callable

    import aws_cdk


from synthesis import *  # noqa: F403 - fixtures are found by being here

REGION = "eu-central-1"


@pytest.fixture
def new_stack(new_app: Callable[..., aws_cdk.App]) -> Callable[..., Stack]:
    def make(region: str = REGION, bucket_prefix: str = "models/", **flags: Any) -> Stack:
        return Stack(
            new_app(**flags),
            "Stack",
            env=Environment(region=region),
            synthesizer=DefaultStackSynthesizer(
                file_assets_bucket_name="artifacts",
                bucket_prefix=bucket_prefix,
                generate_bootstrap_version_rule=False,
            ),
        )

    return make


@pytest.fixture
def stack(new_stack: Callable[..., Stack]) -> Stack:
    return new_stack()


@pytest.fixture
def rendered() -> Callable[[Stack], dict[str, Any]]:
    """The resources of a stack, by logical id."""

    def get(stack: Stack) -> dict[str, Any]:
        found: dict[str, Any] = Template.from_stack(stack).to_json()["Resources"]
        return found

    return get
