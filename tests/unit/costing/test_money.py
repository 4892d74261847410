from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config.settings.alarms import Budget
from forecast_operations.costing.bill import CostLine
from forecast_operations.costing.budget import check_budget
from forecast_operations.costing.difference import difference
from forecast_operations.costing.estimate import Estimate, estimate
from forecast_operations.costing.money import Money
from forecast_operations.costing.report import (
    CostReport,
    amount,
    as_json,
    as_markdown,
    in_words,
    total,
)
from forecast_operations.costing.rollout import rollout_cost

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_config import EnvironmentSettings
    from forecast_operations.costing.prices import Prices
    from forecast_operations.updates.obstacles import Templates

ROLLOUT = CostLine("one rollout", "4 more", 1.0, 2.0)


def costs(*lines: tuple[str, float | None, float | None], currency: Any = "USD") -> Estimate:
    return Estimate(tuple(CostLine(item, "", low, high) for item, low, high in lines), currency)


def with_budget(environment: EnvironmentSettings, monthly_usd: float) -> EnvironmentSettings:
    alarms = environment.alarms.model_copy(update={"budget": Budget(monthly_usd=monthly_usd)})
    return environment.model_copy(update={"alarms": alarms})


def test_an_estimate_within_its_budget_is_nothing_to_speak_of(
    settings: Callable[[str], EnvironmentSettings],
) -> None:
    assert check_budget(with_budget(settings("steps"), 100), costs(("x", 50, 100))) is None


def test_a_least_above_the_budget_exceeds_it(
    settings: Callable[[str], EnvironmentSettings],
) -> None:
    finding = check_budget(with_budget(settings("steps"), 100), costs(("x", 100.01, 300)))

    assert finding is not None
    assert finding.exceeded
    assert finding.message.startswith(
        "steps costs at least $100.01 a month, more than the $100.00 of alarms.budget.monthly_usd"
    )


def test_a_most_above_the_budget_only_warns(
    settings: Callable[[str], EnvironmentSettings],
) -> None:
    finding = check_budget(with_budget(settings("steps"), 100), costs(("x", 99, 300)))

    assert finding is not None
    assert not finding.exceeded
    assert "can cost up to $300.00" in finding.message


def test_a_price_that_is_not_known_does_not_let_an_estimate_through(
    settings: Callable[[str], EnvironmentSettings], templates: Callable[..., Templates]
) -> None:
    found = estimate(templates({"InstanceType": "ml.p4d.24xlarge"}), "eu-central-1")

    finding = check_budget(with_budget(settings("steps"), 100), found)

    assert finding is not None
    assert not finding.exceeded
    assert finding.message.startswith(
        "steps cannot be held against the $100.00 of alarms.budget.monthly_usd: price of "
        "instances of AllTraffic unknown"
    )


def test_what_surrounds_the_endpoint_may_be_unknown(
    settings: Callable[[str], EnvironmentSettings],
) -> None:
    found = costs(("instances", 50, 90), ("composite alarms", None, None))

    assert check_budget(with_budget(settings("steps"), 100), found) is None


def test_without_a_budget_nothing_is_over_it(
    settings: Callable[[str], EnvironmentSettings],
) -> None:
    assert check_budget(settings("steps"), costs(("x", 1e9, 1e9))) is None


def test_yuan_are_not_measured_by_a_budget_in_dollars(
    settings: Callable[[str], EnvironmentSettings],
) -> None:
    found = costs(("x", 1e9, 1e9), currency="CNY")

    assert check_budget(with_budget(settings("steps"), 1), found) is None


def test_a_difference_names_what_is_new_gone_and_other() -> None:
    before = costs(("same", 1, 1), ("gone", 5, 6), ("other", 10, 20))
    after = costs(("same", 1, 1), ("other", 30, 20), ("new", 2, 2))

    found = difference(before, after)

    assert [line.item for line in found.lines] == ["gone", "other", "new"]
    assert [(line.low, line.high) for line in found.lines] == [(-5, -6), (20, 0), (2, 2)]
    assert (found.low, found.high) == (17, -4)


def test_everything_is_new_where_nothing_was() -> None:
    found = difference(None, costs(("x", 1, 2)))

    assert (found.low, found.high) == (1, 2)


def test_a_difference_of_an_unknown_price_is_unknown_and_none_when_nothing_changed() -> None:
    before = costs(("x", None, None), ("y", 1, 1))
    after = costs(("x", None, None), ("y", None, None))

    found = difference(before, after)

    assert found.unknown == ("y",)
    assert found.low == 0


def test_fractions_of_a_cent_are_no_difference() -> None:
    assert difference(costs(("x", 1.001, 1)), costs(("x", 1, 1.002))).lines == ()


