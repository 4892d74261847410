"""Plants defects of one line and asks each check what it says; writes the page of what caught what.

python tests/support/planted_defects.py --write docs/defects.md
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cloudformation_yaml import load_template
from generated_page import print_or_write

from forecast_config import ConfigError, load_config
from forecast_rules import Finding, RuleEngine

COMPLIANCE = Path(__file__).parents[1] / "compliance"
TEMPLATES = ("realtime", "serverless", "asynchronous")
REGION = "eu-central-1"


@dataclass(frozen=True)
class Caught:
    """A planted defect and what the checks say of it.

    Attributes:
        kind: schema, semantic or security.
        place: The configuration, or the template that it is planted into.
        what: The defect in a few words.
        change: The line that is changed.
        load: What the configuration's loader says.
        builtin: What the built-in rules of CloudFormation Validate say.
        own: What the project's rules say.
    """

    kind: str
    place: str
    what: str
    change: str
    load: tuple[str, ...] = ()
    builtin: tuple[Finding, ...] = ()
    own: tuple[Finding, ...] = ()

    @property
    def message(self) -> str:
        """What a person reads first."""
        return self.load[0] if self.load else (*self.own, *self.builtin)[0].message


def template_text(name: str) -> str:
    return (COMPLIANCE / "templates" / f"{name}.yaml").read_text(encoding="utf-8")


def configuration_problems(document: dict[str, Any]) -> tuple[str, ...]:
    """What is said of a configuration, without places in the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "forecast.yaml")
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        try:
            load_config(path)
        except ConfigError as error:
            return tuple(f"{problem.key}: {problem.message}" for problem in error.problems)
    return ()


def plant_all(engine: RuleEngine) -> list[Caught]:
    """Every defect, planted by itself."""
    text = (COMPLIANCE / "planted_defects.yaml").read_text(encoding="utf-8")
    planted = yaml.safe_load(text)
    grounds = {name: load_template(template_text(name)) for name in TEMPLATES}
    grounds["configuration"] = planted["configuration"]
    return [_plant(engine, grounds[defect["in"]], defect) for defect in planted["defects"]]


def _plant(engine: RuleEngine, ground: dict[str, Any], defect: dict[str, Any]) -> Caught:
    document = copy.deepcopy(ground)
    _change(document, defect)
    value = json.dumps(defect.get("to"))
    change = f"{defect['at']} removed" if defect.get("drop") else f"{defect['at']} = {value}"
    known = (defect["kind"], defect["in"], defect["what"], change)
    if defect["in"] == "configuration":
        return Caught(*known, load=configuration_problems(document))
    findings = engine.check(json.dumps(document), region=REGION, builtin=True)
    return Caught(
        *known,
        builtin=tuple(finding for finding in findings if not finding.own),
        own=tuple(finding for finding in findings if finding.own),
    )


def _change(document: Any, defect: dict[str, Any]) -> None:
    *parents, last = (int(part) if part.isdigit() else part for part in defect["at"].split("."))
    block = document
    for part in parents:
        block = block[part]
    if defect.get("drop"):
        del block[last]
    elif isinstance(block, list) and last == len(block):
        block.append(defect["to"])
    else:
        block[last] = defect["to"]


def document(defects: list[Caught]) -> str:
    """The page as Markdown."""
    lines = "\n".join(_row(number, defect) for number, defect in enumerate(defects, start=1))
    return f"""\
# Planted defects

<!-- Generated: python tests/support/planted_defects.py --write docs/defects.md -->

{len(defects)} defects of one line, each planted by itself into a configuration or a template that
is right: no check says anything of it before. `tests/compliance/planted_defects.yaml` has them,
and a test plants them again with every change. Those in a template are caught at synth, also when
an escape hatch puts them there; CloudFormation Validate is what the CDK has built in.

| kind | defects | at load | CloudFormation Validate | our rules | our rules alone | missed |
|---|---|---|---|---|---|---|
{_summary(defects)}

| # | kind | defect | planted into | at load | CloudFormation Validate | our rules | message |
|---|---|---|---|---|---|---|---|
{lines}
"""


def _summary(defects: list[Caught]) -> str:
    rows = []
    for kind in ("schema", "semantic", "security"):
        of_kind = [defect for defect in defects if defect.kind == kind]
        counts = Counter(
            name
            for defect in of_kind
            for name, caught in {
                "load": defect.load,
                "builtin": defect.builtin,
                "own": defect.own,
                "alone": defect.own and not defect.builtin,
                "missed": not (defect.load or defect.builtin or defect.own),
            }.items()
            if caught
        )
        rows.append(
            f"| {kind} | {len(of_kind)} | {counts['load']} | {counts['builtin']} "
            f"| {counts['own']} | {counts['alone']} | {counts['missed']} |"
        )
    return "\n".join(rows)


def _row(number: int, defect: Caught) -> str:
    message = defect.message.replace("|", "\\|").replace("\n", " ")
    return (
        f"| {number} | {defect.kind} | {defect.what} | {defect.place} "
        f"| {'yes' if defect.load else ''} | {_ids(defect.builtin)} | {_ids(defect.own)} "
        f"| {message} |"
    )


def _ids(findings: tuple[Finding, ...]) -> str:
    return ", ".join(sorted({finding.rule_id for finding in findings}))


if __name__ == "__main__":
    print_or_write(__doc__, lambda: document(plant_all(RuleEngine())))
