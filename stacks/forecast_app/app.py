"""The CDK app: every environment of the configuration as a set of stacks."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from aws_cdk import App, Validations

from forecast_config import ForecastError, load_config
from forecast_config.support import support_warning
from forecast_constructs.rules import SageMakerRules
from forecast_packaging import progress_lines
from forecast_packaging.building.environment import package_challenger_for, package_for, select
from forecast_stacks import SynthContext, add_environment, add_overview


def main() -> None:
    """Synthesize what the context flags ask for; a user's mistake is a sentence, no traceback."""
    try:
        _synthesize()
    except ForecastError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)


def _synthesize() -> None:
    app = App(analytics_reporting=False)
    Validations.of(app).add_plugins(SageMakerRules())
    context = SynthContext.from_node(app.node)
    if context.conformance:
        from forecast_constructs.conformance import (  # noqa: PLC0415 - costs half a second
            conformance_packs,
        )

        Validations.of(app).add_plugins(*conformance_packs(app))
    config = load_config(context.config, accounts=context.accounts)
    selector = select(
        config,
        model_version=context.model_version,
        model_alias=context.model_alias,
        candidate_run_id=context.candidate_run_id,
    )
    progress = progress_lines(sys.stderr)
    today = datetime.now(UTC).date()
    environments = context.select(config)
    for settings in environments:
        warning = support_warning(settings, today)
        if warning is not None:
            sys.stderr.write(f"warning: {warning}\n")
        packaged_model = package_for(config, settings, selector, progress)
        challenger = package_challenger_for(config, settings, progress)
        add_environment(
            app,
            settings,
            packaged_model,
            challenger=challenger,
            image_uri=context.image_uri,
            reset_weights=context.reset_weights,
        )
    add_overview(
        app, list(config.environments.values()), selected={each.name for each in environments}
    )
    app.synth()
