"""Endpoints as they are: asked, listed, described and deleted."""
