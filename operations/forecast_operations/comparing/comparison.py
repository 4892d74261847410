"""A comparison: everything that is known of a challenger and its champion, put together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from forecast_operations.comparing.actuals import read_actuals
from forecast_operations.comparing.blocking import Block, block_of, capped
from forecast_operations.comparing.captures import CaptureStore, Reading
from forecast_operations.comparing.cells import Cells
from forecast_operations.comparing.contract import fetch_schema, read_contract
from forecast_operations.comparing.judging import Rules, distances, judge, overall
from forecast_operations.comparing.limits import LIMIT, MIN_SAMPLES, SINCE, TOP
from forecast_operations.comparing.own_requests import OwnRequests, read_verified
from forecast_operations.comparing.pairing import Side, read_shadow, read_split
from forecast_operations.comparing.sharing import check_sharing, clients_of
from forecast_operations.comparing.traffic import Metrics
from forecast_operations.comparing.variants import find_contest
from forecast_operations.comparing.window import window_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_config import EnvironmentSettings
    from forecast_operations.comparing.actuals import Actuals
    from forecast_operations.comparing.cells import Table
    from forecast_operations.comparing.contract import Contract
    from forecast_operations.comparing.judging import Answer, Judgement, OutputDistance
    from forecast_operations.comparing.limits import Loss
    from forecast_operations.comparing.sharing import Sharing
    from forecast_operations.comparing.traffic import Traffic
    from forecast_operations.comparing.variants import Contest
    from forecast_operations.comparing.window import Window
    from forecast_operations.deployed.live import Live


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked of a comparison.

    Attributes:
        since: How far back, such as `7d`.
        actuals: File or `s3://` address of what came true; None: not known.
        items: Inputs that name the item; none: found out.
        date: Input that names the time point; None: found out.
        loss: What an error costs.
        minimum: Least time points for an answer.
        min_gain_percent: Least gain that is called better, of the champion's mean loss.
        limit: Most captured requests that are read of each variant.
        top: Items that are listed.
        now: End of the window; None: the clock's.
    """

    since: str = SINCE
    actuals: str | None = None
    items: tuple[str, ...] = ()
    date: str | None = None
    loss: Loss = "absolute"
    minimum: int = MIN_SAMPLES
    min_gain_percent: float = 0.0
    limit: int = LIMIT
    top: int = TOP
    now: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Captured:
    """What was read of the captured requests.

    Attributes:
        champion: What was read of the champion's.
        challenger: What was read of the challenger's.
        matched: Requests that both answered and that were compared; None in a split.
        alone: Answers of a shadow without a partner; None in a split.
        dropped: Forecasts for which there was no room.
    """

    champion: Side
    challenger: Side
    matched: int | None
    alone: int | None
    dropped: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a comparison found.

    Attributes:
        environment: Name of the environment.
        region: Where it runs.
        wanted: What was asked for.
        contest: Who was compared.
        window: From when to when.
        made_at: When it was made.
        traffic: What champion and challenger got and answered.
        clients: The same without what the project itself asked.
        sharing: How the requests were shared.
        block: What forbids to call the challenger better; None: nothing does.
        retention_days: Days that captured requests are kept, by the configuration; None where it
            captures nothing.
        captured: What was read of the captures; None when nothing is captured.
        contract: What requests and answers look like; None when nothing is captured.
        table: The forecasts of both; None when nothing is captured.
        distances: How far their forecasts are apart, by output.
        judgements: Who is more accurate, by output whose actuals are known.
        answer: Whether the challenger is better.
    """

    environment: str
    region: str
    wanted: Wanted
    contest: Contest
    window: Window
    made_at: datetime
    traffic: tuple[Traffic, Traffic]
    clients: tuple[Traffic, Traffic]
    sharing: Sharing
    block: Block | None
    retention_days: int | None
    captured: Captured | None = None
    contract: Contract | None = None
    table: Table | None = field(default=None, repr=False)
    distances: tuple[OutputDistance, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    answer: Answer = "not enough data"


def compare(
    live: Live,
    settings: EnvironmentSettings,
    wanted: Wanted,
    progress: Callable[[str, int], None] = lambda *_: None,
) -> Comparison:
    """Compare the challenger of an environment with its champion; nothing is changed.

    Args:
        live: Where it is deployed.
        settings: The environment.
        wanted: What is asked for.
        progress: Told what is read, and how many bytes of it.

    Raises:
        ForecastError: There is no challenger, something that was asked for is not to be had, or AWS
            refuses.
    """
    now = datetime.now(UTC) if wanted.now is None else wanted.now
    asked = window_of(wanted.since, now)
    contest = find_contest(live, settings)
    window = asked.not_before(contest.since)
    metrics = Metrics(live.cloud, contest, window)
    traffic = metrics.traffic()
    own = None
    # The copies that a shadow gets are made of all requests alike.
    if contest.kind == "split":
        verified = read_verified(live, settings, contest, window)
        own = OwnRequests(heartbeats=metrics.heartbeats(), verified=verified)
    clients = clients_of(contest, traffic, own)
    sharing = check_sharing(contest, traffic, clients)
    block = block_of(sharing, *clients)
    capture = settings.data_capture
    found = Comparison(
        environment=settings.name,
        region=settings.region,
        wanted=wanted,
        contest=contest,
        window=window,
        made_at=now,
        traffic=traffic,
        clients=clients,
        sharing=sharing,
        block=block,
        retention_days=None if capture is None else capture.retention_days,
        answer=capped("not enough data", block),
    )
    if contest.captures is None:
        return found
    return _with_forecasts(found, live, progress)


def _with_forecasts(
    found: Comparison, live: Live, progress: Callable[[str, int], None]
) -> Comparison:
    wanted, contest = found.wanted, found.contest
    schema = fetch_schema(live.cloud, contest.champion.model_name)
    contract = read_contract(schema, wanted.items, wanted.date)
    actuals = None
    if wanted.actuals is not None:
        actuals = read_actuals(wanted.actuals, contract, live.cloud)
    cells = Cells(contract, actuals)
    captured = _read(found, live, contract, cells, progress)
    table = cells.table()
    judgements = _judge(found, table, contract, actuals)
    return replace(
        found,
        captured=captured,
        contract=contract,
        table=table,
        distances=distances(table, contract, wanted.top),
        judgements=judgements,
        answer=capped(overall(judgements), found.block),
    )


def _judge(
    found: Comparison, table: Table, contract: Contract, actuals: Actuals | None
) -> tuple[Judgement, ...]:
    if actuals is None:
        return ()
    rules = Rules(
        loss=found.wanted.loss,
        minimum=found.wanted.minimum,
        min_gain_percent=found.wanted.min_gain_percent,
        top=found.wanted.top,
        is_paired=found.contest.kind == "shadow",
        trusts_shares=found.sharing.p_value is not None and not found.sharing.is_mismatch,
    )
    return judge(table, contract, actuals.outputs, rules)


def _read(
    found: Comparison,
    live: Live,
    contract: Contract,
    cells: Cells,
    progress: Callable[[str, int], None],
) -> Captured:
    contest, done = found.contest, 0
    store = CaptureStore(live.cloud, str(contest.captures), contest.endpoint)

    def told(size: int) -> None:
        nonlocal done
        done += size
        progress("captured requests", done)

    sides = []
    for variant in (contest.champion, contest.challenger):
        reading = Reading(limit=found.wanted.limit)
        hours = store.hours(variant.name, found.window, reading, told)
        sides.append(Side(hours, reading, variant.version))
    champion, challenger = sides
    matched = alone = None
    if contest.kind == "shadow":
        pairs = read_shadow(champion, challenger, contract, cells)
        matched, alone = pairs.matched, pairs.alone
    else:
        read_split(champion, challenger, contract, cells)
    return Captured(
        champion=champion,
        challenger=challenger,
        matched=matched,
        alone=alone,
        dropped=cells.dropped,
    )
