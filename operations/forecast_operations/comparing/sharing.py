"""How the requests of clients were shared by two variants, and whether more of one's fail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scipy import stats

if TYPE_CHECKING:
    from forecast_operations.comparing.own_requests import OwnRequests, Verified
    from forecast_operations.comparing.traffic import Traffic
    from forecast_operations.comparing.variants import Contest

MISMATCH_ALPHA = 0.001
"""Chance below which shares are called mismatched.

It is looked at often, and one false alarm costs trust in all later ones: Fabijan et al.,
"Diagnosing sample ratio mismatch in online controlled experiments" (KDD 2019), advise a small one.
"""


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """How the requests of clients were shared, and how they should have been.

    Attributes:
        configured: Share that is the challenger's by the weights, from 0 to 1.
        received: Share that it got of clients; None without requests.
        own_requests: Requests of the project itself to champion and challenger, which are left out.
        p_value: Chance of such a share, or one further off; None where it is not looked at.
    """

    configured: float
    received: float | None
    own_requests: tuple[int, int]
    p_value: float | None

    @property
    def is_mismatch(self) -> bool:
        """Whether the share is not what chance makes of the weights."""
        return self.p_value is not None and self.p_value < MISMATCH_ALPHA


def clients_of(
    contest: Contest, traffic: tuple[Traffic, Traffic], own: OwnRequests | None
) -> tuple[Traffic, Traffic]:
    """What champion and challenger got of clients, without what the project itself asked.

    Some heartbeats may have been answered by the configuration before, and are then not in the
    traffic. So many of them are taken out as fit the weights best: what is left of a difference
    is none of theirs.

    Args:
        contest: The weights.
        traffic: What champion and challenger got.
        own: What the project asked of both; None: nothing that must be taken out.
    """
    if own is None:
        return traffic
    champion, challenger = (
        _without(each, own.heartbeats.count, verified)
        for each, verified in zip(traffic, own.verified, strict=True)
    )
    back = _given_back(contest, champion, challenger, own.heartbeats.unsure)
    return _with(champion, back), _with(challenger, back)


def check_sharing(
    contest: Contest, traffic: tuple[Traffic, Traffic], clients: tuple[Traffic, Traffic]
) -> Sharing:
    """How the requests were shared: of a split, whether chance explains it (a binomial test).

    Args:
        contest: The weights.
        traffic: What champion and challenger got.
        clients: What they got of clients.
    """
    ours, theirs = (each.invocations for each in clients)
    whole = ours if contest.kind == "shadow" else ours + theirs
    champion, challenger = (
        all_of.invocations - of_clients.invocations
        for all_of, of_clients in zip(traffic, clients, strict=True)
    )
    return Sharing(
        configured=contest.current_share,
        received=theirs / whole if whole else None,
        own_requests=(champion, challenger),
        p_value=_chance(contest, *clients) if contest.kind == "split" and whole else None,
    )


def fails_more(champion: Traffic, challenger: Traffic) -> bool:
    """Whether more of the challenger's requests fail, and chance does not explain it.

    Refused ones (4XX) count as those that fail (5XX): clients' own mistakes reach both alike, and a
    challenger that refuses what the champion answers is no better than one that breaks on it.
    Fisher's exact test, at the level of `MISMATCH_ALPHA`.
    """
    if not (champion.invocations and challenger.invocations):
        return False
    failed = [each.failed for each in (champion, challenger)]
    fine = [
        each.invocations - bad for each, bad in zip((champion, challenger), failed, strict=True)
    ]
    more = failed[1] * champion.invocations > failed[0] * challenger.invocations
    return more and float(stats.fisher_exact([failed, fine]).pvalue) < MISMATCH_ALPHA


def _chance(contest: Contest, champion: Traffic, challenger: Traffic) -> float:
    ours, theirs = champion.invocations, challenger.invocations
    return float(stats.binomtest(theirs, ours + theirs, contest.current_share).pvalue)


def _given_back(contest: Contest, champion: Traffic, challenger: Traffic, most: int) -> int:
    """Of so many requests to each that may have been taken out wrongly, those that fit best."""
    if not most or not (champion.invocations + challenger.invocations):
        return 0
    share = contest.current_share
    exact = 0.0
    if share != 0.5:  # noqa: PLR2004 - where both get the same, no number changes the difference
        missing = share * (champion.invocations + challenger.invocations) - challenger.invocations
        exact = missing / (1 - 2 * share)
    counts = (0, most, min(max(round(exact), 0), most))
    return max(counts, key=lambda n: _chance(contest, _with(champion, n), _with(challenger, n)))


def _without(traffic: Traffic, heartbeats: int, verified: Verified) -> Traffic:
    return replace(
        traffic,
        invocations=max(0, traffic.invocations - heartbeats - verified.requests),
        errors_4xx=max(0, traffic.errors_4xx - verified.refused),
    )


def _with(traffic: Traffic, requests: int) -> Traffic:
    return replace(traffic, invocations=traffic.invocations + requests)
