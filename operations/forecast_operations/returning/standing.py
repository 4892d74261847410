"""The standing of an environment: what its stack deployed, and what answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config import names
from forecast_operations.deployed.live import outputs_of
from forecast_operations.deployed.stacks import UNDONE, status_of
from forecast_operations.verifying.fleet import look_at_fleet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_config import EnvironmentSettings, LockedModel
    from forecast_operations.deployed.live import Live
    from forecast_operations.verifying.fleet import Variant


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is deployed, which is not what answers when SageMaker has undone the last rollout.

    Attributes:
        configuration: The endpoint configuration that the stack deployed; None without a stack.
        answers: The one that the endpoint serves; None without an endpoint.
        champion: What the deployed configuration serves; None where that is not known.
        challenger: What it compares with that; None: nothing.
        answering: What the configuration that answers serves; None where that is not known.
        failed: Whether the last deployment failed, and CloudFormation has put the stack back.
    """

    configuration: str | None = None
    answers: str | None = None
    champion: Variant | None = None
    challenger: Variant | None = None
    answering: Variant | None = None
    failed: bool = False

    @property
    def digest(self) -> str | None:
        """Digest of the champion's archive; None where it is not known."""
        return None if self.champion is None else self.champion.archive_digest

    @property
    def version(self) -> str:
        """Version of the champion, as a person is told of it."""
        return "nothing that is known" if self.champion is None else self.champion.version

    @property
    def answering_digest(self) -> str | None:
        """Digest of the archive that answers; None where it is not known."""
        return None if self.answering is None else self.answering.archive_digest

    @property
    def undone(self) -> bool:
        """Whether another configuration answers than the deployed one."""
        return (
            self.configuration is not None
            and self.answers is not None
            and self.answers != self.configuration
        )

    def runs(self, locked: LockedModel | None) -> bool:
        """Whether what a lock entry says is what is deployed."""
        return (
            locked is not None
            and self.champion is not None
            and locked.version == self.champion.version
            and locked.archive_digest in {None, self.digest}
        )


def look_at(live: Live, settings: EnvironmentSettings) -> Standing:
    """The standing of an environment.

    Raises:
        NotAllowedError: The permission to see which version is deployed is missing.
        CloudError: AWS refuses what must be looked at.
    """
    endpoint = live.endpoint(settings.endpoint.name)
    answers = None if endpoint is None else endpoint.get("EndpointConfigName")
    stack = live.stack(settings.stack_name) or {}
    configuration = outputs_of(stack).get("EndpointConfigName")
    name = settings.endpoint.variant_name
    fleet = _fleet(live, configuration)
    champion = fleet.get(name)
    same = answers == configuration
    return Standing(
        configuration=configuration,
        answers=answers,
        champion=_seen(champion),
        challenger=fleet.get(names.challenger_variant(name)),
        answering=_seen(champion if same else _fleet(live, answers).get(name)),
        failed=status_of(stack).startswith(UNDONE),
    )


def _fleet(live: Live, configuration: str | None) -> Mapping[str, Variant]:
    """The variants of a configuration by name; none without one, or when it is gone."""
    found = None if configuration is None else live.endpoint_config(configuration)
    if found is None:
        return {}
    return {each.name: each for each in look_at_fleet(live, found)}


def _seen(variant: Variant | None) -> Variant | None:
    """A variant, unless nobody may see what it serves: a guess would lead to another version."""
    if variant is not None and variant.refused is not None:
        raise variant.refused
    return variant
