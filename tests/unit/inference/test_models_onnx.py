"""ONNX models are computed as they are, and those that refer elsewhere are refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import pytest

from forecast_inference.errors import ArtifactError
from forecast_inference.handler import Predictor
from forecast_inference.models.given import Given
from forecast_inference.models.onnx import load
from forecast_inference.models.onnx_file import check_self_contained

DOUBLE, FLOAT, WHOLE = onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
NAMES = ["a", "location"]


def value(name: str, kind: int, *shape: int | None) -> Any:
    return onnx.helper.make_tensor_value_info(name, kind, shape)


def linear(**changes: Any) -> Any:
    """rows (n, 2) @ weights (2, 1)."""
    weights = onnx.numpy_helper.from_array(np.ones((2, 1)), "weights")
    parts = {
        "nodes": [onnx.helper.make_node("MatMul", ["rows", "weights"], ["price"])],
        "inputs": [value("rows", DOUBLE, None, 2)],
        "outputs": [value("price", DOUBLE, None, 1)],
        "constants": [weights],
        **changes,
    }
    graph = onnx.helper.make_graph(
        parts["nodes"], "location", parts["inputs"], parts["outputs"], parts["constants"]
    )
    opsets = [onnx.helper.make_opsetid("", 18), *parts.get("opsets", ())]
    model = onnx.helper.make_model(graph, opset_imports=opsets)
    model.ir_version = 8
    return model


@pytest.fixture
def save(tmp_path: Path) -> Any:
    def write(model: Any) -> Path:
        path = tmp_path / "model.onnx"
        onnx.save(model, path)
        return path

    return write


def given(kind: str = "array") -> Given:
    return Given(NAMES, kind, lean=True)


def test_a_matrix_is_predicted(save: Any) -> None:
    predict = load(save(linear()), given())
    assert predict(np.array([[1.0, 2.0], [3.0, 4.5]])).tolist() == [[3.0], [7.5]]


def test_columns_by_name_become_the_matrix(save: Any) -> None:
    predict = load(save(linear()), given("columns"))
    rows = {"location": np.array([2.0]), "unused": np.array(["x"]), "a": np.array([1.0])}
    assert predict(rows).tolist() == [[3.0]]


def test_tensors_in_another_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(linear(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(ArtifactError, match="keeps tensors in another file"):
        load(path, given())


def test_a_tensor_in_another_file_is_found_inside_an_attribute_of_a_branch(save: Any) -> None:
    tensor = onnx.numpy_helper.from_array(np.ones((2, 1)), "inner")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    inner = onnx.helper.make_graph(
        [onnx.helper.make_node("Constant", [], ["inner"], value=tensor)],
        "branch",
        [],
        [value("inner", DOUBLE, 2, 1)],
    )
    branch = onnx.helper.make_node("If", ["yes"], ["weights"], then_branch=inner, else_branch=inner)
    multiply = onnx.helper.make_node("MatMul", ["rows", "weights"], ["price"])
    yes = onnx.numpy_helper.from_array(np.array(1, dtype=bool), "yes")
    path = save(linear(nodes=[branch, multiply], constants=[yes]))
    with pytest.raises(ArtifactError, match="keeps tensors in another file"):
        check_self_contained(path)


def test_names_that_are_the_key_of_another_file_are_no_other_file(save: Any) -> None:
    model = linear(inputs=[value("location", DOUBLE, None, 2)])
    model.graph.node[0].input[0] = "location"
    check_self_contained(save(model))


@pytest.mark.parametrize("domain", ["company.operators", "ai.onnx.training"])
def test_operators_of_another_domain_are_refused(save: Any, domain: str) -> None:
    model = linear(opsets=[onnx.helper.make_opsetid(domain, 1)])
    with pytest.raises(ArtifactError, match=f"operators of the domain '{domain}', expected one of"):
        load(save(model), given())


@pytest.mark.parametrize("content", [b"", b"\x08", b"tree\nversion=v4", b"\xff" * 40, b"location"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(Exception, match=r"ONNX|INVALID|Invalid|parse|graph|FAIL") as caught:
        load(path, given())
    assert not isinstance(caught.value, IndexError | KeyError | UnicodeDecodeError)


def test_a_damaged_model_never_breaks_the_check(save: Any) -> None:
    path = save(linear())
    content = path.read_bytes()
    random = np.random.default_rng(3)
    for _ in range(300):
        changed = bytearray(content)
        for place in random.integers(0, len(content), 3):
            changed[place] = int(random.integers(0, 256))
        path.write_bytes(bytes(changed[: int(random.integers(1, len(content)))]))
        try:
            check_self_contained(path)
        except ArtifactError:
            continue


def test_a_classifier_is_refused(save: Any) -> None:
    nodes = [
        onnx.helper.make_node("MatMul", ["rows", "weights"], ["sum"]),
        onnx.helper.make_node("Cast", ["sum"], ["label"], to=WHOLE),
    ]
    model = linear(nodes=nodes, outputs=[value("label", WHOLE, None, 1)])
    with pytest.raises(ArtifactError, match=r"'label' is tensor\(int64\), expected a tensor"):
        load(save(model), given())


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([value("rows", DOUBLE, None, 3)], "trained on 3 features, the feature schema has 2"),
        ([value("rows", onnx.TensorProto.FLOAT16, None, 2)], r"tensor\(float16\), expected one of"),
        (
            [value("rows", DOUBLE, None, 1), value("other", DOUBLE, None, 1)],
            "has the inputs rows, other, expected one matrix, or the features a, location",
        ),
    ],
    ids=["width", "type", "names"],
)
def test_inputs_that_are_not_the_features_are_refused(
    save: Any, inputs: list[Any], message: str
) -> None:
    nodes = [
        onnx.helper.make_node("Cast", [entry.name], [f"{entry.name}_out"], to=DOUBLE)
        for entry in inputs
    ]
    outputs = [value(f"{entry.name}_out", DOUBLE, None, None) for entry in inputs]
    model = linear(nodes=nodes, inputs=inputs, outputs=outputs, constants=[])
    with pytest.raises(ArtifactError, match=message):
        load(save(model), given())


def test_a_missing_value_has_no_place_in_a_tensor_of_whole_numbers(save: Any) -> None:
    nodes = [
        onnx.helper.make_node("Cast", ["location"], ["whole"], to=DOUBLE),
        onnx.helper.make_node("Add", ["a", "whole"], ["price"]),
    ]
    inputs = [value("a", DOUBLE, None, 1), value("location", WHOLE, None, 1)]
    predict = load(save(linear(nodes=nodes, inputs=inputs, constants=[])), given())
    assert predict(np.array([[1.5, 2.0]])).tolist() == [[3.5]]
    with pytest.raises(ValueError, match="location is null, which the model's int64 cannot hold"):
        predict(np.array([[1.5, np.nan]]))


def test_a_model_of_an_unknown_operator_is_refused_with_the_runtime_s_reason(
    named_archive: Any, tmp_path: Path, change_info: Any
) -> None:
    copy = Path(shutil.copytree(named_archive.path, tmp_path / "copy"))
    nodes = [onnx.helper.make_node("Guess", ["rows"], ["price"])]
    onnx.save(linear(nodes=nodes, constants=[]), copy / "model/model.onnx")
    change_info(copy, flavor="onnx", file="model/model.onnx")
    with pytest.raises(ArtifactError, match=r"model.onnx is no model that onnx can read: .*Guess"):
        Predictor.load(copy)
