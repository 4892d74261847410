"""Promotions: what was verified in one environment becomes what another one runs."""
