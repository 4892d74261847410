"""Where a report on costs takes what it needs: templates, what is deployed, what was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.costing.advice import advise
from forecast_operations.costing.bill import Bill
from forecast_operations.costing.hosting import variant_week
from forecast_operations.costing.measured import read_measured
from forecast_operations.costing.money import weigh
from forecast_operations.costing.prices import read_prices
from forecast_operations.costing.report import CostReport
from forecast_operations.costing.running import find_running
from forecast_operations.costing.usage import usage_of
from forecast_operations.deployed.live import Live, check_account
from forecast_operations.deployed.stacks import is_there
from forecast_operations.synthesis.assembly import read_template
from forecast_operations.synthesis.cdk import own_folder, synthesize
from forecast_operations.updates.obstacles import Templates

if TYPE_CHECKING:
    from forecast_config import EnvironmentSettings, ForecastConfig
    from forecast_operations.costing.case import Advice
    from forecast_operations.costing.measured import Measured
    from forecast_operations.costing.prices import Prices
    from forecast_operations.costing.usage import Usage

_ASSEMBLIES = Path(".forecast/cost")


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
    days: int
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
        ForecastError: There is no synth, or it fails; or advice is wanted with the credentials of
            another account.
        CloudError: AWS refuses what advice needs.
    """
    prices = read_prices(wishes.config)
    live = Live(Cloud(settings.region) if cloud is None else cloud)
    if wishes.advises:
        check_account(live, settings.account)
    assembly, wanted = _wanted(project, settings, wishes)
    measured = _measured(settings, wishes, live)
    deployed, why_not = _deployed(settings, wishes, live)
    return CostReport(
        environment=settings.name,
        region=settings.region,
        money=weigh(settings, deployed, wanted, prices, _usage(wishes, measured, assembly)),
        not_compared=why_not,
        advice=_advice(settings, measured, wanted, prices) if wishes.advises else None,
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
    settings: EnvironmentSettings, wishes: Wishes, live: Live
) -> tuple[Templates | None, str]:
    """The templates that are deployed; None, and why, where they are not compared with."""
    if not wishes.compares:
        return None, ""
    stacks = settings.artifacts_stack_name, settings.stack_name
    try:
        check_account(live, settings.account)
        found = (live.template(name) if is_there(live.stack(name)) else None for name in stacks)
        return Templates(*found), ""
    except ForecastError as error:
        return None, f"not compared with what is deployed: {error}"


def _measured(settings: EnvironmentSettings, wishes: Wishes, live: Live) -> Measured | None:
    running = find_running(live, settings) if wishes.advises else None
    return None if running is None else read_measured(live.cloud, running, wishes.days)


def _usage(wishes: Wishes, measured: Measured | None, assembly: Path) -> Usage:
    """What is done with the endpoint: as given, else as measured, else assumed."""
    usage = usage_of(assembly)
    if wishes.kib is not None:
        usage = replace(usage, kib=wishes.kib, kib_from="given")
    if wishes.requests is not None:
        usage = replace(usage, requests=wishes.requests)
    elif measured is not None and measured.requests:
        usage = replace(usage, requests=measured.requests_per_month, with_heartbeats=True)
    if wishes.seconds is not None:
        return replace(usage, seconds=(wishes.seconds, wishes.seconds), seconds_from="given")
    if measured is not None and measured.mean_seconds is not None:
        mean = measured.mean_seconds
        return replace(usage, seconds=(mean, mean), seconds_from="measured")
    return usage


def _advice(
    settings: EnvironmentSettings, measured: Measured | None, wanted: Templates, prices: Prices
) -> tuple[Advice, ...]:
    bill = Bill(wanted, settings.region, prices)
    instances = 0.0
    for _, config in bill.resources("AWS::SageMaker::EndpointConfig"):
        for variant in config.get("ProductionVariants", []):
            if variant.get("VariantName") == settings.endpoint.variant_name:
                instances = variant_week(bill, variant).mean.low
    return advise(settings, measured, instances, prices)
