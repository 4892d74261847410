"""The CDK app: every environment of the configuration as a set of stacks."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from aws_cdk import App

from forecast_config import ForecastError, load_config
from forecast_config.support import support_warning
from forecast_packaging import progress_lines
from forecast_packaging.building.environment import package_for, select
from forecast_stacks import SynthContext, add_environment


def main() -> None:
    """Synthesize what the context flags ask for."""
    app = App(analytics_reporting=False)
    context = SynthContext.from_node(app.node)
    config = load_config(context.config, accounts=context.accounts)
    selector = select(
        config,
        model_version=context.model_version,
        model_alias=context.model_alias,
        candidate_run_id=context.candidate_run_id,
    )
    progress = progress_lines(sys.stderr)
    today = datetime.now(UTC).date()
    for settings in context.select(config):
        warning = support_warning(settings, today)
        if warning is not None:
            sys.stderr.write(f"warning: {warning}\n")
        packaged_model = package_for(config, settings, selector, progress)
        add_environment(app, settings, packaged_model, image_uri=context.image_uri)
    app.synth()


if __name__ == "__main__":
    try:
        main()
    except ForecastError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
