"""The profile of training data: what it holds, and that it does not depend on how it is read."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_packaging.declarations.profile import Profile
from forecast_packaging.training import profile
from forecast_packaging.training.sketch import QuantileSketch

FRAME = pd.DataFrame(
    {
        "wholesale_price": [4.2, None, 1.0, 3.0],
        "item_code": ["102", "110", "102", None],
        "boxes": [2, 1, 4, 3],
        "promoted": [True, False, True, True],
        "date": pd.to_datetime(["2023-06-29", None, "2023-06-30", "2023-06-30"]),
    }
)


def test_a_number_has_its_range_moments_and_quantiles() -> None:
    entry = profile(FRAME)["inputs"]["wholesale_price"]
    quantiles = entry.pop("quantiles")
    assert entry == {
        "missing": 1,
        "minimum": 1.0,
        "maximum": 4.2,
        "mean": pytest.approx(8.2 / 3),
        "standard_deviation": pytest.approx(np.std([4.2, 1.0, 3.0])),
        "median": 3.0,
    }
    assert quantiles["0.05"] == 1.0
    assert quantiles["0.5"] == 3.0
    assert quantiles["0.99"] == 4.2


def test_a_text_has_its_categories_the_most_frequent_first() -> None:
    entry = profile(FRAME)["inputs"]["item_code"]
    assert entry == {"missing": 1, "categories": {"102": 2, "110": 1}}
    assert list(entry["categories"]) == ["102", "110"]


def test_a_median_of_whole_numbers_is_one_of_them() -> None:
    assert profile(FRAME)["inputs"]["boxes"]["median"] == 2.0


def test_a_boolean_counts_as_zero_and_one_and_a_date_only_as_there() -> None:
    inputs = profile(FRAME)["inputs"]
    assert inputs["promoted"]["mean"] == 0.75
    assert inputs["date"] == {"missing": 1}


def test_a_column_of_nothing_has_only_its_missing_rows() -> None:
    assert profile({"empty": np.array([np.nan, np.nan])}) == {
        "schema_version": 2,
        "rows": 2,
        "inputs": {"empty": {"missing": 2}},
    }


def test_a_text_of_too_many_kinds_is_no_category() -> None:
    codes = [f"c{number}" for number in range(1001)]
    assert "categories" not in profile({"code": codes})["inputs"]["code"]
    assert "categories" not in profile([{"code": codes}, {"code": codes}])["inputs"]["code"]
    assert len(profile({"code": codes[:1000]})["inputs"]["code"]["categories"]) == 1000


def test_columns_can_be_chosen() -> None:
    found = profile(FRAME, ["boxes", "item_code"])
    assert found["rows"] == 4
    assert list(found["inputs"]) == ["boxes", "item_code"]


def test_packaging_reads_it() -> None:
    read = Profile.model_validate(json.loads(json.dumps(profile(FRAME))))
    assert read.rows == 4
    assert read.inputs["item_code"].known("string") == ["102", "110"]
    assert read.inputs["boxes"].typical("long") == 2


def test_missing_values_have_many_spellings() -> None:
    columns = {
        "masked": pd.array([1, None, 3], dtype="Int64"),
        "objects": np.array([1.5, None, float("nan")], dtype=object),
        "texts": pd.Series(["a", None, pd.NA], dtype="string"),
        "days": np.array(["2023-06-30", "NaT", "2023-07-01"], dtype="datetime64[D]"),
    }
    found = profile(columns)["inputs"]
    missing = {name: entry["missing"] for name, entry in found.items()}
    assert missing == {"masked": 1, "objects": 2, "texts": 2, "days": 1}
    assert found["masked"]["maximum"] == 3.0
    assert found["texts"]["categories"] == {"a": 1}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "got no training rows"),
        ({"a": []}, "got no training rows"),
        ([], "got no training rows"),
        ({"a": [1.0, np.inf]}, "got 1 infinite values in column 'a'"),
        ({"a": np.array(["x", 1.0], dtype=object)}, "mixed or unknown types in column 'a'"),
        ({"a": np.array([[1], {}, ()], dtype=object)}, "mixed or unknown types in column 'a'"),
        ([{"a": [1.0]}, {"a": ["x"]}], "mixed or unknown types in column 'a'"),
        ([{"a": [1.0]}, {"b": [1.0]}], r"got the columns \['b'\], expected \['a'\]"),
    ],
)
def test_what_no_request_could_hold_is_refused(data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        profile(data)


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="got no column 'price', expected one of a, b"):
        profile({"a": [1.0], "b": [1.0]}, ["price"])


@given(
    numbers=st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=60),
    cut=st.integers(1, 59),
)
def test_the_profile_does_not_depend_on_how_the_data_is_cut(
    numbers: list[float | None], cut: int
) -> None:
    column = np.array(numbers, dtype=object)
    whole = profile({"a": column})
    cut = min(cut, len(numbers))
    parts = profile(part for part in ({"a": column[:cut]}, {"a": column[cut:]}) if len(part["a"]))
    exact = ("missing", "minimum", "maximum", "median", "quantiles")
    one, other = whole["inputs"]["a"], parts["inputs"]["a"]
    assert [one.get(key) for key in exact] == [other.get(key) for key in exact]
    if "mean" in one:
        assert one["mean"] == pytest.approx(other["mean"], rel=1e-9, abs=1e-6)
        spread = other["standard_deviation"]
        assert one["standard_deviation"] == pytest.approx(spread, rel=1e-6, abs=1e-4)


def test_a_frame_and_its_chunks_have_the_same_profile() -> None:
    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"price": random.lognormal(1, 1, 5000), "code": random.choice(["a", "b"], 5000)}
    )
    chunks = (frame.iloc[start : start + 700] for start in range(0, 5000, 700))
    assert profile(chunks) == profile(frame)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=64), st.floats(0.01, 0.99))
def test_quantiles_of_few_values_are_exact(values: list[float], share: float) -> None:
    sketch = QuantileSketch(size=128)
    sketch.add(np.array(values))
    (found,) = sketch.quantiles([share])
    expected = np.quantile(values, share * (1 - 1e-12), method="inverted_cdf")
    assert found == expected


@pytest.mark.parametrize("order", ["sorted", "random", "reversed"])
def test_quantiles_of_many_values_keep_to_the_error_they_promise(order: str) -> None:
    size, rows = 64, 20_000
    values = np.random.default_rng(2).normal(size=rows)
    arranged = {"sorted": np.sort(values), "reversed": np.sort(values)[::-1], "random": values}
    sketch = QuantileSketch(size)
    sketch.add(arranged[order])
    shares = np.arange(1, 20) / 20
    found = np.searchsorted(np.sort(values), sketch.quantiles(shares.tolist())) / rows
    levels = np.log2(rows / size)
    assert np.abs(found - shares).max() <= levels / size


def test_a_sketch_keeps_few_values_and_does_not_depend_on_the_cut() -> None:
    values = np.random.default_rng(3).normal(size=10_000)
    whole, parts = QuantileSketch(size=64), QuantileSketch(size=64)
    whole.add(values)
    for start in range(0, len(values), 37):
        parts.add(values[start : start + 37])
    shares = [0.1, 0.5, 0.9]
    assert whole.quantiles(shares) == parts.quantiles(shares)
    assert sum(buffer.count for buffer in whole._buffers) < 64 * len(whole._buffers)
    with pytest.raises(ValueError, match="got no values"):
        QuantileSketch().quantiles([0.5])
