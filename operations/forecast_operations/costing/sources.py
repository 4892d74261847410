"""Where a report on costs takes what it needs: templates, what is deployed, what was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_config.settings.endpoint import ServerlessEndpoint
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.costing.advice import Advice, advise
from forecast_operations.costing.bill import Bill
from forecast_operations.costing.budget import check_budget
from forecast_operations.costing.difference import difference
from forecast_operations.costing.estimate import estimate
from forecast_operations.costing.hosting import variant_week
from forecast_operations.costing.measured import read_measured
from forecast_operations.costing.prices import read_prices
from forecast_operations.costing.report import CostReport
from forecast_operations.costing.rollout import rollout_cost
from forecast_operations.costing.usage import ASSUMED_KIB, ASSUMED_SECONDS, Usage
from forecast_operations.deployed.live import Live, check_account
from forecast_operations.synthesis.assembly import read_template
from forecast_operations.synthesis.cdk import own_folder, synthesize
from forecast_operations.updates.obstacles import Templates

if TYPE_CHECKING:
    from forecast_config import EnvironmentSettings, ForecastConfig
    from forecast_operations.costing.measured import Measured
    from forecast_operations.costing.prices import Prices

_ASSEMBLIES = Path(".forecast/cost")
_ARCHIVES = "asset.*.gz"


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a report is to say, and what is known beforehand.

    Attributes:
        config: The configuration file.
        templates: Folder of a synth; None: it is made.
        context: Context flags of the synth.
        requests: Requests of clients in a month; None when nobody said.
        seconds: Time that the model works on a request; None when nobody said.
        kib: Size of a request with its answer in KiB; None when nobody said.
        days: Days to look back for advice.
        compares: Whether to compare with what is deployed.
        advises: Whether to measure and to advise.
    """

    config: Path
    templates: Path | None = None
    context: tuple[str, ...] = ()
    requests: float | None = None
    seconds: float | None = None
    kib: float | None = None
    days: int = 14
    compares: bool = True
    advises: bool = False


def report_of(
    project: ForecastConfig,
    settings: EnvironmentSettings,
    wishes: Wishes,
    cloud: Cloud | None = None,
) -> CostReport:
    """What there is to say of one environment.

    Args:
        project: The configuration.
        settings: The environment.
        wishes: What is wanted.
        cloud: AWS in its region; None for that of the surroundings.

    Raises:
        ForecastError: There is no synth, or it fails.
        CloudError: AWS refuses what advice needs.
    """
    prices = read_prices(wishes.config)
    assembly, wanted = _wanted(project, settings, wishes)
    there = Cloud(settings.region) if cloud is None else cloud
    measured = _measured(settings, wishes, there)
    usage = _usage(wishes, measured, assembly)
    after = estimate(wanted, settings.region, prices=prices, usage=usage)
    before, why_not = _deployed(settings, wishes, there)
    changes = None
    if before is not None:
        has_any = before.artifacts is not None or before.endpoint is not None
        was = estimate(before, settings.region, prices=prices, usage=usage) if has_any else None
        changes = difference(was, after)
    return CostReport(
        environment=settings.name,
        region=settings.region,
        estimate=after,
        rollout=rollout_cost(settings, prices),
        difference=changes,
        not_compared=why_not,
        budget=check_budget(settings, after),
        advice=_advice(settings, measured, wanted, prices),
        priced_at=prices.priced_at(settings.region),
        sources=prices.sources(settings.region),
    )


def _wanted(
    project: ForecastConfig, settings: EnvironmentSettings, wishes: Wishes
) -> tuple[Path, Templates]:
    assembly = wishes.templates
    if assembly is None:
        assembly = own_folder(project.root / _ASSEMBLIES / settings.name) / "wanted"
        synthesize(project.root, assembly, wishes.config, settings.name, wishes.context)
    stacks = settings.artifacts_stack_name, settings.stack_name
    return assembly, Templates(*(read_template(assembly, stack) for stack in stacks))


def _deployed(
    settings: EnvironmentSettings, wishes: Wishes, cloud: Cloud
) -> tuple[Templates | None, str]:
    if not wishes.compares:
        return None, ""
    live = Live(cloud)
    stacks = settings.artifacts_stack_name, settings.stack_name
    try:
        check_account(live, settings.account)
        return Templates(*(live.template(stack) for stack in stacks)), ""
    except ForecastError as error:
        return None, f"not compared with what is deployed: {error}"


def _measured(settings: EnvironmentSettings, wishes: Wishes, cloud: Cloud) -> Measured | None:
    if not wishes.advises:
        return None
    endpoint = settings.endpoint
    return read_measured(
        cloud,
        endpoint.name,
        endpoint.variant_name,
        wishes.days,
        None if isinstance(endpoint, ServerlessEndpoint) else endpoint.instance_type,
    )


def _usage(wishes: Wishes, measured: Measured | None, assembly: Path) -> Usage:
    """What is done with the endpoint: as given, else as measured, else assumed."""
    usage = Usage(
        requests=wishes.requests,
        kib=ASSUMED_KIB if wishes.kib is None else wishes.kib,
        kib_from=None if wishes.kib is None else "given",
        archive_bytes=_archive_bytes(assembly),
    )
    if measured is not None and measured.requests and wishes.requests is None:
        usage = replace(usage, requests=measured.requests_per_month, with_heartbeats=True)
    if wishes.seconds is not None:
        return replace(usage, seconds=(wishes.seconds, wishes.seconds), seconds_from="given")
    if measured is not None and measured.mean_seconds is not None:
        mean = measured.mean_seconds
        return replace(usage, seconds=(mean, mean), seconds_from="measured")
    return replace(usage, seconds=ASSUMED_SECONDS)


def _archive_bytes(assembly: Path) -> int | None:
    sizes = [path.stat().st_size for path in assembly.glob(_ARCHIVES)]
    return max(sizes, default=None)


def _advice(
    settings: EnvironmentSettings, measured: Measured | None, wanted: Templates, prices: Prices
) -> tuple[Advice, ...] | None:
    if measured is None:
        return None
    bill = Bill(wanted, settings.region, prices)
    instances = 0.0
    for _, config in bill.resources("AWS::SageMaker::EndpointConfig"):
        for variant in config.get("ProductionVariants", []):
            if variant.get("VariantName") == settings.endpoint.variant_name:
                instances = variant_week(bill, variant).mean.low
    return advise(settings, measured, instances, prices)
