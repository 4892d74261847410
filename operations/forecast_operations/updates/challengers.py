"""How a challenger is taken out of an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from forecast_operations.updates.proposal import OPTIONS

if TYPE_CHECKING:
    from forecast_operations.updates.obstacles import Permission

Contest = Literal["shadow", "split"]

NEEDED: dict[Contest, Permission | None] = {"shadow": None, "split": "unguarded"}
"""What must be allowed for it, as `obstacles` says of the update.

A part of a split is a production variant, and a guarded rollout keeps the names of those. A shadow
is none: the champion stays what it is, and the update is guarded as any.
"""


def end_command(kind: Contest, environment: str) -> str:
    """The command that deploys an environment without its challenger.

    Args:
        kind: How the challenger was compared.
        environment: Name of the environment, from whose rollout it has been taken.
    """
    permission = NEEDED[kind]
    option = "" if permission is None else f" {OPTIONS[permission]}"
    return f"forecast deploy {environment}{option}"
