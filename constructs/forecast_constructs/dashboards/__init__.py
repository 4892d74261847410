"""Dashboards: what is shown of an environment, and of all of them together."""
