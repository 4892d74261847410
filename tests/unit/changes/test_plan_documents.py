"""A plan reads well in a terminal, in a pull request's comment, and by a program."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from forecast_operations.changes import markdown, sides, words
from forecast_operations.changes.document import as_document
from forecast_operations.changes.markdown import as_markdown
from forecast_operations.changes.text import as_text
from forecast_operations.costing.bill import CostLine
from forecast_operations.costing.budget import BudgetFinding
from forecast_operations.costing.difference import difference
from forecast_operations.costing.estimate import Estimate
from forecast_operations.costing.money import Money
from forecast_operations.updates.obstacles import Templates

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_operations.changes.plan import Plan
    from forecast_operations.records.record import ModelCard

NOTHING = Templates(None, None)


def _text(plan: Plan) -> str:
    console = Console(file=StringIO(), width=200, soft_wrap=True, highlight=False)
    for piece in as_text(plan):
        console.print(piece)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def _estimate(*lines: tuple[str, float | None, float | None]) -> Estimate:
    return Estimate(tuple(CostLine(item, "", low, high) for item, low, high in lines), "USD")


def _money(budget: BudgetFinding | None = None) -> Money:
    before = _estimate(("instances", 100.0, 500.0), ("alarms", 1.0, 1.0))
    after = _estimate(("instances", 120.0, 600.0), ("alarms", 1.0, 1.0), ("odd", None, None))
    rollout = CostLine("one rollout", "2 more for 30 min", 1.5, 2.5)
    return Money(
        before=before,
        after=after,
        difference=difference(before, after),
        rollout=rollout,
        budget=budget,
        priced_at="2026-10-01",
    )


@pytest.fixture
def next_version(
    prod: Templates,
    reviewed: Callable[[str], dict[str, Any]],
    version_17: Callable[[dict[str, Any]], dict[str, Any]],
    planned: Callable[..., Plan],
) -> Callable[..., Plan]:
    """The plan that brings version 17 to prod, on other instances where asked."""

    def make(*, instance_type: str | None = None, **rest: Any) -> Plan:
        endpoint = version_17(reviewed("ForecastProd"))
        if instance_type is not None:
            config = endpoint["Resources"]["EndpointConfigD2044722"]["Properties"]
            config["ProductionVariants"][0]["InstanceType"] = instance_type
        return planned("prod", prod, Templates(prod.artifacts, endpoint), **rest)

    return make


def test_no_changes_are_one_line(prod: Templates, planned: Callable[..., Plan]) -> None:
    plan = planned("prod", prod, prod)

    assert plan.is_empty
    assert plan.can_be_deployed
    assert _text(plan) == (
        "prod (produce-forecast-prod, ap-southeast-1): no changes: what is deployed is what is "
        "wanted\n"
    )
    assert as_markdown(plan) == (
        "<!-- forecast plan prod -->\n\n"
        "### forecast plan prod: no changes: what is deployed is what is wanted\n"
    )


def test_an_output_alone_is_a_change(
    prod: Templates, reviewed: Callable[[str], dict[str, Any]], planned: Callable[..., Plan]
) -> None:
    endpoint = reviewed("ForecastProd")
    endpoint["Outputs"]["Another"] = {"Value": "1"}

    plan = planned("prod", prod, Templates(prod.artifacts, endpoint))

    assert not plan.is_empty
    assert "nothing but outputs changes (Another)" in _text(plan)


def test_a_first_deployment_reads_as_one(prod: Templates, planned: Callable[..., Plan]) -> None:
    plan = planned("prod", NOTHING, prod)
    text = _text(plan)

    assert "the first deployment; champion version 16; resources: " in text
    assert f"{len(plan.resources)} new" in text
    assert "2 SageMaker" not in text
    (topics,) = [line for line in text.splitlines() if " 3 SNS::Topic " in line]
    assert "ForecastProd/AlertsCritical, AlertsHigh, AlertsMedium" in topics
    assert "a new endpoint: its instances start" in text
    assert "In the way" not in text
    assert "| champion | - | version 16 |" in as_markdown(plan)


def test_everything_that_a_reviewer_asks_is_said(next_version: Callable[..., Plan]) -> None:
    text = _text(next_version(money=_money(), running={"AllTraffic": 3}))

    for words_of_a_reviewer in (
        "can be deployed; champion version 16 -> 17; resources: 2 replaced, 4 in place, 54 unch",
        "2016-01-01T00:00:00Z",
        "lower by 0.02 (9.5 %)",
        "feature item (string?) is added",
        "feature day (long) is removed",
        "ProductionVariants follows Model, which is replaced (replaces it)",
        "10 min  all requests go to the new instances",
        "up to 6 x ml.m5.xlarge",
        "a month: $101.00 to $501.00 now, at least $121.00 to $601.00 then",
        "instances: $100.00 to $500.00 -> $120.00 to $600.00",
        "the rollout itself: $1.50 to $2.50",
        "prices not known: odd",
    ):
        assert words_of_a_reviewer in text


def test_what_is_in_the_way_comes_first_with_its_option(
    next_version: Callable[..., Plan],
) -> None:
    plan = next_version(instance_type="ml.c5.xlarge")

    assert "blocked by 1 thing in the way" in _text(plan)
    assert "    or let it be done for you: --allow-rescale" in _text(plan)
    assert "1. take produce-forecast-prod from Application Auto Scaling" in _text(plan)
    assert "- or let it be done for you: --allow-rescale" in as_markdown(plan)
    assert as_document(plan)["obstacles"][0]["option"] == "--allow-rescale"
    assert not plan.can_be_deployed


def test_what_is_permitted_is_led_around_and_not_in_the_way(
    next_version: Callable[..., Plan],
) -> None:
    plan = next_version(instance_type="ml.c5.xlarge", allowed=frozenset({"rescale"}))

    assert plan.can_be_deployed
    assert not plan.is_empty
    assert "can be deployed as it is permitted; champion version 16 -> 17" in _text(plan)
    assert "In the way" not in _text(plan)
    assert "\nLed around, as permitted\n  variant AllTraffic" in _text(plan)
    assert "has the variant registered (--allow-rescale)" in _text(plan)
    assert "1. take produce-forecast-prod from Application Auto Scaling" in _text(plan)
    assert "**Led around, as permitted (--allow-rescale):** variant AllTr" in as_markdown(plan)
    document = as_document(plan)
    assert (document["obstacles"], document["can_be_deployed"]) == ([], True)
    assert [each["option"] for each in document["permitted"]] == ["--allow-rescale"]
    assert {each["verdict"] for each in document["resources"]} == {"replaced", "in place"}
    other = next_version(instance_type="ml.c5.xlarge", allowed=frozenset({"recreate"}))
    assert not other.can_be_deployed


@pytest.mark.parametrize("exceeded", [True, False])
def test_a_budget_fails_a_plan_by_its_least(
    exceeded: Any, next_version: Callable[..., Plan]
) -> None:
    plan = next_version(money=_money(BudgetFinding("too much", exceeded=exceeded)))

    assert plan.can_be_deployed is not exceeded
    assert "budget: too much" in _text(plan)
    assert ("over its budget" in words.headline(plan)) is exceeded


def test_a_budget_is_named_where_nothing_else_changes(
    prod: Templates, planned: Callable[..., Plan]
) -> None:
    plan = planned("prod", prod, prod, money=_money(BudgetFinding("too much", exceeded=True)))

    assert not plan.can_be_deployed
    assert "budget: too much" in _text(plan)
    assert "| budget |  | too much |" in as_markdown(plan)


def test_a_rollout_that_there_is_not_costs_nothing(
    prod: Templates, planned: Callable[..., Plan]
) -> None:
    assert planned("prod", prod, prod, money=_money()).money.rollout is None


def test_markdown_folds_its_details_and_is_found_again(next_version: Callable[..., Plan]) -> None:
    text = as_markdown(next_version(money=_money()))

    assert text.startswith("<!-- forecast plan prod -->\n")
    assert text.count("<details>") == text.count("</details>") == 4
    assert "| champion | version 16 | version 17 |" in text
    assert "| wape | 0.21 | 0.19, lower by 0.02 (9.5 %) |" in text
    for line in text.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")


def test_of_many_metrics_those_of_the_watched_loss_come_first(
    next_version: Callable[..., Plan], cards: dict[str, ModelCard]
) -> None:
    metrics = {f"last_value_{number}_mase": 1.0 for number in range(20)}
    metrics |= {"price_wape": 0.1, "demand_wape": 0.2, "last_value_price_wape": 0.3}
    cards["17"] = cards["17"].model_copy(update={"metrics": metrics})

    plan = next_version()
    shown = [name for name, *_ in sides.metric_rows(plan.models[0], plan.key_metric)]

    assert shown[:4] == ["wape", "demand_wape", "price_wape", "last_value_price_wape"]
    assert f"and {len(shown) - 12} more metrics: forecast plan prod --markdown" in _text(plan)
    head, _, details = as_markdown(plan).partition("<details>")
    assert "mase" not in head
    assert details.count("\\_mase |") == 20


def test_markdown_is_no_markup_of_somebody_else(
    prod: Templates, reviewed: Callable[[str], dict[str, Any]], planned: Callable[..., Plan]
) -> None:
    endpoint = reviewed("ForecastProd")
    topic = endpoint["Resources"]["AlertsHighFFE6B6B7"]["Properties"]
    topic["DisplayName"] = "a|b </details> @everyone [x](http://evil) `c`"

    text = as_markdown(planned("prod", prod, Templates(prod.artifacts, endpoint)))

    assert "a\\|b &lt;/details> &#64;everyone \\[x\\](http://evil) \\`c\\`" in text
    assert text.count("</details>") == text.count("<details>")


def test_markdown_that_is_too_long_is_left_off_between_blocks(
    next_version: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(markdown, "_LONGEST", 2_000)

    text = as_markdown(next_version(money=_money()))

    assert len(text) < 2_200
    assert text.endswith("`forecast plan prod`_\n")
    assert text.count("<details>") == text.count("</details>")


def test_the_document_holds_all_of_it(next_version: Callable[..., Plan]) -> None:
    document = json.loads(json.dumps(as_document(next_version(money=_money()))))

    assert document["can_be_deployed"] is True
    assert document["counts"] == {"replaced": 2, "in place": 4, "unchanged": 54}
    (model,) = document["models"]
    assert (model["before"]["version"], model["after"]["version"]) == ("16", "17")
    assert model["known_after"]["card"]["inputs"] == {"price": "double", "item": "string?"}
    assert model["metrics"][0]["difference"] == pytest.approx(0.05)
    assert {each["verdict"] for each in document["resources"]} == {"replaced", "in place"}
    assert document["rollout"]["moments"][0]["seconds"] == 0
    assert document["money"]["after"]["unknown"] == ["odd"]


def test_a_folder_that_is_compared_with_is_named(
    prod: Templates, planned: Callable[..., Plan]
) -> None:
    plan = planned("prod", NOTHING, prod, against="cdk.out.main")

    assert "ap-southeast-1), compared with cdk.out.main: the first deployment" in _text(plan)
    assert "Compared with `cdk.out.main`, not with what is deployed." in as_markdown(plan)


def test_a_budget_that_nobody_can_tell_of_is_said_and_stops_nothing(
    next_version: Callable[..., Plan], prod: Templates, planned: Callable[..., Plan]
) -> None:
    unknown = BudgetFinding("prod cannot be held against its budget", exceeded=False)
    plan = next_version(money=_money(unknown))

    assert plan.can_be_deployed
    assert "| budget |  | prod cannot be held against its budget |" in as_markdown(plan)
    assert "| a month | $101.00 to $501.00 | at least $121.00 to $601.00 |" in as_markdown(plan)
    same = planned("prod", prod, prod, money=_money(unknown))
    assert "budget: prod cannot be held against its budget" in _text(same)
