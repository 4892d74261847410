"""Verifications: what proves that an endpoint serves what was deployed, and serves it well."""
