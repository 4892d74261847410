"""How a challenger is taken out of an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from forecast_operations.updates.obstacles import OPTIONS

if TYPE_CHECKING:
    from forecast_operations.updates.obstacles import Permission

Kind = Literal["shadow", "split"]
"""How a challenger is compared: it gets copies of requests, or answers a share itself."""

NEEDED: dict[Kind, Permission | None] = {"shadow": None, "split": "unguarded"}
"""What must be allowed for it, as `obstacles` says of the update.

A part of a split is a production variant, and a guarded rollout keeps the names of those. A shadow
is none: the champion stays what it is, and the update is guarded as any.
"""


def end_command(kind: Kind, environment: str, command: str = "deploy") -> str:
    """The command that leaves an environment without its challenger.

    Args:
        kind: How the challenger was compared.
        environment: Name of the environment.
        command: `deploy`, once its rollout compares no more, or `rollback`, to the champion that
            was verified, whatever the rollout says.
    """
    permission = NEEDED[kind]
    option = "" if permission is None else f" {OPTIONS[permission]}"
    return f"forecast {command} {environment}{option}"
