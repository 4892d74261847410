"""The CDK app of a project: what its `app.py` runs."""

from forecast_app.app import main

__all__ = ["main"]
