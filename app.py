"""The CDK app: every environment of the configuration as a set of stacks."""

from forecast_app import main

main()
