from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from forecast_packaging import ModelError
from forecast_packaging.building.plan import ArchivePlan, plan_archive
from forecast_packaging.declarations.schema import build_feature_schema
from forecast_packaging.declarations.serving import Serving, read_serving
from forecast_packaging.declarations.signature import read_mlmodel
from forecast_packaging.registry.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def serving_document(snapshot_folder: Path) -> dict[str, Any]:
    return json.loads((snapshot_folder / "artifacts/serving.json").read_bytes())


@pytest.fixture
def plan(snapshot_folder: Path) -> Callable[..., ArchivePlan]:
    """Plans the snapshot, after its serving.json was replaced."""

    def replan(serving: Any = None) -> ArchivePlan:
        if serving is not None:
            (snapshot_folder / "artifacts/serving.json").write_text(json.dumps(serving))
        return plan_archive(Snapshot.read(snapshot_folder))

    return replan


@pytest.fixture
def change_mlmodel(snapshot_folder: Path) -> Callable[[str, str], None]:
    def change(old: str, new: str) -> None:
        path = snapshot_folder / "model" / "MLmodel"
        text = path.read_text()
        # YAML breaks long lines where it likes.
        pattern = re.escape(old).replace(r"\ ", r"\s+") if '"' in old else re.escape(old)
        changed, count = re.subn(pattern, lambda _: new, text)
        assert count
        path.write_text(changed)

    return change


def test_the_schema_has_the_signatures_columns_in_training_order(
    plan: Callable[..., ArchivePlan],
) -> None:
    schema = plan().schema
    assert [(f["name"], f["type"]) for f in schema["features"]] == [
        ("item_index", "long"),
        ("day_of_week", "long"),
        ("quantity_sold", "double"),
    ]
    assert schema["features"][0]["derive"] == {"kind": "category_index", "source": "item_code"}
    assert schema["inputs"] == [
        {"name": "date", "type": "date", "nullable": False},
        {
            "name": "item_code",
            "type": "string",
            "nullable": False,
            "categories": ["102", "104", "110"],
        },
        {
            "name": "quantity_sold",
            "type": "double",
            "nullable": False,
            "unit": "kg",
            "range": schema["inputs"][2]["range"],
            "out_of_range": "clip",
        },
    ]
    assert schema["outputs"] == [
        {"name": "forecasted_price", "unit": "RMB/kg", "minimum": 0.0},
        {"name": "forecasted_demand", "minimum": 0.0},
    ]
    assert schema["columns"] == ["forecasted_price", "forecasted_demand"]
    assert schema["intervals"]["default_level"] == 0.9


def test_a_column_with_missing_values_in_training_is_nullable(
    plan: Callable[..., ArchivePlan], change_mlmodel: Callable[[str, str], None]
) -> None:
    change_mlmodel(
        '"name": "quantity_sold", "required": true', '"name": "quantity_sold", "required": false'
    )
    assert plan().schema["inputs"][-1]["nullable"] is True


def test_without_a_declaration_the_signature_is_the_contract(snapshot_folder: Path) -> None:
    model = read_mlmodel(snapshot_folder / "model")
    schema = build_feature_schema(model, Serving())
    assert [item["name"] for item in schema["inputs"]] == [
        "item_index",
        "day_of_week",
        "quantity_sold",
    ]
    assert [item["name"] for item in schema["outputs"]] == ["forecasted_price", "forecasted_demand"]
    assert {"intervals", "horizon"}.isdisjoint(schema)


def test_an_unnamed_output_is_called_prediction(
    snapshot_folder: Path,
) -> None:
    text = (snapshot_folder / "model/MLmodel").read_text()
    start, end = text.index("  outputs: '"), text.index("  params:")
    (snapshot_folder / "model/MLmodel").write_text(
        f'{text[:start]}  outputs: \'[{{"type": "tensor", "tensor-spec": '
        f'{{"dtype": "float64", "shape": [-1]}}}}]\'\n{text[end:]}'
    )
    schema = build_feature_schema(read_mlmodel(snapshot_folder / "model"), Serving())
    assert schema["outputs"] == [{"name": "prediction"}]


OFFSETS = {"0.8": [-1, 1], "0.9": [-2, 2]}


def put(*keys: Any) -> Callable[[Any], None]:
    *path, last, value = keys

    def change(document: Any) -> None:
        for key in path:
            document = document[key]
        document[last] = value

    return change


