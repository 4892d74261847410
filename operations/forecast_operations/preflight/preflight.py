"""The checks, all of them: each looks for itself, and none keeps another from looking."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.refusals import CloudError, NotAllowedError
from forecast_operations.preflight.bootstrap import look_at_bootstrap
from forecast_operations.preflight.disk import look_at_disk
from forecast_operations.preflight.encryption import look_at_key
from forecast_operations.preflight.finding import failed, skipped
from forecast_operations.preflight.identity import home_of, look_at_identity
from forecast_operations.preflight.image import look_at_image, look_at_support
from forecast_operations.preflight.model import look_at_model
from forecast_operations.preflight.names_taken import (
    look_at_alarm_names,
    look_at_bucket_name,
    look_at_endpoint_name,
    look_at_log_groups,
)
from forecast_operations.preflight.network import look_at_security_groups, look_at_subnets
from forecast_operations.preflight.offerings import look_at_instance_types
from forecast_operations.preflight.quotas import (
    look_at_functions,
    look_at_networks,
    look_at_quotas,
)
from forecast_operations.preflight.scaling_role import look_at_scaling_role
from forecast_operations.preflight.stacks import (
    look_at_endpoint,
    look_at_protection,
    look_at_stacks,
)
from forecast_operations.preflight.surroundings import Surroundings
from forecast_operations.preflight.tools import look_at_tools
from forecast_operations.preflight.ways_out import look_at_ways_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from forecast_config import EnvironmentSettings, ForecastConfig
    from forecast_operations.preflight.finding import Finding

    Look = Callable[[Surroundings], Iterable[Finding]]

_AT_ONCE = 8
"""Checks that look at once: nearly all of their time is spent waiting for AWS."""


@dataclass(frozen=True)
class Check:
    """Something to look at.

    Attributes:
        name: What is looked at; what a finding is called when nothing could be seen.
        look: Looks, and gives what it found.
        asks_aws: Whether it needs credentials.
    """

    name: str
    look: Look
    asks_aws: bool = True


CHECKS = (
    Check("tools", look_at_tools, asks_aws=False),
    Check("model", look_at_model, asks_aws=False),
    Check("disk", look_at_disk, asks_aws=False),
    Check("image support", look_at_support, asks_aws=False),
    Check("bootstrap", look_at_bootstrap),
    Check("stacks", look_at_stacks),
    Check("termination protection", look_at_protection),
    Check("endpoint", look_at_endpoint),
    Check("name of the endpoint", look_at_endpoint_name),
    Check("name of the bucket", look_at_bucket_name),
    Check("log groups", look_at_log_groups),
    Check("names of alarms", look_at_alarm_names),
    Check("quotas", look_at_quotas),
    Check("quota for functions", look_at_functions),
    Check("quota for VPCs", look_at_networks),
    Check("instance types", look_at_instance_types),
    Check("image", look_at_image),
    Check("key", look_at_key),
    Check("subnets", look_at_subnets),
    Check("security groups", look_at_security_groups),
    Check("ways out", look_at_ways_out),
    Check("role for scaling", look_at_scaling_role),
)


def run_checks(
    config: ForecastConfig,
    settings: EnvironmentSettings,
    *,
    cloud: Cloud | None = None,
    home: Cloud | None = None,
    checks: Sequence[Check] = CHECKS,
    done: Callable[[str], None] = lambda _: None,
) -> list[Finding]:
    """Look at everything that a deployment of an environment needs; nothing is changed.

    Args:
        config: The configuration that the environment is in.
        settings: The environment.
        cloud: AWS in its region; default: with the credentials of the surroundings.
        home: AWS in a region that is always open; default: one of the same partition.
        checks: What is looked at, besides credentials and region.
        done: Told the name of each check that has looked.

    Returns:
        What was found, in the order of the checks.
    """
    here = Cloud(settings.region) if cloud is None else cloud
    there = Cloud(home_of(settings.region)) if home is None else home
    account, identity = look_at_identity(settings, here, there)
    done("credentials")
    around = Surroundings(config=config, settings=settings, cloud=here)
    if account is not None:
        around = replace(around, account=account)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = {pool.submit(_look, check, around): check for check in checks}
        for finished in as_completed(running):
            done(running[finished].name)
    # A dict keeps the order in which they were begun.
    return [*identity, *(finding for each in running for finding in each.result())]


def _look(check: Check, around: Surroundings) -> list[Finding]:
    if check.asks_aws and not around.account:
        return [skipped(check.name, "credentials, account or region do not fit")]
    findings: list[Finding] = []
    try:
        findings.extend(check.look(around))
    except NotAllowedError as error:
        advice = f"allow {error.permission}: the page on permissions lists all that are needed"
        findings.append(skipped(check.name, f"permission {error.permission} is missing", advice))
    except CloudError as error:
        # What stands between here and AWS may answer with a page of HTML.
        text = re.sub(r"<[^<>]*>", " ", str(error))
        findings.append(skipped(check.name, " ".join(text.split())))
    except ForecastError as error:
        findings.append(failed(check.name, str(error), "", ""))
    return findings
