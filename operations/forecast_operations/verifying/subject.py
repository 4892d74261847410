"""The subject of a verification: what an environment is locked to, and what its stack says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError, load_environments, locked_model, names, read_lock
from forecast_config.regions import dns_suffix_of
from forecast_config.settings import ChallengerRollout
from forecast_operations.deployed.live import Live, check_account, outputs_of, variants_in
from forecast_operations.deployed.stacks import is_protected
from forecast_operations.synthesis.hosted import (
    ENDPOINT,
    ENDPOINT_CONFIG,
    hosted_in,
    referred_id,
    resources_of,
)
from forecast_operations.synthesis.templates import flatten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from forecast_config import EnvironmentSettings, ForecastConfig, LockedModel, PackagedModel
    from forecast_operations.synthesis.hosted import Hosted, Template
    from forecast_packaging import Progress


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """What the stack of an endpoint says of it.

    Attributes:
        stack: Name of the stack.
        status: Its status, such as `UPDATE_COMPLETE`.
        at: When it was last created or updated.
        protected: Whether it refuses its deletion.
        outputs: Its outputs.
        template: Its template.
        hosted: The endpoint in it.
    """

    stack: str
    status: str
    at: datetime | None
    outputs: Mapping[str, str]
    template: Template
    hosted: Hosted
    protected: bool = False

    @property
    def configuration(self) -> str | None:
        """Name of the endpoint configuration that the endpoint should serve."""
        return self.outputs.get("EndpointConfigName")

    def images(self, account: str, region: str) -> dict[str, str]:
        """The image of each variant by its name; with `<…>` where only AWS knows a part of it."""
        models = self.template["Resources"]
        found = {}
        for variant in self._variants():
            logical_id = referred_id(variant.get("ModelName"))
            container = models.get(logical_id, {}).get("Properties", {}).get("PrimaryContainer", {})
            shown = flatten(container.get("Image", "<image>"))
            found[str(variant["VariantName"])] = (
                shown.replace("<account>", account)
                .replace("<region>", region)
                .replace(".amazonaws.com/", f".{dns_suffix_of(region)}/")
            )
        return found

    @property
    def rollback_alarms(self) -> tuple[str, ...]:
        """Names of the alarms that undo a rollout."""
        return rollback_alarms(self.template, self.hosted)

    @property
    def rollout_seconds(self) -> int | None:
        """Time after which SageMaker undoes an unfinished rollout; None without a policy."""
        endpoint = self.template["Resources"][self.hosted.logical_id]["Properties"]
        rollout = endpoint.get("DeploymentConfig", {})
        for policy in ("BlueGreenUpdatePolicy", "RollingUpdatePolicy"):
            seconds = rollout.get(policy, {}).get("MaximumExecutionTimeoutInSeconds")
            if seconds is not None:
                return int(seconds)
        return None

    def _variants(self) -> Iterator[dict[str, Any]]:
        endpoint = self.template["Resources"][self.hosted.logical_id]["Properties"]
        wanted = referred_id(endpoint.get("EndpointConfigName"))
        for logical_id, config in resources_of(self.template, ENDPOINT_CONFIG):
            if logical_id == wanted:
                yield from (variant for variant, _ in variants_in(config["Properties"]))


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is verified.

    Attributes:
        project: The configuration that the environment is in.
        settings: The environment.
        live: Where it is deployed.
        account: The account there.
        deployed: What its stack says.
        lock: The champion as it is locked.
        champion: What that packs to.
        challenger_lock: The challenger as it is locked; None where there is none.
        challenger: What that packs to.
    """

    project: ForecastConfig
    settings: EnvironmentSettings
    live: Live
    account: str
    deployed: Deployed
    lock: LockedModel
    champion: PackagedModel
    challenger_lock: LockedModel | None = None
    challenger: PackagedModel | None = None

    @property
    def models(self) -> dict[str, PackagedModel]:
        """What each variant should serve, by its name; the champion first."""
        champion = self.settings.endpoint.variant_name
        found = {champion: self.champion}
        if self.challenger is not None:
            found[names.challenger_variant(champion)] = self.challenger
        return found

    def looked_at_again(self) -> Subject:
        """The same after the stack may have changed.

        Raises:
            ForecastError: The stack is gone.
        """
        return replace(self, deployed=look_at_stack(self.live, self.settings))


