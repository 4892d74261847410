"""How raw model output becomes predictions with intervals that neither cross nor surprise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_inference.answers.finish import Finished, OutputFinisher, interleave
from forecast_inference.answers.intervals import interval_bounds
from forecast_inference.contract.schema import FeatureSchema
from forecast_inference.errors import PredictionError

RELATIVE = {"kind": "relative", "offsets": {"0.8": [-0.1, 0.1], "0.95": [-0.3, 0.5]}}
ABSOLUTE = {"kind": "absolute", "offsets": {"0.8": [-1.0, 2.0], "0.95": [-4.0, 8.0]}}
QUANTILES = {
    "kind": "quantiles",
    "columns": {"0.8": ["q10", "q90"], "0.95": ["q025", "q975"]},
    "margins": {"0.95": 0.5},
}
COLUMNS = ["price", "q10", "q90", "q025", "q975"]


def schema_of(
    outputs: list[dict[str, Any]],
    intervals: dict[str, Any] | None = None,
    *,
    columns: list[str] | None = None,
    default: float = 0.8,
) -> FeatureSchema:
    column = {"name": "cost", "type": "double"}
    document: dict[str, Any] = {
        "schema_version": 2,
        "inputs": [column],
        "features": [column],
        "outputs": outputs,
    }
    if columns is not None:
        document["columns"] = columns
    if intervals is not None:
        document["intervals"] = {"default_level": default, "outputs": intervals}
    return FeatureSchema.from_document(document)


def finish(schema: FeatureSchema, raw: Any, levels: tuple[float, ...] | None = None) -> Any:
    """Rows of finished numbers."""
    array = np.array(raw)
    finished = OutputFinisher(schema).finish(array, len(array), levels)
    assert len(finished.values) == finished.count * finished.width
    return np.array(finished.values).reshape(finished.count, finished.width).tolist()


@pytest.mark.parametrize("rows", [1, 3])
def test_outputs_are_taken_from_their_columns(rows: int) -> None:
    schema = schema_of(
        [{"name": "demand"}, {"name": "price", "column": "raw_price"}],
        columns=["raw_price", "unused", "demand"],
    )
    assert finish(schema, [[1.0, 2.0, 3.0]] * rows) == [[3.0, 1.0]] * rows


@pytest.mark.parametrize("rows", [1, 3])
def test_outputs_are_transformed_before_they_are_clipped(rows: int) -> None:
    schema = schema_of(
        [
            {"name": "a", "transform": "exp", "maximum": 3.0},
            {"name": "b", "transform": "expm1", "minimum": 0.0},
            {"name": "c", "minimum": -1.0, "maximum": 1.0},
        ]
    )
    assert finish(schema, [[0.0, -1.0, -2.0]] * rows) == [[1.0, 0.0, -1.0]] * rows
    assert (
        finish(schema, [[2.0, np.log(3.0), 2.0]] * rows) == [[3.0, pytest.approx(2.0), 1.0]] * rows
    )


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("interval", "expected"),
    [(RELATIVE, [9.0, 11.0]), (ABSOLUTE, [9.0, 12.0])],
)
def test_bounds_are_laid_around_the_prediction(
    interval: dict[str, Any], expected: list[float], rows: int
) -> None:
    schema = schema_of([{"name": "price"}], {"price": interval})
    assert finish(schema, [10.0] * rows) == [[10.0, *map(pytest.approx, expected)]] * rows


def test_bounds_are_clipped_like_the_prediction() -> None:
    limits = {"minimum": 0.0, "maximum": 14.0}
    schema = schema_of([{"name": "price", **limits}], {"price": ABSOLUTE}, default=0.95)
    assert finish(schema, [2.0, 10.0, 20.0, -9.0]) == [
        [2.0, 0.0, 10.0],
        [10.0, 6.0, 14.0],
        [14.0, 10.0, 14.0],
        [0.0, 0.0, 8.0],
    ]


@pytest.mark.parametrize("rows", [1, 2])
def test_relative_bounds_change_places_below_zero(rows: int) -> None:
    schema = schema_of([{"name": "price"}], {"price": RELATIVE}, default=0.95)
    (low, high) = finish(schema, [-10.0] * rows)[0][1:]
    assert (low, high) == (pytest.approx(-15.0), pytest.approx(-7.0))


def test_levels_come_in_the_order_asked_for() -> None:
    outputs = [{"name": "price"}, {"name": "bare"}, {"name": "demand"}]
    schema = schema_of(outputs, {"demand": ABSOLUTE, "price": ABSOLUTE})
    assert finish(schema, [[10.0, 5.0, 20.0]], (0.95, 0.8)) == [
        [10.0, 5.0, 20.0, 6.0, 18.0, 16.0, 28.0, 9.0, 12.0, 19.0, 22.0]
    ]
    assert finish(schema, [[10.0, 5.0, 20.0]], ()) == [[10.0, 5.0, 20.0]]


def test_quantile_columns_are_widened_by_their_margin() -> None:
    schema = schema_of([{"name": "price"}], {"price": QUANTILES}, columns=COLUMNS)
    raw = [[10.0, 9.0, 11.0, 8.0, 12.0]]
    assert finish(schema, raw, (0.8, 0.95)) == [[10.0, 9.0, 11.0, 7.5, 12.5]]
    assert finish(schema, raw, (0.95,)) == [[10.0, 7.5, 12.5]]


@pytest.mark.parametrize("rows", [1, 2])
def test_quantile_columns_that_cross_are_put_right(rows: int) -> None:
    schema = schema_of([{"name": "price"}], {"price": QUANTILES}, columns=COLUMNS)
    # Both columns above the prediction, and those of the higher level inside of the lower one.
    raw = [[10.0, 11.0, 12.0, 11.5, 9.0]] * rows
    assert finish(schema, raw, (0.8, 0.95)) == [[10.0, 10.0, 12.0, 10.0, 12.0]] * rows


def test_quantile_columns_are_transformed_like_their_output() -> None:
    output = {"name": "price", "transform": "exp", "maximum": 100.0}
    schema = schema_of([output], {"price": QUANTILES}, columns=COLUMNS)
    (row,) = finish(schema, np.log([[10.0, 9.0, 11.0, 8.0, 400.0]]), (0.8, 0.95))
    assert row == pytest.approx([10.0, 9.0, 11.0, 7.5, 100.0])


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", range(5))
def test_a_value_that_is_not_finite_is_no_prediction(place: int, bad: float, rows: int) -> None:
    limits = {"minimum": 0.0, "maximum": 100.0}
    schema = schema_of([{"name": "price", **limits}], {"price": QUANTILES}, columns=COLUMNS)
    raw = np.array([[10.0, 9.0, 11.0, 8.0, 12.0]] * rows)
    raw[-1, place] = bad
    with pytest.raises(PredictionError, match="not finite") as caught:
        finish(schema, raw)
    assert (caught.value.status, caught.value.code) == (500, "prediction_failed")


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize(
    ("output", "raw"),
    [
        ({"transform": "exp", "maximum": 5.0}, 1000.0),
        ({"transform": "expm1"}, 1000.0),
        ({}, 1.7e308),
        ({"transform": "exp"}, 709.7),
    ],
)
def test_an_overflow_on_the_way_is_no_prediction(
    output: dict[str, Any], raw: float, rows: int
) -> None:
    schema = schema_of([{"name": "price", **output}], {"price": RELATIVE}, default=0.95)
    with pytest.raises(PredictionError, match="not finite"):
        finish(schema, [raw] * rows)


@pytest.mark.parametrize("raw", [[[1.0, 2.0]], [], [1.0, 2.0], [[[1.0]]]])
def test_output_of_another_shape_is_no_prediction(raw: Any) -> None:
    with pytest.raises(PredictionError, match="wrong shape"):
        OutputFinisher(schema_of([{"name": "price"}])).finish(np.array(raw), 1)


def test_the_models_own_array_is_left_alone() -> None:
    raw = np.array([[-1.0], [0.5]])
    schema = schema_of([{"name": "price", "minimum": 0.0, "transform": "exp"}])
    finish(schema, raw)
    assert raw.tolist() == [[-1.0], [0.5]]


def test_single_precision_output_is_taken_as_it_is() -> None:
    raw = np.array([[0.1]], dtype=np.float32)
    assert finish(schema_of([{"name": "price"}]), raw) == [[float(np.float32(0.1))]]


def test_the_width_of_the_default_interval_is_known() -> None:
    schema = schema_of([{"name": "price"}, {"name": "bare"}], {"price": ABSOLUTE}, default=0.95)
    finisher = OutputFinisher(schema)
    one, two = np.array([[10.0, 1.0]]), np.array([[10.0, 1.0], [20.0, 1.0]])
    for raw in (one, two):
        for levels in (None, (0.95,), (0.8, 0.95)):
            finished = finisher.finish(raw, len(raw), levels)
            assert finisher.interval_width(finished, levels) == {"price": 12.0}
        narrow = finisher.finish(raw, len(raw), (0.8,))
        assert finisher.interval_width(narrow, (0.8,)) is None
    nothing = finisher.finish(np.empty((0, 2)), 0)
    assert finisher.interval_width(nothing) is None
    bare = OutputFinisher(schema_of([{"name": "price"}]))
    assert bare.interval_width(bare.finish(np.array([1.0]), 1)) is None


def test_steps_are_put_behind_their_rows() -> None:
    first = Finished(2, 2, [1.0, 2.0, 3.0, 4.0])
    second = Finished(2, 2, [5.0, 6.0, 7.0, 8.0])
    together = interleave([first, second])
    assert together == Finished(4, 2, [1.0, 2.0, 5.0, 6.0, 3.0, 4.0, 7.0, 8.0])
    assert together.column(1) == [2.0, 6.0, 4.0, 8.0]


NUMBERS = st.floats(-1e6, 1e6)
LIMITS = st.one_of(st.none(), st.floats(-10, 10))


@st.composite
def schemas(draw: st.DrawFn) -> FeatureSchema:
    """One output with intervals of any kind, limits and a transform."""
    low, high = sorted(draw(st.tuples(st.floats(-10, 0), st.floats(0, 10))))
    output = {
        "name": "price",
        "minimum": draw(st.sampled_from([None, low])),
        "maximum": draw(st.sampled_from([None, high])),
        "transform": draw(st.sampled_from(["identity", "expm1"])),
    }
    kind = draw(st.sampled_from(["absolute", "relative", "quantiles"]))
    if kind == "quantiles":
        margins = {level: draw(st.floats(-5, 5)) for level in QUANTILES["columns"]}
        interval = {**QUANTILES, "margins": margins}
    else:
        pairs = st.tuples(st.floats(-3, 0), st.floats(0, 3)).map(list)
        interval = {"kind": kind, "offsets": {"0.8": draw(pairs), "0.95": draw(pairs)}}
    entry = {key: value for key, value in output.items() if value is not None}
    return schema_of([entry], {"price": interval}, columns=COLUMNS)


@given(
    schema=schemas(),
    raw=st.lists(st.lists(st.floats(-20, 20), min_size=5, max_size=5), min_size=1, max_size=4),
)
def test_bounds_hold_the_prediction_and_the_bounds_of_lower_levels(
    schema: FeatureSchema, raw: list[list[float]]
) -> None:
    (output,) = schema.outputs
    for center, low, high, lowest, highest in finish(schema, raw, (0.8, 0.95)):
        assert lowest <= low <= center <= high <= highest
        assert output.minimum is None or lowest >= output.minimum
        assert output.maximum is None or highest <= output.maximum


@given(
    schema=schemas(),
    raw=st.lists(st.lists(st.floats(-20, 20), min_size=5, max_size=5), min_size=2, max_size=20),
)
def test_a_row_alone_is_answered_like_the_same_row_among_others(
    schema: FeatureSchema, raw: list[list[float]]
) -> None:
    together = finish(schema, raw, (0.8, 0.95))
    assert together == [finish(schema, [row], (0.8, 0.95))[0] for row in raw]


@given(
    centers=st.lists(NUMBERS, min_size=2, max_size=9),
    kind=st.sampled_from([ABSOLUTE, RELATIVE]),
    minimum=LIMITS,
)
def test_training_code_gets_the_bounds_that_are_served(
    centers: list[float], kind: dict[str, Any], minimum: float | None
) -> None:
    limits = {} if minimum is None else {"minimum": minimum}
    schema = schema_of([{"name": "price", **limits}], {"price": kind})
    served = np.array(finish(schema, centers, (0.95,)))
    lower, upper = interval_bounds(kind, 0.95, served[:, 0], minimum=minimum)
    assert np.array_equal(served[:, 1], lower)
    assert np.array_equal(served[:, 2], upper)