def drop(*keys: Any) -> Callable[[Any], None]:
    *path, last = keys

    def change(document: Any) -> None:
        for key in path:
            document = document[key]
        del document[last]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("extra", 1), "artifacts/serving.json: extra: extra inputs are not permitted, got 1"),
        (put("inputs", 0, "type", "dat"), "inputs.0.type: input should be 'boolean'"),
        (
            put("derived", "item_index", "kind", "shelf"),
            "derived.item_index: input tag 'shelf' found using 'kind' does not match",
        ),
        (
            put("derived", "item_index", "source", "code"),
            (
                "the derived feature 'item_index' has the source 'code', expected one of the "
                "inputs date, item_code, quantity_sold"
            ),
        ),
        (
            put("derived", "shelf", {"kind": "month", "source": "date"}),
            "the derived feature 'shelf' is no column of the model's signature",
        ),
        (
            put("derived", "day_of_week", "source", "item_code"),
            (
                "the derived feature 'day_of_week' has the source 'item_code' of type 'string', "
                "expected a date"
            ),
        ),
        (
            put("derived", "day_of_week", {"kind": "annual_sine", "source": "date"}),
            (
                "the derived feature 'day_of_week' of kind 'annual_sine' has the type 'long', "
                "expected one of double, float"
            ),
        ),
        (
            drop("inputs", 1, "categories"),
            "the derived feature 'item_index' needs categories on its source 'item_code'",
        ),
        (put("inputs", 1, "categories", ["1", "1"]), "has categories that are none or repeat"),
        (put("inputs", 1, "categories", []), "has categories that are none or repeat"),
        (put("inputs", 0, "categories", ["1"]), "has categories and the type 'date'"),
        (
            put("inputs", 0, "nullable", True),  # noqa: FBT003  # a value of the document
            "the derived feature 'day_of_week' has the source 'date', which may be null",
        ),
        (
            drop("derived", "item_index"),
            "the input 'item_code' is used by no derived feature and no horizon",
        ),
        (
            put("inputs", 0, "name", "quantity_sold"),
            "the input 'quantity_sold' has the type 'date', and 'double' in the model's signature",
        ),
        (put("inputs", 1, "name", "date"), "the input 'date' is declared twice"),
        (
            put("intervals", "outputs", {"shelf": {"kind": "absolute", "offsets": OFFSETS}}),
            (
                "the interval names the output 'shelf', expected one of forecasted_price, "
                "forecasted_demand"
            ),
        ),
        (
            put("intervals", "outputs", "forecasted_price", "offsets", "0.8", [0.1, 0.2]),
            "has the offsets 0.1 and 0.2 at level 0.8, expected the first at most 0",
        ),
        (put("intervals", "default_level", 1.0), "default_level: input should be less than 1"),
        (
            put("outputs", [{"name": "shelf"}]),
            "expected 2 outputs as in the model's signature, got 1 (shelf)",
        ),
        (
            put("outputs", [{"name": "model_version"}, {"name": "forecasted_price"}]),
            "the output 'model_version' is a key of every answer",
        ),
        (
            put("outputs", [{"name": "a"}, {"name": "a"}]),
            "expected outputs that differ, got a, a",
        ),
        (put("outputs", 0, "transform", "log"), "input should be 'identity', 'exp' or 'expm1'"),
        (drop("input_example"), "declares derived features but no input_example"),
        (put("input_example", {"instances": []}), "should have at least 1 item"),
    ],
)
def test_a_contradiction_in_the_declaration_is_named(
    plan: Callable[..., ArchivePlan],
    serving_document: dict[str, Any],
    change: Callable[[Any], None],
    message: str,
) -> None:
    change(serving_document)
    with pytest.raises(ModelError) as caught:
        plan(serving_document)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("derivation", "message"),
    [
        ({"events": ["2023-02-30"], "limit": 30}, "day is out of range"),
        ({"events": ["20230122"], "limit": 30}, "expected YYYY-MM-DD"),
        ({"events": ["2023-02-01", "2023-01-22"], "limit": 30}, "expected events in ascending"),
        ({"events": [], "limit": 30}, "at least 1 item"),
        ({"events": ["2023-01-22"], "limit": 0}, "greater than or equal to 1, got 0"),
    ],
)
def test_a_wrong_event_calendar_is_refused(
    plan: Callable[..., ArchivePlan],
    serving_document: dict[str, Any],
    derivation: dict[str, Any],
    message: str,
) -> None:
    serving_document["derived"]["day_of_week"] = {
        "kind": "days_to_event",
        "source": "date",
        **derivation,
    }
    with pytest.raises(ModelError) as caught:
        plan(serving_document)
    assert message in str(caught.value)


