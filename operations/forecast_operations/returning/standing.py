"""The standing of an environment: what its stack deployed, and what answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config import names
from forecast_operations.verifying.fleet import look_at_fleet

if TYPE_CHECKING:
    from forecast_config import EnvironmentSettings, LockedModel
    from forecast_operations.deployed.live import Live
    from forecast_operations.verifying.fleet import Variant

_VARIANTS = ("ProductionVariants", "ShadowProductionVariants")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is deployed, which is not what answers when SageMaker has undone the last rollout.

    Attributes:
        configuration: The endpoint configuration that the stack deployed; None without a stack.
        answers: The one that the endpoint serves; None without an endpoint.
        champion: What the deployed configuration serves; None where that is not known.
        challenger: What it compares with that; None: nothing.
    """

    configuration: str | None = None
    answers: str | None = None
    champion: Variant | None = None
    challenger: Variant | None = None

    @property
    def digest(self) -> str | None:
        """Digest of the champion's archive; None where it is not known."""
        return None if self.champion is None else self.champion.archive_digest

    @property
    def version(self) -> str:
        """Version of the champion, as a person is told of it."""
        return "nothing that is known" if self.champion is None else self.champion.version

    @property
    def undone(self) -> bool:
        """Whether another configuration answers than the deployed one."""
        return self.answers is not None and self.answers != self.configuration

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
        CloudError: AWS refuses what must be looked at.
    """
    endpoint = live.endpoint(settings.endpoint.name)
    answers = None if endpoint is None else str(endpoint["EndpointConfigName"])
    configuration = live.output(settings.stack_name, "EndpointConfigName")
    found = None if configuration is None else live.endpoint_config(configuration)
    if found is None:
        return Standing(configuration=configuration, answers=answers)
    described = {kind: found.get(kind) or [] for kind in _VARIANTS}
    fleet = {
        each.name: each
        for each in look_at_fleet(live.cloud, {"EndpointConfigName": configuration, **described})
    }
    champion = settings.endpoint.variant_name
    return Standing(
        configuration=configuration,
        answers=answers,
        champion=fleet.get(champion),
        challenger=fleet.get(names.challenger_variant(champion)),
    )
