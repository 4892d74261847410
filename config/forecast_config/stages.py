"""Stages: defaults that are built in for environments called dev, staging and prod."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from forecast_config.instances import ignores_guardrails, known_instance_types
from forecast_config.merge import merge

if TYPE_CHECKING:
    from collections.abc import Mapping

_TWO = 2


@cache
def _table() -> dict[str, dict[str, dict[str, Any]]]:
    text = files("forecast_config").joinpath("data/stages.yaml").read_text("utf-8")
    table: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(text)
    return table


def stage_names() -> tuple[str, ...]:
    """Names of the environments that have built-in defaults."""
    return tuple(_table())


def stage_defaults(name: str, block: Mapping[str, Any]) -> dict[str, Any]:
    """What is built in for an environment of a name; nothing for other names.

    Only what the endpoint's kind supports is in it, so that a block without further keys is valid
    whatever its kind; a rollout by parts is in it only where there are always two instances.

    Args:
        name: The environment's name.
        block: The environment's keys over the file's defaults, as they stand in the file.
    """
    layers = _table().get(name)
    if layers is None:
        return {}
    kind = _mapping(block, "endpoint").get("kind")
    built_in = _over(layers["every"], layers.get(kind, {}) if isinstance(kind, str) else {})
    if not isinstance(block.get("autoscaling"), dict):
        built_in.pop("autoscaling", None)
    if kind == "realtime" and _has_two_instances(_over(built_in, block)):
        built_in = _over(built_in, layers.get("two_instances", {}))
    return built_in


def _over(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged, _ = merge(dict(defaults), dict(own), (), ())
    return merged


def _has_two_instances(block: Mapping[str, Any]) -> bool:
    """Whether parts of the fleet can be replaced, whatever it is scaled to."""
    endpoint, autoscaling = _mapping(block, "endpoint"), _mapping(block, "autoscaling")
    instance_type = endpoint.get("instance_type")
    if not isinstance(instance_type, str) or instance_type not in known_instance_types():
        return False
    if ignores_guardrails(instance_type):
        return False
    counts = [endpoint.get("initial_instance_count", 1)]
    if autoscaling:
        actions = _mapping(autoscaling, "scheduled").values()
        scheduled = [action for action in actions if isinstance(action, dict)]
        lows = [action.get("min_instance_count") for action in scheduled]
        highs = [action.get("max_instance_count") for action in scheduled]
        given = [count for count in (*lows, *highs) if count is not None]
        counts = [autoscaling.get("min_instance_count", 1), *given]
    return all(isinstance(count, int) and count >= _TWO for count in counts)


def _mapping(block: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = block.get(key)
    return value if isinstance(value, dict) else {}
