"""A dashboard is drawn as it is deployed, from an account, a template or a sample."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.commands import dashboard
from forecast_operations.drawing import picture
from forecast_operations.drawing.board import Board, board_from_template, parse
from forecast_operations.drawing.cloudwatch import CloudWatch
from forecast_operations.drawing.graphs import shorten
from forecast_operations.drawing.lines import lines_of
from forecast_operations.drawing.markdown import blocks_of
from forecast_operations.drawing.picture import draw_board
from forecast_operations.drawing.sample import Sample
from forecast_operations.drawing.source import MetricKey, Search, Times
from forecast_operations.synthesis.templates import flatten

REPOSITORY = Path(__file__).parents[3]
CONFIG = REPOSITORY / "config/forecast.yaml"
SNAPSHOTS = REPOSITORY / "tests/snapshot/__snapshots__/test_templates"
DIMENSIONS = ["EndpointName", "shop", "VariantName", "AllTraffic"]
SEARCH = (
    "SEARCH('{AWS/SageMaker,EndpointConfigName,EndpointName,VariantName} "
    'MetricName="Invocations" EndpointName="shop" VariantName="AllTraffic" '
    "NOT EndpointConfigName=\"new\"', 'Sum')"
)
END = datetime(2026, 3, 20, 18, tzinfo=UTC)


def _widget(kind: str, **properties: Any) -> dict[str, Any]:
    place = {"x": 0, "y": 0, "width": 24, "height": 6}
    return {"type": kind, **place, "properties": {"region": "eu-central-1", **properties}}


def _latency(stat: str = "p99") -> list[list[Any]]:
    return [
        [{"expression": "a / 1000", "label": stat, "id": "r", "color": "#08519c"}],
        ["AWS/SageMaker", "ModelLatency", *DIMENSIONS, {"stat": stat, "id": "a", "visible": False}],
    ]


def _fleets() -> list[list[Any]]:
    deployed = [*DIMENSIONS, "EndpointConfigName", "new"]
    return [
        ["AWS/SageMaker", "Invocations", *deployed, {"stat": "Sum", "label": "v16"}],
        [{"expression": SEARCH, "label": "${PROP('Dim.EndpointConfigName')}"}],
    ]


EVERYTHING = [
    _widget("text", markdown="# shop: $5\n**prod**\n\n| | version |\n|---|---|\n| champion | 16 |"),
    _widget("metric", title="Now", view="singleValue", metrics=_latency()),
    _widget(
        "metric",
        title="Latency",
        view="timeSeries",
        metrics=[*_latency(), ["A", "Spare", {"yAxis": "right", "label": "right"}]],
        yAxis={"left": {"label": "ms", "min": 0}, "right": {"label": "%", "max": 100}},
        annotations={"horizontal": [{"label": "high: over 2000 ms", "value": 2000}]},
    ),
    _widget("metric", title="Fleets", view="timeSeries", stacked=True, metrics=_fleets()),
    _widget("alarm", title="Alarms", alarms=["arn:aws:cloudwatch:eu-central-1:1:alarm:shop-a"]),
    _widget("log", title="Failures", query="SOURCE 'a' | stats count(*) by status"),
    _widget("explorer", title="Else"),
]


@pytest.fixture
def board() -> Board:
    return parse("shop", json.dumps({"widgets": EVERYTHING}))


@pytest.fixture
def sample(board: Board) -> Sample:
    return Sample(12, board)


def _template(path: Path, *names: str) -> Path:
    resources = {
        f"D{index}": {
            "Type": "AWS::CloudWatch::Dashboard",
            "Properties": {
                "DashboardName": name,
                "DashboardBody": {"Fn::Join": ["", ['{"widgets": [', "]}"]]},
            },
        }
        for index, name in enumerate(names)
    }
    path.write_text(json.dumps({"Resources": resources}))
    return path


def test_latencies_are_drawn_as_the_formula_says(sample: Sample) -> None:
    (line,) = lines_of(EVERYTHING[2]["properties"] | {"metrics": _latency()}, sample)
    (raw,) = sample.values(
        [
            MetricKey(
                namespace="AWS/SageMaker",
                name="ModelLatency",
                dimensions=(("EndpointName", "shop"), ("VariantName", "AllTraffic")),
                statistic="p99",
                region="eu-central-1",
            )
        ]
    )

    np.testing.assert_allclose(line.values, raw / 1000)
    assert (line.label, line.colour, line.on_right) == ("p99", "#08519c", False)


def test_fleets_share_the_requests_from_takeover_to_takeover(sample: Sample) -> None:
    lines = lines_of({"region": "eu-central-1", "metrics": _fleets()}, sample)

    assert [line.label for line in lines] == [
        "v16",
        "ForecastProd-EndpointConfig-Vg2m",
        "ForecastProd-EndpointConfig-Qa7c",
    ]
    deployed, middle, oldest = (line.values for line in lines)
    assert deployed[0] == middle[0] == 0 < oldest[0]
    assert middle[60] > 0 == oldest[60]
    assert deployed[-1] > 0 == middle[-1]


def test_a_search_is_taken_apart() -> None:
    assert Search.parse(SEARCH) == Search(
        namespace="AWS/SageMaker",
        dimensions=frozenset({"EndpointConfigName", "EndpointName", "VariantName"}),
        wanted={
            "MetricName": "Invocations",
            "EndpointName": "shop",
            "VariantName": "AllTraffic",
        },
        unwanted={"EndpointConfigName": "new"},
        statistic="Sum",
    )
    assert Search.parse("SUM([a])") is None


def test_instances_of_a_sample_keep_to_the_bounds_in_the_graph() -> None:
    samples = ["/aws/sagemaker/Endpoints", "CPUUtilization", *DIMENSIONS, {"stat": "SampleCount"}]
    marks = [{"label": "maximum 3", "value": 3}, {"label": "minimum 1", "value": 1}]
    properties = {"metrics": [samples], "annotations": {"horizontal": marks}}
    board = parse("shop", json.dumps({"widgets": [_widget("metric", **properties)]}))

    (line,) = lines_of(board.widgets[0]["properties"], Sample(12, board))

    # Five samples in a period of five minutes for each instance.
    assert line.values.max() == 3 * 5


@pytest.mark.parametrize(
    ("hours", "period", "count"), [(1, 60, 60), (12, 300, 144), (48, 3600, 48), (1500, 86400, 62)]
)
def test_the_period_fits_the_time_range(hours: float, period: int, count: int) -> None:
    times = Times.of(END, hours)

    assert (times.period_seconds, times.count, len(times.moments)) == (period, count, count)
    assert times.end <= END


class _Client:
    """CloudWatch with two metrics of one endpoint, of which one has one value."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[dict[str, Any]] = []

    def get_paginator(self, name: str) -> _Client:
        self.paginated = name
        return self

    def paginate(self, **arguments: Any) -> list[dict[str, Any]]:
        self.asked.append(arguments)
        if self.error is not None:
            raise self.error
        if self.paginated == "list_metrics":
            names = ("EndpointConfigName", "EndpointName", "VariantName")
            found = [
                [
                    {"Name": n, "Value": v}
                    for n, v in zip(names, (fleet, "shop", "all"), strict=True)
                ]
                for fleet in ("old", "new")
            ]
            short = [{"Name": "EndpointName", "Value": "shop"}]
            return [
                {
                    "Metrics": [
                        {"MetricName": "Invocations", "Dimensions": d} for d in [*found, short]
                    ]
                }
            ]
        moment = arguments["StartTime"] + timedelta(minutes=1)
        results = [
            {"Id": query["Id"], "Timestamps": [moment, END + timedelta(1)], "Values": [7.0, 9.0]}
            for query in arguments["MetricDataQueries"][:1]
        ]
        return [{"MetricDataResults": results}]

    def describe_alarms(self, **arguments: Any) -> dict[str, Any]:
        arn = f"arn:aws:cloudwatch:eu-central-1:1:alarm:{arguments['AlarmNames'][0]}"
        return {
            "MetricAlarms": [{"AlarmArn": arn, "StateValue": "ALARM"}],
            "CompositeAlarms": [],
        }

    def get_dashboard(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(arguments)
        if self.error is not None:
            raise self.error
        return {"DashboardBody": json.dumps({"widgets": EVERYTHING[:1]})}


def _cloudwatch(client: _Client, *regions: str) -> CloudWatch:
    made = CloudWatch(Times.of(END, 1))
    made._clouds = {
        region: Cloud(region, clients={"cloudwatch": client})
        for region in regions or ("eu-central-1",)
    }
    return made


def _key(region: str = "eu-central-1", account: str | None = None) -> MetricKey:
    return MetricKey(
        "AWS/SageMaker", "Invocations", (("EndpointName", "shop"),), "Sum", region, account
    )


def test_values_come_from_each_region_and_account() -> None:
    client = _Client()
    cloudwatch = _cloudwatch(client, "eu-central-1", "us-east-1")

    near, nothing, far = cloudwatch.values([_key(), _key(), _key("us-east-1", "222222222222")])

    assert near[1] == far[1] == 7
    assert np.isnan(near[0])
    assert np.isnan(nothing).all()
    first, second = (asked["MetricDataQueries"] for asked in client.asked)
    assert len(first) == 2
    assert second[0]["AccountId"] == "222222222222"
    assert second[0]["MetricStat"]["Stat"] == "Sum"


def test_a_search_finds_the_metrics_with_all_its_dimensions_but_the_excluded() -> None:
    search = Search.parse(SEARCH)
    assert search is not None

    (found,) = _cloudwatch(_Client()).find(search, "eu-central-1", None)

    assert dict(found.dimensions)["EndpointConfigName"] == "old"


def test_alarms_tell_their_state() -> None:
    arn = "arn:aws:cloudwatch:eu-central-1:1:alarm:shop-a"

    assert _cloudwatch(_Client()).alarm_states([arn]) == {arn: "ALARM"}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            ClientError({"Error": {"Message": "no such dashboard"}}, "G"),
            "no such.*; deploy it first",
        ),
        (NoCredentialsError(), "no AWS credentials; sign in .*; or draw a template"),
    ],
)
def test_what_aws_refuses_is_one_sentence(error: Exception, message: str) -> None:
    with pytest.raises(ForecastError, match=f"cannot read the dashboard shop: .*{message}"):
        _cloudwatch(_Client(error)).board("shop", "eu-central-1")