def find_subject(
    path: Path,
    environment: str,
    progress: Progress,
    say: Callable[[str], None] = lambda _: None,
) -> Subject:
    """What there is to verify of an environment; nothing of it is changed.

    An archive that the lock pins, and that is not on this machine, is fetched from its bucket: the
    registry is asked for what is not pinned only.

    Args:
        path: The configuration file.
        environment: The environment.
        progress: Told how far the packing is, where the archive is not there yet.
        say: Told what is fetched.

    Raises:
        ForecastError: The environment is not deployed, the credentials are of another account, or
            the locked version cannot be packed.
    """
    # With the packaging, which costs a quarter of a second.
    from forecast_packaging.building.environment import package_challenger_for  # noqa: PLC0415

    project, environments = load_environments(path, [environment])
    settings = environments[environment]
    live = Live.in_region(settings.region)
    check_account(live, settings.account)
    deployed = look_at_stack(live, settings)
    lock = read_lock(project.lock_path)
    champion = locked_model(lock, environment, project.lock_path)
    source = _Source(project, settings, live, progress, say)
    rival = lock.challengers.get(environment)
    if rival is not None and isinstance(settings.rollout, ChallengerRollout):
        source.fetch(rival)
    challenger = package_challenger_for(project, settings, progress)
    return Subject(
        project=project,
        settings=settings,
        live=live,
        account=live.account(),
        deployed=deployed,
        lock=champion,
        champion=source.provide(champion),
        challenger_lock=None if challenger is None else rival,
        challenger=challenger,
    )


@dataclass(frozen=True)
class _Source:
    """Where the archives of lock entries are from: this machine, else a bucket."""

    project: ForecastConfig
    settings: EnvironmentSettings
    live: Live
    progress: Progress
    say: Callable[[str], None]

    def provide(self, lock: LockedModel) -> PackagedModel:
        from forecast_operations.records.fetching import beside, provide  # noqa: PLC0415
        from forecast_packaging.building.environment import is_at_hand  # noqa: PLC0415

        if not is_at_hand(self.project, lock):
            self.say(
                f"the archive of version {lock.version} ({lock.archive_digest}) is not on this "
                f"machine: fetching it from the bucket of {self.settings.name}"
            )
        cloud_in = beside(self.live.cloud)
        return provide(self.project, self.settings, lock, self.progress, cloud_in)

    def fetch(self, lock: LockedModel) -> None:
        """Bring a pinned archive here; one that is not pinned is packed when it is needed."""
        if lock.archive_digest is not None:
            self.provide(lock)


def rollback_alarms(template: Template, hosted: Hosted) -> tuple[str, ...]:
    """Names of the alarms that undo a rollout.

    Args:
        template: The template of the endpoint's stack.
        hosted: The endpoint in it.
    """
    endpoint = template["Resources"][hosted.logical_id]["Properties"]
    rollback = endpoint.get("DeploymentConfig", {}).get("AutoRollbackConfiguration", {})
    return tuple(flatten(alarm["AlarmName"]) for alarm in rollback.get("Alarms", ()))


def look_at_stack(live: Live, settings: EnvironmentSettings) -> Deployed:
    """What the stack of an environment's endpoint says.

    Raises:
        ForecastError: There is no such stack, or it has no endpoint.
    """
    name = settings.stack_name
    stack, template = live.stack(name), live.template(name)
    hosted = None if template is None else hosted_in(template)
    if stack is None or template is None or hosted is None:
        what = "no such stack" if stack is None else f"one without an {ENDPOINT}"
        raise ForecastError(
            f"expected the stack {name} with the endpoint of {settings.name} in "
            f"{settings.region}, got {what}; run: forecast deploy {settings.name}"
        )
    return Deployed(
        stack=name,
        status=str(stack["StackStatus"]),
        at=stack.get("LastUpdatedTime", stack.get("CreationTime")),
        outputs=outputs_of(stack),
        template=template,
        hosted=hosted,
        protected=is_protected(stack),
    )
