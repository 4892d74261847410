"""Which captured answers belong together, and what is learnt of them.

A shadow answers copies of the champion's requests, so that each of its answers has a partner: the
champion's answer to the same body, of the same caller's id where there is one. AWS does not
document an id that both captures share; the body is the same in any case. In a split each request
has one answer: what is compared there is what both forecast for the same item, date and step.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from forecast_operations.comparing.cells import CHALLENGER, CHAMPION, Cells
from forecast_operations.comparing.exchanges import DamagedError, read_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from forecast_operations.comparing.captures import Capture, Reading
    from forecast_operations.comparing.contract import Contract
    from forecast_operations.comparing.exchanges import Forecast


@dataclass
class Side:
    """One variant while its captures are read.

    Attributes:
        hours: Its captures by hour, the newest first.
        reading: What was read of them.
        version: Model version that it is compared as; None: any.
        rows: Forecasts that were taken.
        other_versions: Forecasts that name another version, which are left out.
    """

    hours: Iterator[tuple[datetime, list[Capture]]]
    reading: Reading
    version: str | None
    rows: int = 0
    other_versions: int = 0

    def forecasts(self, capture: Capture, contract: Contract) -> list[Forecast]:
        """The forecasts of a capture; none when it is damaged, which is counted."""
        try:
            return read_exchange(capture.request, capture.answer, contract)
        except DamagedError as error:
            self.reading.damaged[str(error)] += 1
            return []

    def takes(self, forecast: Forecast) -> bool:
        """Whether a forecast is of the version that is compared."""
        taken = self.version is None or forecast.version in {None, self.version}
        self.rows += taken
        self.other_versions += not taken
        return taken


@dataclass
class Pairs:
    """How many requests found their partner.

    Attributes:
        matched: Requests whose two answers were compared.
        alone: Answers of the challenger without a partner.
    """

    matched: int = 0
    alone: int = 0
    _waiting: dict[bytes, deque[Capture]] = field(default_factory=dict)

    def wait(self, captures: list[Capture]) -> None:
        """Keep the champion's answers until their partners come."""
        for capture in captures:
            self._waiting.setdefault(capture.digest, deque()).append(capture)

    def partner(self, capture: Capture) -> Capture | None:
        """The champion's answer to the same request."""
        found = self._waiting.get(capture.digest)
        if not found:
            return None
        for place, each in enumerate(found):
            if _same_caller(each, capture):
                del found[place]
                return each
        return found.popleft()

    def forget_all_but(self, captures: list[Capture]) -> None:
        """Keep those of one hour only: a copy is answered within it, or at the hour's turn."""
        kept = {id(capture) for capture in captures}
        waiting, self._waiting = self._waiting, {}
        for queue in waiting.values():
            self.wait([capture for capture in queue if id(capture) in kept])


def read_shadow(champion: Side, challenger: Side, contract: Contract, cells: Cells) -> Pairs:
    """Compare a shadow's answers with the champion's to the same requests, hour by hour."""
    pairs, late = Pairs(), cast("list[Capture]", [])
    for ours, theirs in _by_hour(champion.hours, challenger.hours):
        pairs.wait(ours)
        unmatched = []
        for capture in [*late, *theirs]:
            partner = pairs.partner(capture)
            if partner is None:
                unmatched.append(capture)
            elif partner.is_own or capture.is_own:
                challenger.reading.own += 1
                champion.reading.own += 1
            else:
                pairs.matched += 1
                _add_pairs(champion, partner, challenger, capture, contract, cells)
        newest = {id(capture) for capture in theirs}
        pairs.alone += sum(id(capture) not in newest for capture in unmatched)
        late = [capture for capture in unmatched if id(capture) in newest]
        pairs.forget_all_but(ours)
    pairs.alone += len(late)
    return pairs


def read_split(champion: Side, challenger: Side, contract: Contract, cells: Cells) -> None:
    """Add the answers of both parts of a split, each to its own requests."""
    for variant, side in ((CHAMPION, champion), (CHALLENGER, challenger)):
        for _, captures in side.hours:
            for capture in captures:
                if capture.is_own:
                    side.reading.own += 1
                    continue
                for forecast in side.forecasts(capture, contract):
                    if side.takes(forecast):
                        cells.add(variant, forecast)


def _add_pairs(  # noqa: PLR0917 - two sides, each with its answer
    champion: Side,
    ours: Capture,
    challenger: Side,
    theirs: Capture,
    contract: Contract,
    cells: Cells,
) -> None:
    by_place = {
        (each.row, each.step): each
        for each in champion.forecasts(ours, contract)
        if champion.takes(each)
    }
    for forecast in challenger.forecasts(theirs, contract):
        partner = by_place.get((forecast.row, forecast.step))
        if challenger.takes(forecast) and partner is not None:
            cells.add_pair(partner, forecast)


def _same_caller(one: Capture, other: Capture) -> bool:
    if one.event_id == other.event_id:
        return True
    return one.inference_id is not None and one.inference_id == other.inference_id


def _by_hour(
    champion: Iterator[tuple[datetime, list[Capture]]],
    challenger: Iterator[tuple[datetime, list[Capture]]],
) -> Iterator[tuple[list[Capture], list[Capture]]]:
    """The captures of both variants, hour by hour, the newest hour first."""
    ours, theirs = next(champion, None), next(challenger, None)
    while ours is not None or theirs is not None:
        hour = max(each[0] for each in (ours, theirs) if each is not None)
        mine: list[Capture] = []
        other: list[Capture] = []
        if ours is not None and ours[0] == hour:
            mine, ours = ours[1], next(champion, None)
        if theirs is not None and theirs[0] == hour:
            other, theirs = theirs[1], next(challenger, None)
        yield mine, other
