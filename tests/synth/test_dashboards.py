"""Dashboards say what they show, in the units they say, and fit into CloudWatch's limits."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Template

from forecast_config import ForecastError, names
from forecast_config.settings import EnvironmentSettings
from forecast_constructs.dashboards.environment import render_environment
from forecast_constructs.dashboards.layout import render_body
from forecast_constructs.dashboards.overview import render_overview
from forecast_constructs.dashboards.subject import Subject
from forecast_constructs.dashboards.widgets import Source, Widget, graph, text
from forecast_stacks.dashboard_part import add_dashboard
from forecast_stacks.overview_stack import add_overview

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aws_cdk import App, Stack

    from forecast_config import PackagedModel

CONFIGURATION = "ForecastProd-EndpointConfig-8Xk2"
MICROSECONDS = {"ModelLatency", "OverheadLatency", "ModelSetupTime"}
CHALLENGER = {"challenger": {"alias": "challenger"}}
REALTIME = {
    "kind": "realtime",
    "name": "forecast-prod",
    "instance_type": "ml.m5.xlarge",
    "initial_instance_count": 2,
}
SCALED = {
    "min_instance_count": 2,
    "max_instance_count": 10,
    "targets": {
        "cpu": {"kind": "cpu_utilization", "percent": 60},
        "requests": {"kind": "invocations_per_instance", "per_minute": 600},
        "busy": {"kind": "concurrent_requests", "per_instance": 4},
        "slow": {"kind": "latency_p90", "milliseconds": 200},
        "own": {
            "kind": "custom_metric",
            "namespace": "Shop",
            "metric_name": "Orders",
            "dimensions": {"Shop": "all"},
            "value": 50,
        },
    },
}
MODES: dict[str, dict[str, Any]] = {
    "realtime": {"autoscaling": SCALED, "alarms": {"budget": {"monthly_usd": 500}}},
    "fixed": {"alarms": dict.fromkeys(("endpoint_down", "model_drift", "high_latency"))},
    "split": {"rollout": {"kind": "split", "challenger_percent": 30, **CHALLENGER}},
    "shadow": {"rollout": {"kind": "shadow", **CHALLENGER}},
    "serverless": {
        "endpoint": {
            "kind": "serverless",
            "name": "forecast-prod",
            "memory_mib": 2048,
            "provisioned_concurrency": {"maximum": 5},
        }
    },
    "async": {
        "endpoint": {**REALTIME, "kind": "async"},
        "autoscaling": {
            "min_instance_count": 0,
            "max_instance_count": 4,
            "targets": {"queue": {"kind": "backlog_per_instance", "requests": 5}},
        },
    },
}


def _settings(**changes: Any) -> EnvironmentSettings:
    known = {
        "name": "prod",
        "region": "eu-central-1",
        "endpoint": REALTIME,
        "image": {"kind": "aws", "framework": "scikit-learn", "version": "1.9-0"},
        "tags": {"team": "forecasting", "cost_centre": "CC-1"},
    }
    return EnvironmentSettings.model_validate_json(json.dumps({**known, **changes}))


@pytest.fixture
def subject(packaged: Callable[..., PackagedModel]) -> Callable[..., Subject]:
    def make(**changes: Any) -> Subject:
        settings = _settings(**changes)
        champion = settings.endpoint.variant_name
        models = {champion: packaged("16")}
        if settings.rollout.kind in {"split", "shadow"}:
            models[names.challenger_variant(champion)] = packaged("17", alias="challenger")
        return Subject(
            settings=settings,
            source=Source(region=settings.region),
            packaged_models=models,
            alarm_arns=["arn:aws:cloudwatch:eu-central-1:111111111111:alarm:one"],
            endpoint_config_name=CONFIGURATION,
        )

    return make


@pytest.fixture(params=MODES)
def widgets(request: pytest.FixtureRequest, subject: Callable[..., Subject]) -> Any:
    return json.loads(render_environment(subject(**MODES[request.param])))["widgets"]


def _drawn(widgets: list[dict[str, Any]]) -> Iterator[tuple[str, list[Any]]]:
    for widget in widgets:
        for row in widget["properties"].get("metrics", ()):
            yield widget["properties"]["title"], row


def _titled(widgets: list[dict[str, Any]], title: str) -> dict[str, Any]:
    (found,) = [w["properties"] for w in widgets if w["properties"].get("title") == title]
    return found


def _names(widgets: list[dict[str, Any]]) -> set[str]:
    return {row[1] for _, row in _drawn(widgets) if len(row) > 1}


def _labels(properties: dict[str, Any]) -> list[str]:
    return [row[-1]["label"] for row in properties["metrics"] if row[-1].get("visible", True)]


def test_no_two_widgets_share_a_place_on_the_grid(widgets: list[dict[str, Any]]) -> None:
    taken = [
        (column, row)
        for widget in widgets
        for column in range(widget["x"], widget["x"] + widget["width"])
        for row in range(widget["y"], widget["y"] + widget["height"])
    ]

    assert len(taken) == len(set(taken))
    assert max(column for column, _ in taken) == 23


def test_every_formula_reads_what_its_widget_defines_once(widgets: list[dict[str, Any]]) -> None:
    for widget in widgets:
        options = [row[-1] for row in widget["properties"].get("metrics", ())]
        ids = [each["id"] for each in options if "id" in each]
        assert len(ids) == len(set(ids))
        assert all(re.fullmatch(r"[a-z][a-zA-Z0-9_]*", each) for each in ids)
        for each in options:
            formula = each.get("expression", "")
            if not formula.startswith("SEARCH"):
                assert set(re.findall(r"\b[a-z]\w*", formula)) <= set(ids)


def test_every_latency_is_shown_in_milliseconds(widgets: list[dict[str, Any]]) -> None:
    shown = 0
    for widget in widgets:
        rows = widget["properties"].get("metrics", ())
        formulas = " ".join(row[-1].get("expression", "") for row in rows)
        for row in rows:
            if len(row) > 1 and row[1] in MICROSECONDS and row[-1]["stat"].startswith("p"):
                assert row[-1]["visible"] is False
                assert re.search(rf"\b{row[-1]['id']} / 1000\b", formulas)
                shown += 1
    assert shown


def test_every_graph_names_its_region_unit_and_lines(widgets: list[dict[str, Any]]) -> None:
    graphs = [w["properties"] for w in widgets if w["type"] == "metric"]

    assert {properties["region"] for properties in graphs} <= {"eu-central-1", "us-east-1"}
    for properties in graphs:
        assert all(_labels(properties))
        if properties["view"] == "timeSeries":
            assert properties["yAxis"]["left"]["label"]


def test_the_head_says_what_runs(subject: Callable[..., Subject]) -> None:
    first = json.loads(render_environment(subject(**MODES["split"])))["widgets"][0]
    markdown = first["properties"]["markdown"]

    assert markdown.startswith("# forecast-prod: champion v16 and challenger v17\n")
    assert "rollout: split, 30 %" in markdown
    assert "| run-16 | 2023-06-30 | 0123abc |" in markdown
    assert f"`{CONFIGURATION}`" in markdown


def test_what_a_mode_does_not_publish_is_not_drawn(subject: Callable[..., Subject]) -> None:
    found = {
        mode: _names(json.loads(render_environment(subject(**MODES[mode])))["widgets"])
        for mode in MODES
    }

    assert not found["async"] & {"Invocations", "OverheadLatency", "Heartbeat"}
    assert {"ApproximateBacklogSize", "TotalProcessingTime"} <= found["async"]
    assert not found["serverless"] & {"CPUUtilization", "DiskUtilization", "InvocationModelErrors"}
    assert {"ModelSetupTime", "ServerlessConcurrentExecutionsUtilization"} <= found["serverless"]
    assert not found["fixed"] & {"Heartbeat", "WAPE"}


def test_instances_are_shown_between_their_bounds(subject: Callable[..., Subject]) -> None:
    scaled, fixed = (
        _titled(json.loads(render_environment(subject(**MODES[mode])))["widgets"], "Instances")
        for mode in ("realtime", "fixed")
    )

    marks = scaled["annotations"]["horizontal"]
    assert {mark["label"]: mark["value"] for mark in marks} == {"maximum 10": 10, "minimum 2": 2}
    assert fixed["annotations"]["horizontal"][0]["label"] == "fixed at 2"
    # One sample a minute and instance, whatever the period.
    assert scaled["metrics"][1][-1]["stat"] == "SampleCount"
    assert scaled["metrics"][0][-1]["expression"] == "(avalue) / PERIOD(avalue) * 60"


def test_the_load_is_a_share_of_each_scaling_target(subject: Callable[..., Subject]) -> None:
    widgets = json.loads(render_environment(subject(**MODES["realtime"])))["widgets"]
    rows = _titled(widgets, "Load, as scaling sees it")["metrics"]
    formulas = {row[0]["label"]: row[0]["expression"] for row in rows if len(row) == 1}

    assert formulas["cpu: cpu utilization, target 60"] == "100 * (acores / 4) / 60"
    assert formulas["own: custom metric, target 50"] == "100 * (evalue) / 50"
    assert ["Shop", "Orders", "Shop", "all"] in [row[:-1] for row in rows]
    assert len(formulas) == len(SCALED["targets"])


def test_the_deployed_fleet_is_told_from_earlier_ones(subject: Callable[..., Subject]) -> None:
    widgets = json.loads(render_environment(subject()))["widgets"]
    deployed, earlier = _titled(widgets, "Requests by fleet")["metrics"]

    assert deployed[2:-1][-2:] == ["EndpointConfigName", CONFIGURATION]
    assert deployed[-1]["label"] == "v16, as deployed"
    assert f'NOT EndpointConfigName="{CONFIGURATION}"' in earlier[0]["expression"]
    assert 'EndpointName="forecast-prod" VariantName="AllTraffic"' in earlier[0]["expression"]


def test_without_a_configuration_all_fleets_are_searched(subject: Callable[..., Subject]) -> None:
    known = subject()
    unknown = Subject(
        settings=known.settings, source=known.source, packaged_models=known.packaged_models
    )
    widgets = json.loads(render_environment(unknown))["widgets"]

    (search,) = _titled(widgets, "Requests by fleet")["metrics"]
    assert "NOT" not in search[0]["expression"]
    assert not [widget for widget in widgets if widget["type"] == "alarm"]


@pytest.mark.parametrize(("mode", "counted"), [("split", 2), ("shadow", 1)])
def test_only_answers_that_reach_clients_count_as_errors(
    mode: str, counted: int, subject: Callable[..., Subject]
) -> None:
    made = subject(**MODES[mode])
    widgets = json.loads(render_environment(made))["widgets"]
    first = next(w for w in widgets if w["properties"].get("title") == "Error rate")

    variants = {row[5] for row in first["properties"]["metrics"] if len(row) > 1}
    assert variants == set(list(made.packaged_models)[:counted])


def test_a_challenger_is_compared_with_the_champion(subject: Callable[..., Subject]) -> None:
    widgets = json.loads(render_environment(subject(**MODES["shadow"])))["widgets"]

    assert _labels(_titled(widgets, "p99 of the model")) == ["champion v16", "challenger v17"]
    assert "its answers reach nobody" in json.dumps(widgets)


@pytest.mark.parametrize(("region", "drawn"), [("eu-central-1", True), ("cn-north-1", False)])
def test_charges_are_drawn_where_aws_publishes_them(
    region: str, subject: Callable[..., Subject], *, drawn: bool
) -> None:
    body = render_environment(subject(**MODES["realtime"], region=region))

    assert ("EstimatedCharges" in body) is drawn
    assert "**500 USD**" in body


def test_the_dashboard_is_made_of_one_resource(
    stack: Stack,
    rendered: Callable[[Stack], dict[str, Any]],
    packaged: Callable[..., PackagedModel],
) -> None:
    settings = _settings()

    add_dashboard(stack, settings, packaged_models={"AllTraffic": packaged()})

    (resource,) = rendered(stack).values()
    assert resource["Properties"]["DashboardName"] == "forecast-prod"
    parts = resource["Properties"]["DashboardBody"]["Fn::Join"][1]
    assert {"Ref": "AWS::AccountId"} in parts
    body = json.loads("".join(p if isinstance(p, str) else "111111111111" for p in parts))
    (alarms,) = [w["properties"]["alarms"] for w in body["widgets"] if w["type"] == "alarm"]
    assert alarms[0] == (
        "arn:aws:cloudwatch:eu-central-1:111111111111:alarm:forecast-prod-incident-critical"
    )


def test_every_alarm_shown_is_in_the_template(repository: Path) -> None:
    folder = repository / "tests/snapshot/__snapshots__/test_templates"
    for name in ("Dev", "Staging", "Prod", "Existing"):
        path = folder / f"test_template_is_as_reviewed[Forecast{name}].json"
        resources = list(json.loads(path.read_text())["Resources"].values())
        made = {
            resource["Properties"]["AlarmName"]
            for resource in resources
            if resource["Type"] in {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"}
            and "AlarmName" in resource["Properties"]
        }
        (board,) = [r for r in resources if r["Type"] == "AWS::CloudWatch::Dashboard"]
        body = json.dumps(board["Properties"]["DashboardBody"])

        shown = set(re.findall(r":alarm:([\w-]+)", body))
        assert shown
        assert shown <= made


def test_a_dashboard_can_be_switched_off(
    stack: Stack, packaged: Callable[..., PackagedModel]
) -> None:
    settings = _settings(dashboard=False)

    assert add_dashboard(stack, settings, packaged_models={"AllTraffic": packaged()}) is None


def _environments() -> list[EnvironmentSettings]:
    return [
        _settings(
            name=name,
            endpoint={**REALTIME, "name": f"produce-forecast-{name}"},
            region=region,
            **({} if account is None else {"account": account}),
        )
        for name, region, account in (
            ("dev", "eu-central-1", None),
            ("staging", "us-east-2", "222222222222"),
            ("prod", "eu-central-1", "333333333333"),
        )
    ]


def test_the_overview_is_in_the_last_environment_and_reads_the_others(
    new_app: Callable[..., App],
) -> None:
    made = add_overview(new_app(), _environments())

    assert made is not None
    assert (made.stack_name, made.region, made.account) == (
        "ForecastOverview",
        "eu-central-1",
        "333333333333",
    )
    (resource,) = Template.from_stack(made).to_json()["Resources"].values()
    assert resource["Properties"]["DashboardName"] == "produce-forecast-overview"
    widgets = json.loads(resource["Properties"]["DashboardBody"])["widgets"]
    places = {
        (widget["properties"]["region"], widget["properties"].get("accountId"))
        for widget in widgets
        if widget["type"] == "metric"
    }
    assert places == {("eu-central-1", None), ("us-east-2", "222222222222")}
    assert widgets[0]["properties"]["markdown"].startswith("## prod: [produce-forecast-prod](https")
    assert "222222222222:alarm:produce-forecast-staging-incident-critical" in json.dumps(widgets)


@pytest.mark.parametrize("mode", MODES)
def test_the_overview_shows_every_mode(mode: str, subject: Callable[..., Subject]) -> None:
    settings = subject(**MODES[mode]).settings
    widgets = json.loads(
        render_overview([Subject(settings=settings, source=Source(region="eu-central-1"))])
    )["widgets"]

    assert [widget["type"] for widget in widgets] == ["text", *["metric"] * 5]


@pytest.mark.parametrize(
    "changes",
    [
        [{"dashboard": False}, {}],
        [{"region": "cn-north-1"}, {}],
        [{"dashboard": False}, {"dashboard": False}],
    ],
    ids=["one has none", "another partition", "none has one"],
)
def test_there_is_no_overview_of_less_than_two(
    changes: list[dict[str, Any]], new_app: Callable[..., App]
) -> None:
    environments = [
        _settings(name=name, **change)
        for name, change in zip(("dev", "prod"), changes, strict=True)
    ]

    assert add_overview(new_app(), environments) is None


@pytest.mark.parametrize(("selected", "made"), [({"prod"}, True), ({"dev", "staging"}, False)])
def test_the_overview_comes_with_the_last_environment(
    selected: set[str], new_app: Callable[..., App], *, made: bool
) -> None:
    overview = add_overview(new_app(), _environments(), selected=selected)

    assert (overview is not None) is made


def test_an_environment_cannot_take_the_name_of_the_overview(new_app: Callable[..., App]) -> None:
    environments = [_settings(name="overview"), _settings(name="prod")]

    with pytest.raises(ForecastError, match="expected no environment called 'overview'"):
        add_overview(new_app(), environments)


def test_a_row_that_is_too_wide_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 24 columns, got 25"):
        render_body([[text("a", height=1), text("b", height=1, width=1)]])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[text("a", height=1)]] * 501, "at most 500 widgets, got 501"),
        ([["metric"] * 501], "at most 500 metrics in a widget, got 501"),
        ([["metric"] * 500] * 6, "at most 2500 metrics, got 3000"),
    ],
)
def test_more_than_cloudwatch_takes_is_refused(rows: list[Any], message: str) -> None:
    def widget(row: list[Any]) -> Widget:
        series = [["AWS/SageMaker", "Invocations"] for _ in row]
        return graph("a", series, Source(region="eu-central-1"), unit="requests")

    full = [row if isinstance(row[0], Widget) else [widget(row)] for row in rows]

    with pytest.raises(ValueError, match=message):
        render_body(full)


@pytest.mark.parametrize(
    ("endpoints", "name"),
    [
        (["produce-forecast-dev", "produce-forecast-prod"], "produce-forecast-overview"),
        (["shop-dev", "shop-demo"], "shop-overview"),
        (["dev", "prod"], "forecast-overview"),
        (["shop", "shop-prod"], "shop-overview"),
    ],
)
def test_the_overview_is_named_after_what_it_shows(endpoints: list[str], name: str) -> None:
    assert names.overview_dashboard(endpoints) == name
