"""Defaults laid under an environment's own keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecast_config.words import KeyPath


def merge(
    defaults: dict[str, Any], own: dict[str, Any], path: KeyPath, base: KeyPath
) -> tuple[dict[str, Any], dict[KeyPath, KeyPath]]:
    """An environment's keys over the defaults, and where each default came from.

    Mappings are merged key by key; anything else, and a mapping of another `kind`, replaces the
    default. `null` replaces it too, which switches an optional block off.

    Args:
        defaults: The block under `defaults`.
        own: The environment's block.
        path: Key path of the environment's block.
        base: Key path of the block under `defaults`.

    Returns:
        The merged block, and the key path under `defaults` for each key path taken from there.
    """
    merged = dict(own)
    origins: dict[KeyPath, KeyPath] = {}
    for key, value in defaults.items():
        here, there = (*path, key), (*base, key)
        if key not in own:
            merged[key] = value
            origins[here] = there
        elif isinstance(value, dict) and isinstance(own[key], dict) and _same_kind(value, own[key]):
            merged[key], inner = merge(value, own[key], here, there)
            origins |= inner
    return merged, origins


def _same_kind(default: dict[str, Any], own: dict[str, Any]) -> bool:
    return "kind" not in own or own["kind"] == default.get("kind")