def test_the_dashboard_of_an_environment_is_read_and_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = _Client()
    drawn: list[tuple[str, int]] = []
    monkeypatch.setattr(Cloud, "client", lambda *_: client)
    monkeypatch.setattr(
        picture, "draw_board", lambda board, *_: drawn.append((board.name, len(board.widgets)))
    )

    dashboard.dashboard_command("prod", write=tmp_path / "a.svg", config=CONFIG)
    dashboard.dashboard_command(write=tmp_path / "a.svg", config=CONFIG, overview=True)
    dashboard.dashboard_command(write=tmp_path / "a.svg", config=CONFIG, name="mine", sample=True)

    assert drawn == [("produce-forecast-prod", 1), ("produce-forecast-overview", 1), ("mine", 1)]


def test_it_must_be_said_which_dashboard() -> None:
    with pytest.raises(ForecastError, match="expected an environment such as prod"):
        dashboard.dashboard_command(config=CONFIG)


def test_a_template_is_drawn_without_aws(tmp_path: Path) -> None:
    template = _template(tmp_path / "a.json", "one", "two")

    dashboard.dashboard_command(
        template=template, name="two", sample=True, write=tmp_path / "two.png"
    )

    assert (tmp_path / "two.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("names", "name", "message"),
    [
        ((), None, "expected a dashboard, got none"),
        (("one", "two"), None, "expected a dashboard, got one, two; choose one with: --name"),
        (("one",), "two", "expected a dashboard called two, got one"),
    ],
)
def test_a_template_must_have_the_dashboard(
    names: tuple[str, ...], name: str | None, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ForecastError, match=message):
        board_from_template(_template(tmp_path / "a.json", *names), name)


