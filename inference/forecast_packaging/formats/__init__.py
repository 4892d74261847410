"""Formats: which files of a model are served, and by which library."""