def test_all_contradictions_are_told_at_once(
    plan: Callable[..., ArchivePlan], serving_document: dict[str, Any]
) -> None:
    broken = copy.deepcopy(serving_document)
    broken["derived"]["shelf"] = {"kind": "month", "source": "date"}
    broken["outputs"][0]["name"] = "model_version"
    with pytest.raises(ModelError) as caught:
        plan(broken)
    assert str(caught.value).count("artifacts/serving.json: ") == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not valid JSON"),
        ('{"inputs": [], "inputs": []}', "the key 'inputs' is given twice"),
        ('{"interval": NaN}', "NaN is not a JSON number"),
        ("\ufeff{}", "is not valid JSON"),
    ],
)
def test_a_declaration_that_is_not_json_is_refused(
    snapshot_folder: Path, text: str, message: str
) -> None:
    (snapshot_folder / "artifacts/serving.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        read_serving(snapshot_folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("signature:\n", "unsigned:\n", "the model has no signature"),
        ('"type": "long", "name": "item_index"', '"type": "long"', "an input without a name"),
        ('"long", "name": "item_index"', '"binary", "name": "item_index"', "has the type 'binary'"),
        ('"name": "day_of_week"', '"name": "item_index"', "the input 'item_index' twice"),
        ("    python_version: ", "    python: ", "with which Python the model was logged"),
        ("flavors:\n", "flavors: [\n", "MLmodel is not valid YAML"),
        ("    data: model.ubj\n", "    data: ../../run.json\n", "unsafe path '../../run.json'"),
        ("    data: model.ubj\n", "    data: other.ubj\n", "is in 'other.ubj', which is no file"),
        (
            "model_class: xgboost.core.Booster",
            "model_class: xgboost.sklearn.XGBClassifier",
            "the xgboost model is a XGBClassifier, expected one of Booster, XGBRFRegressor",
        ),
        ("  xgboost:\n", "  keras:\n", "the model has the flavors keras, python_function"),
    ],
)
def test_an_mlmodel_that_cannot_be_served_is_refused(
    plan: Callable[..., ArchivePlan],
    change_mlmodel: Callable[[str, str], None],
    old: str,
    new: str,
    message: str,
) -> None:
    change_mlmodel(old, new)
    with pytest.raises(ModelError) as caught:
        plan()
    assert message in str(caught.value)


def test_a_signature_of_tensors_is_refused(
    plan: Callable[..., ArchivePlan], snapshot_folder: Path
) -> None:
    path = snapshot_folder / "model/MLmodel"
    text = path.read_text()
    start, end = text.index("  inputs: '"), text.index("  outputs: '")
    path.write_text(
        f'{text[:start]}  inputs: \'[{{"type": "tensor", "tensor-spec": '
        f'{{"dtype": "float64", "shape": [-1, 3]}}}}]\'\n{text[end:]}'
    )
    with pytest.raises(ModelError, match="the signature's inputs are a tensor, expected named"):
        plan()


def test_a_model_without_any_example_is_refused(
    plan: Callable[..., ArchivePlan], snapshot_folder: Path
) -> None:
    (snapshot_folder / "artifacts/serving.json").unlink()
    with pytest.raises(ModelError, match="the model has no input example: log it with"):
        plan()


def test_a_run_that_logs_what_packaging_makes_is_refused(
    plan: Callable[..., ArchivePlan], snapshot_folder: Path
) -> None:
    (snapshot_folder / "artifacts/metrics.json").write_text("{}")
    with pytest.raises(ModelError, match=r"the run logged artifacts/metrics.json"):
        plan()


@pytest.mark.parametrize(
    ("start", "message"),
    [(b"binf\x00\x00", "is in the old binary format"), (b"", "is in the old binary format")],
)
def test_an_xgboost_file_that_is_no_longer_read_is_refused(
    plan: Callable[..., ArchivePlan], snapshot_folder: Path, start: bytes, message: str
) -> None:
    (snapshot_folder / "model/model.ubj").write_bytes(start)
    with pytest.raises(ModelError, match=message):
        plan()