@pytest.mark.parametrize("body", ["{", "[]", '{"widgets": [1]}', '{"widgets": [{"type": "text"}]}'])
def test_another_body_is_refused(body: str) -> None:
    with pytest.raises(ForecastError, match="expected the body of a CloudWatch dashboard"):
        parse("shop", body)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"Ref": "Config"}, "<Config>"),
        ({"Ref": "AWS::AccountId"}, "<account>"),
        ({"Fn::GetAtt": ["Config", "Name"]}, "<Config.Name>"),
        ({"Fn::GetAtt": "Config.Name"}, "<Config.Name>"),
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}]]}, "a-<region>"),
        ({"Fn::Sub": "a-${AWS::Region}-${B}"}, "a-<region>-<B>"),
        ({"Fn::Sub": ["${B}", {"B": "c"}]}, "c"),
        ({"Fn::ImportValue": "A:B"}, "<A:B>"),
        ({"Fn::Else": 1}, '{"Fn::Else": 1}'),
        (5, "5"),
    ],
)
def test_what_is_known_at_deployment_only_is_in_brackets(value: Any, text: str) -> None:
    assert flatten(value) == text


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_a_picture_of_any_kind_is_the_same_each_time(
    tmp_path: Path, sample: Sample, suffix: str
) -> None:
    small = parse("shop", json.dumps({"widgets": [_widget("text", markdown="shop")]}))
    drawn = []
    for name in ("one", "two"):
        draw_board(small, sample, tmp_path / f"{name}{suffix}")
        drawn.append((tmp_path / f"{name}{suffix}").read_bytes())

    assert drawn[0] == drawn[1]
    # When it was drawn would make it another file each time.
    assert b"CreationDate" not in drawn[0]


