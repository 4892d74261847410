"""Requests: from the bytes of a body to checked columns."""
