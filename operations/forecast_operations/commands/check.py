"""`forecast check`: the project's rules on any CloudFormation template."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from forecast_config import ForecastError
from forecast_operations.console import out, print_document, say
from forecast_operations.options import JsonOption  # noqa: TC001  # typer reads the annotations
from forecast_rules import RuleEngine, TemplateUnreadableError, find_rule, rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forecast_rules import Finding, Rule

FINDINGS = 1
"""Exit code when a rule is broken; 2 is for a template that cannot be read."""

_SUFFIXES = (".json", ".yaml", ".yml")
_WILDCARDS = frozenset("*?[")
_FOR_AN_ENVIRONMENT = "; for an environment: npx cdk synth, then forecast check cdk.out"


class TemplateError(ForecastError):
    """A template that is not there, or is none."""

    exit_code = 2


@dataclass(frozen=True)
class _Template:
    """A file to check and where it is deployed to, as far as a cloud assembly says so."""

    path: Path
    region: str | None = None


def check_command(
    templates: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEMPLATE]...", help="Templates, patterns, or folders such as cdk.out."
        ),
    ] = None,
    *,
    chosen_rules: Annotated[
        list[str] | None, typer.Option("--rule", help="Only this rule; may be repeated.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the rules that are built into the engine.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings, too.")] = False,
    region: Annotated[
        str | None,
        typer.Option(help="Region they are deployed to; known for the folder of a CDK synth."),
    ] = None,
    as_json: JsonOption = False,
    list_rules: Annotated[
        bool, typer.Option("--list", help="List the rules and check nothing.")
    ] = False,
    explain: Annotated[str | None, typer.Option(help="Explain one rule and check nothing.")] = None,
) -> None:
    """Find what AWS refuses late, ignores silently or undoes by itself, before it is deployed.

    Works on any CloudFormation template, in JSON or YAML, and needs no account and no network.
    """
    if list_rules:
        out.print(_rule_table())
        return
    if explain is not None:
        out.print(_explanation(_known_rule(explain)), markup=False)
        return
    wanted = {_known_rule(rule_id).rule_id for rule_id in chosen_rules or ()}
    findings = _check(_find_templates(templates or ()), region, everything=everything)
    if wanted:
        findings = [finding for finding in findings if finding.rule_id in wanted]
    _report(findings, as_json=as_json)
    if any(strict or finding.severity == "error" for finding in findings):
        raise typer.Exit(FINDINGS)


def _find_templates(arguments: Sequence[str]) -> list[_Template]:
    """Every template that the arguments name, once.

    Raises:
        TemplateError: An argument names none.
    """
    if not arguments:
        raise TemplateError("expected a template, a pattern or a folder, such as: cdk.out")
    found: dict[Path, _Template] = {}
    for argument in arguments:
        named = {template.path: template for template in _named(argument)}
        if not named:
            hint = "" if Path(argument).suffix or Path(argument).exists() else _FOR_AN_ENVIRONMENT
            raise TemplateError(f"expected a template, got '{argument}', which names none{hint}")
        found.update(named)
    return list(found.values())


def _named(argument: str) -> Iterator[_Template]:
    path = Path(argument)
    if path.is_dir():
        yield from _in_folder(path)
    elif path.is_file():
        yield _Template(path)
    elif _WILDCARDS & set(argument):
        base = Path(path.anchor) if path.is_absolute() else Path()
        pattern = str(path.relative_to(path.anchor)) if path.is_absolute() else argument
        yield from (_Template(each) for each in sorted(base.glob(pattern)) if each.is_file())


def _in_folder(folder: Path) -> Iterator[_Template]:
    assembly = sorted(folder.rglob("*.template.json"))
    if assembly:
        regions = _regions(folder)
        yield from (_Template(path, regions.get(path.name)) for path in assembly)
        return
    for path in sorted(folder.rglob("*")):
        if path.suffix in _SUFFIXES and "Resources" in path.read_text("utf-8", errors="replace"):
            yield _Template(path)


def _regions(folder: Path) -> dict[str, str]:
    """Region by the template's file name, as the manifests of a cloud assembly say."""
    regions: dict[str, str] = {}
    for manifest in folder.rglob("manifest.json"):
        artifacts = json.loads(manifest.read_text("utf-8")).get("artifacts", {})
        for artifact in artifacts.values():
            template = artifact.get("properties", {}).get("templateFile")
            region = artifact.get("environment", "").rpartition("/")[2]
            if template is not None and region and region != "unknown-region":
                regions[template] = region
    return regions


def _check(
    templates: Sequence[_Template], region: str | None, *, everything: bool
) -> list[Finding]:
    """What the rules find in all templates, by file and line.

    Raises:
        TemplateError: One is no template.
    """
    engine = RuleEngine()
    findings: list[Finding] = []
    for template in templates:
        where = template.region if region is None else region
        try:
            content = template.path.read_bytes()
            findings += engine.check(
                content, name=str(template.path), region=where, builtin=everything
            )
        except OSError as error:
            raise TemplateError(f"cannot read {template.path}: {error.strerror}") from None
        except TemplateUnreadableError as error:
            raise TemplateError(
                f"expected a CloudFormation template, got {template.path}: {error}"
            ) from None
    return findings


def _report(findings: Sequence[Finding], *, as_json: bool) -> None:
    if as_json:
        print_document(findings)
        return
    if findings:
        out.print(_finding_table(findings))
    counts = Counter(finding.severity for finding in findings)
    rule = next((finding.rule_id for finding in findings if finding.own), None)
    hint = "" if rule is None else f"; for more: forecast check --explain {rule}"
    say(f"{counts['error']} errors, {counts['warning']} warnings{hint}")


def _finding_table(findings: Sequence[Finding]) -> Table:
    places = [f"{finding.file}:{finding.line}" for finding in findings]
    table = Table(
        # Whole, so that a terminal can open it; the other columns give way.
        Column("where", min_width=max(map(len, places)), overflow="fold"),
        Column("rule", no_wrap=True),
        "severity",
        Column("resource", overflow="fold"),
        Column("finding", overflow="fold"),
        Column("fix", overflow="fold"),
    )
    for place, finding in zip(places, findings, strict=True):
        table.add_row(
            escape(place),
            finding.rule_id,
            finding.severity,
            finding.resource,
            escape(finding.message),
            None if finding.fix is None else escape(finding.fix),
        )
    return table


def _rule_table() -> Table:
    table = Table(Column("rule", no_wrap=True), "severity", Column("finds", overflow="fold"))
    for rule in rules():
        table.add_row(rule.rule_id, rule.severity, rule.title)
    return table


def _known_rule(rule_id: str) -> Rule:
    rule = find_rule(rule_id)
    if rule is None:
        raise TemplateError(
            f"expected a rule such as {rules()[0].rule_id}, got '{rule_id}'; "
            "for all of them: forecast check --list"
        )
    return rule


def _explanation(rule: Rule) -> str:
    return (
        f"{rule.rule_id} ({rule.severity}): {rule.title}\n\n"
        f"{rule.reason}\n\nfix: {rule.fix}\nsource: {rule.source}\n{rule.url}\n\n"
        f"a template that breaks it:\n\n{rule.failing}\n"
        f"a template that keeps it:\n\n{rule.passing}"
    )