def test_a_blue_green_rollout_runs_a_second_fleet(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    # 4 instances; 4 steps of 300 s, then 120 s; at most the 3600 s of its time limit.
    found = rollout_cost(settings("steps"), prices)

    assert found.low == pytest.approx(4 * 0.1 * (4 * 300 + 120 + 300) / 3600)
    assert found.high == pytest.approx(4 * 0.1)
    assert found.detail == "4 more x ml.m5.large for 27 to 60 min"


def test_a_rolling_rollout_runs_a_batch_more(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    found = rollout_cost(settings("batches"), prices)

    assert found.high == pytest.approx(1 * 0.1 * 7200 / 3600)


def test_a_challenger_is_in_the_second_fleet(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    mirror = settings("mirror")
    alone = mirror.model_copy(update={"rollout": settings("queue").rollout})

    with_it, without = rollout_cost(mirror, prices), rollout_cost(alone, prices)

    assert with_it.low is not None
    assert without.low is not None
    assert with_it.low > without.low


def test_a_serverless_rollout_costs_nothing(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    assert rollout_cost(settings("warm"), prices).high == 0


def test_a_rollout_of_a_type_without_a_price_is_unknown(
    settings: Callable[[str], EnvironmentSettings], prices: Prices
) -> None:
    elsewhere = settings("steps").model_copy(update={"region": "eu-west-1"})

    assert rollout_cost(elsewhere, prices).low is None


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (12.344, 12.341, "$12.34"),
        (5, 1060, "$5.00 to $1,060.00"),
        (0, 0.001, "$0.00 to <$0.01"),
        (None, 1, "unknown"),
    ],
)
def test_amounts_as_text(low: float | None, high: float, shown: str) -> None:
    assert amount(low, high, "USD") == shown


def test_a_total_with_an_unknown_line_is_a_least() -> None:
    assert total(costs(("x", 1, 2), currency="CNY")) == "¥1.00 to ¥2.00"
    assert total(costs(("x", 1, 2), ("y", None, None))) == "at least $1.00 to $2.00"


def test_a_total_names_what_hosts_and_has_no_price(templates: Callable[..., Templates]) -> None:
    found = estimate(templates({"InstanceType": "ml.p4d.24xlarge"}), "eu-central-1")

    assert total(found).endswith(" without instances of AllTraffic (price unknown)")


def report(
    *, before: Estimate | None = None, after: Estimate | None = None, not_compared: str = ""
) -> CostReport:
    if after is None:
        after = costs(("instances | AllTraffic", 100, 200), ("alarms", None, None))
    changes = None if before is None else difference(before, after)
    money = Money(
        before=before,
        after=after,
        difference=changes,
        rollout=ROLLOUT,
        budget=None,
        priced_at="2026-10-01",
    )
    return CostReport(
        environment="prod", region="eu-central-1", money=money, not_compared=not_compared
    )


def test_markdown_shows_lines_total_and_sources() -> None:
    before = costs(("instances | AllTraffic", 150, 150), ("gone", 3, 3))

    page = as_markdown([report(before=before)], "AWS (2026-11-01)")

    assert "## prod in eu-central-1: at least $100.00 to $200.00" in page
    assert "| instances \\| AllTraffic |  | $100.00 | $200.00 | -$50.00 to +$50.00 |" in page
    assert "| alarms |  | unknown | unknown | unknown |" in page
    assert "| gone | no longer |  |  | -$3.00 |" in page
    assert (
        "| total |  | at least $100.00 | at least $200.00 "
        "| -$53.00 to +$47.00 and what is unknown |"
    ) in page
    assert page.endswith("Prices: AWS (2026-11-01)\n")


def test_a_change_to_an_unknown_price_is_no_saving() -> None:
    before, after = costs(("instances", 460, 460)), costs(("instances", None, None))

    page = as_markdown([report(before=before, after=after)], "AWS")

    assert "| total |  | at least $0.00 | at least $0.00 | unknown |" in page


def test_json_has_nulls_for_what_is_not_known() -> None:
    (found,) = json.loads(as_json([report(not_compared="no AWS")], "AWS"))["environments"]

    assert (found["low"], found["high"], found["complete"]) == (100, 200, False)
    assert found["lines"][1]["low"] is None
    assert (found["difference"], found["not_compared"]) == (None, "no AWS")


def test_words_name_the_unknown_and_why_there_is_no_comparison() -> None:
    words = list(in_words(report(not_compared="not compared: no AWS")))

    assert words[0].startswith("price unknown: alarms")
    assert words[1] == "not compared: no AWS"
    assert words[2] == "one rollout: $1.00 to $2.00 (4 more)"
