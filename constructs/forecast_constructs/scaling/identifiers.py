"""Ids of what is made for the entries of a mapping, by the keys that a person gave them."""

from __future__ import annotations


def pascal_case(key: str) -> str:
    """A key such as `market-days` as the id of a construct: `MarketDays`."""
    return "".join(part[:1].upper() + part[1:] for part in key.split("-"))
