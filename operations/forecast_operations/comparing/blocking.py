"""What forbids an answer, however accurate the forecasts are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from forecast_operations.comparing.sharing import fails_more

if TYPE_CHECKING:
    from forecast_operations.comparing.judging import Answer
    from forecast_operations.comparing.sharing import Sharing
    from forecast_operations.comparing.traffic import Traffic


@dataclass(frozen=True)
class Block:
    """Something that no accuracy makes up for.

    Forecasts are compared where both variants answered: what failed, or never came, is not among
    them.

    Attributes:
        cause: What it is.
        answer: The answer that is left.
        reason: Why, in words.
    """

    cause: Literal["failures", "shares"]
    answer: Answer
    reason: str


def block_of(sharing: Sharing, champion: Traffic, challenger: Traffic) -> Block | None:
    """What forbids to call the challenger better; None: nothing does.

    Args:
        sharing: How the requests were shared.
        champion: What the champion got of clients, and answered.
        challenger: What the challenger got of clients, and answered.
    """
    if fails_more(champion, challenger):
        reason = (
            f"it fails more often: {challenger.failed} of {challenger.invocations} requests, and "
            f"{champion.failed} of {champion.invocations} of the champion's; what failed is not "
            "among the forecasts"
        )
        return Block("failures", "worse", reason)
    if sharing.is_mismatch:
        reason = (
            "the shares do not fit: the requests of both do not compare, nor do the forecasts "
            "that were asked for"
        )
        return Block("shares", "not enough data", reason)
    return None


def capped(answer: Answer, block: Block | None) -> Answer:
    """An answer, no better than what forbids it allows."""
    return answer if block is None or answer == "worse" else block.answer
