"""Emergencies: an environment made small or taken away, and brought back as it was."""
