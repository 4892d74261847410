"""The page of the rules, generated from the catalog.

python -m forecast_rules.document --write docs/rules.md
"""

from __future__ import annotations

import argparse
import sys
from itertools import groupby
from pathlib import Path

from forecast_rules.catalog import GROUPS, Rule, rules

_TITLES = {
    "rollout": "Rollouts",
    "endpoint": "Models, variants and endpoints",
    "serverless": "Serverless endpoints",
    "async": "Asynchronous endpoints",
    "scaling": "Scaling",
    "alarm": "Alarms",
    "security": "Security",
    "deletion": "Deletion and replacement",
}

_INTRODUCTION = """\
# Rules

<!-- Generated: python -m forecast_rules.document --write docs/rules.md -->

{count} rules on finished CloudFormation templates: {errors} errors, which AWS refuses late, ignores
silently or which undo themselves, and {warnings} warnings. They read the template as it is
deployed, so that they also see what an escape hatch (`add_property_override`) changed, and
templates that this project did not make. What is known at deployment only (a parameter, an import)
makes a rule silent.

| where | how |
|---|---|
| every synth of this project | `app.py` adds them; an error ends the synth |
| any other CDK app | `Validations.of(app).add_plugins(SageMakerRules())` |
| any template, without the CDK | `forecast check cdk.out`, `forecast check template.yaml --json` |
| one rule | `forecast check --explain FC-ROLLOUT-001` |

`SageMakerRules` is in `forecast_constructs.rules`. An exception is recorded where it is made, with
its reason:

```python
Validations.of(endpoint).acknowledge(
    Acknowledgment(id="CloudFormation-Validate::FC-ROLLOUT-001", reason="…")
)
```

Each rule is a file in `constructs/forecast_rules/rules`; beside it are a template that keeps it and
one that breaks it, which are its tests. The engine is
[cloudformation-validate](https://github.com/aws-cloudformation/cloudformation-validate), the one
that the CDK has built in; it runs offline.
"""


def document() -> str:
    """The page as Markdown."""
    errors = sum(rule.severity == "error" for rule in rules())
    introduction = _INTRODUCTION.format(
        count=len(rules()), errors=errors, warnings=len(rules()) - errors
    )
    by_group = {group: list(found) for group, found in groupby(rules(), lambda rule: rule.group)}
    sections = [_section(group, by_group[group]) for group in GROUPS]
    return "\n".join([introduction, *sections])


def _section(group: str, found: list[Rule]) -> str:
    table = "\n".join(
        f"| [{rule.rule_id}](#{rule.rule_id.lower()}) | {rule.severity} | {rule.title} |"
        for rule in found
    )
    details = "\n".join(_details(rule) for rule in found)
    return (
        f"## {_TITLES[group]}\n\n| rule | severity | finds |\n|---|---|---|\n{table}\n\n{details}"
    )


def _details(rule: Rule) -> str:
    folder = f"../constructs/forecast_rules/rules/{rule.group}/{rule.rule_id}"
    return (
        f"### {rule.rule_id}\n\n"
        f"{rule.title[0].upper()}{rule.title[1:]}. {rule.reason}\n\n"
        f"- Fix: {rule.fix}\n"
        f"- Source: [{rule.source}]({rule.url})\n"
        f"- [Rule]({folder}.rego), [breaks it]({folder}.failing.yaml),"
        f" [keeps it]({folder}.passing.yaml)\n"
    )


def main() -> None:
    """Print the page, or write it to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="file to write it to instead of printing it")
    target = parser.parse_args().write
    if target is None:
        sys.stdout.write(document())
    else:
        target.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
