"""`forecast preflight`: everything that a deployment needs, looked at before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from forecast_config import load_config, load_environments
from forecast_operations.console import err, out, print_document, say
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentArgument,
    JsonOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_config import EnvironmentSettings, ForecastConfig
    from forecast_operations.preflight.finding import Finding

REFUSED = 1
"""Exit code when a condition is not met."""


AccountOption = Annotated[
    str | None,
    typer.Option(help="Account id, where only a context flag (accounts=…) names it."),
]
ProblemsOption = Annotated[bool, typer.Option("--problems", help="Show only what is not fine.")]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Fail on warnings and on what could not be looked at.")
]


def preflight_command(
    environment: EnvironmentArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    account: AccountOption = None,
    problems: ProblemsOption = False,
    strict: StrictOption = False,
    as_json: JsonOption = False,
) -> None:
    """Look at everything a deployment needs before it begins, and change nothing.

    Credentials and account, bootstrap and tools, quotas with a second fleet, image, key, network,
    names, stacks, model and disk: all are looked at, whatever the others found. The exit code is 1
    when one of them would make the deployment fail.
    """
    project, wanted = load_environments(config, [environment])
    settings = wanted[environment]
    if account is not None:
        project = load_config(config, accounts={environment: account})
        settings = project.environments[environment]
    findings = _look(project, settings)
    passed = not _refused(findings, strict=strict)
    if as_json:
        print_document({"environment": environment, "passed": passed, "findings": findings})
    else:
        shown = [each for each in findings if each.status != "ok"] if problems else findings
        _show(environment, shown, findings, passed=passed)
    if not passed:
        raise typer.Exit(REFUSED)


def _look(project: ForecastConfig, settings: EnvironmentSettings) -> list[Finding]:
    from forecast_operations.preflight.preflight import CHECKS, run_checks  # noqa: PLC0415 - see cli

    looked: list[str] = []
    with err.status(f"looking at what {settings.name} needs") as status:

        def done(name: str) -> None:
            looked.append(name)
            status.update(f"{len(looked)} of {len(CHECKS) + 1}: {name}")

        return run_checks(project, settings, done=done)


def _show(
    environment: str, shown: Sequence[Finding], findings: Sequence[Finding], *, passed: bool
) -> None:
    from forecast_operations.preflight.report import as_table, summary  # noqa: PLC0415 - see cli

    if shown:
        out.print(as_table(shown))
    say(f"{summary(findings)}: {_verdict(environment, findings, passed=passed)}")


def _refused(findings: Sequence[Finding], *, strict: bool) -> bool:
    fatal = ("failed", "warning", "skipped") if strict else ("failed",)
    return any(finding.status in fatal for finding in findings)


def _verdict(environment: str, findings: Sequence[Finding], *, passed: bool) -> str:
    if passed:
        return f"go on with: forecast plan {environment}"
    if any(finding.status == "failed" for finding in findings):
        return "mend what failed, and look again"
    return "refused, as --strict asks"
