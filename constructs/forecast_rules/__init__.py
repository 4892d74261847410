"""The project's own rules on finished CloudFormation templates: data, catalog and offline engine.

Nothing here needs the CDK. `forecast_constructs.SageMakerRules` runs the same rules inside a synth.
"""

from forecast_rules.catalog import Rule, Severity, find_rule, rego_sources, rules
from forecast_rules.engine import Finding, RuleEngine, TemplateUnreadableError

__all__ = [
    "Finding",
    "Rule",
    "RuleEngine",
    "Severity",
    "TemplateUnreadableError",
    "find_rule",
    "rego_sources",
    "rules",
]