def test_the_same_values_give_the_same_picture(
    tmp_path: Path, board: Board, sample: Sample
) -> None:
    for name in ("one.svg", "two.svg"):
        draw_board(board, sample, tmp_path / name)

    first = (tmp_path / "one.svg").read_text()
    assert first == (tmp_path / "two.svg").read_text()
    for text in ("shop: $5", "champion", "Now", "Latency", "v16", "high: over 2000 ms", "shop-a"):
        assert f">{text}</text>" in first
    assert "a widget of type explorer is not drawn" in first


def test_what_has_no_data_says_so(tmp_path: Path, board: Board) -> None:
    client = _Client()
    cloudwatch = _cloudwatch(client)
    cloudwatch.values = lambda keys: [cloudwatch.times.empty() for _ in keys]  # type: ignore[method-assign] # nothing is there

    draw_board(board, cloudwatch, tmp_path / "empty.svg")

    drawn = (tmp_path / "empty.svg").read_text()
    assert drawn.count(">no data</text>") == 3
    assert "asked in the console only" in drawn
    assert ">in alarm</text>" in drawn


def test_a_file_of_another_kind_is_refused(tmp_path: Path, board: Board, sample: Sample) -> None:
    with pytest.raises(ForecastError, match=r"expected a file that ends with .svg, .png, .pdf"):
        draw_board(board, sample, tmp_path / "a.gif")
    (tmp_path / "file").touch()
    for name in ("file/a.svg", "file/a.png"):
        with pytest.raises(ForecastError, match="cannot write"):
            draw_board(parse("a", '{"widgets": []}'), sample, tmp_path / name)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.25, "0.25"),
        (3, "3"),
        (140.2, "140"),
        (1234, "1,234"),
        (12_000, "12.0K"),
        (2e6, "2.0M"),
    ],
)
def test_numbers_are_as_long_as_a_look(value: float, text: str) -> None:
    assert shorten(value) == text


def test_markdown_loses_its_marks() -> None:
    heading, line, table = blocks_of("## a **b**\n[shown](https://x)\n\n| `x` | y |\n|---|---|\n")

    assert (heading.level, heading.text) == (2, "a b")
    assert line.text == "shown"
    assert table.rows == [["x", "y"]]


@pytest.mark.parametrize("stack", ["Prod", "Overview"])
def test_the_pictures_in_the_docs_show_every_widget(stack: str) -> None:
    template = SNAPSHOTS / f"test_template_is_as_reviewed[Forecast{stack}].json"
    page = (REPOSITORY / f"docs/pictures/dashboard-{stack.lower()}.svg").read_text()
    drawn = {unescape(text) for text in re.findall(r">([^<>]+)</text>", page)}

    titles = {
        widget["properties"]["title"]
        for widget in board_from_template(template, None).widgets
        if "title" in widget["properties"]
    }
    assert titles
    assert titles <= drawn
