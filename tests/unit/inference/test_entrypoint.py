"""The two hooks of AWS's images: how a model is loaded, and how a status leaves."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forecast_inference import entrypoint
from forecast_inference.errors import ArtifactError
from forecast_inference.server import limits

if TYPE_CHECKING:
    from forecast_inference.handler import Predictor

BAD = b'{"instances": []}'


class Context:
    """What the Multi Model Server's context records."""

    def __init__(self) -> None:
        self.status: tuple[int, str, int] | None = None

    def set_response_status(self, code: int, phrase: str, idx: int) -> None:
        self.status = (code, phrase, idx)


def test_model_fn_loads_what_lies_in_the_archive(market_archive: Any) -> None:
    assert entrypoint.model_fn(str(market_archive.path)).info.version == "7"


def test_model_fn_finds_the_package_beside_it(market_archive: Any, tmp_path: Path) -> None:
    """As in an image: only ``inference.py`` can be imported, from wherever it was installed."""
    source = market_archive.path / "code/inference.py"
    (tmp_path / "inference.py").write_bytes(source.read_bytes())
    program = f"""
import sys
sys.path[:] = [path for path in sys.path if not path.endswith("/inference")]
sys.meta_path[:] = [f for f in sys.meta_path if "editable" not in repr(f).lower()]
sys.path.insert(0, {str(tmp_path)!r})
import inference
model = inference.model_fn({str(market_archive.path)!r})
print(sys.modules["forecast_inference"].__file__)
"""
    result = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == str(market_archive.path / "code/forecast_inference/__init__.py")


def test_model_fn_refuses_a_model_that_answers_otherwise(damaged: Path, change_info: Any) -> None:
    golden = damaged / "artifacts/golden_requests.json"
    document = json.loads(golden.read_text())
    document["requests"][0]["answer"]["predictions"][0]["price"] += 1.0
    golden.write_text(json.dumps(document))
    change_info(damaged)
    with pytest.raises(ArtifactError, match="golden request"):
        entrypoint.model_fn(str(damaged))


def test_vendored_libraries_stand_in_for_lacking_ones_and_replace_none(damaged: Path) -> None:
    """As with wheels for another Python: what is installed here is imported, not theirs."""
    vendor = damaged / "code/vendor"
    for name in ("joblib", "only_in_the_archive"):
        (vendor / name).mkdir(parents=True)
        (vendor / name / "__init__.py").write_text("")
    program = f"""
import sys
sys.path.insert(0, {str(damaged / "code")!r})
import inference
from pathlib import Path
try:
    inference.model_fn({str(damaged)!r})
except Exception as refusal:  # the member is in no manifest
    print(refusal, file=sys.stderr)
import joblib
import only_in_the_archive
print(joblib.__file__, only_in_the_archive.__file__, sys.path[-1], sep="\\n")
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    installed, vendored, last = map(Path, result.stdout.splitlines())
    assert installed.parent.name == "joblib"
    assert not installed.is_relative_to(damaged)
    assert vendored == vendor / "only_in_the_archive/__init__.py"
    assert last == vendor


def flask_of(headers: dict[str, str], body: bytes) -> types.ModuleType:
    """A stand-in for Flask within a request."""
    flask = types.ModuleType("flask")
    reader = types.SimpleNamespace(get_data=lambda: body)
    request = types.SimpleNamespace(headers=headers, environ={"werkzeug.request": reader})
    flask.request = request  # type: ignore[attr-defined]  # a stand-in
    flask.has_request_context = lambda: True  # type: ignore[attr-defined]
    flask.Response = lambda body, status, content_type: (  # type: ignore[attr-defined]
        body, status, content_type,
    )  # fmt: skip
    return flask


def test_flask_hands_over_the_bytes_and_the_headers(
    predictor: Predictor, row: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = gzip.compress(json.dumps({"instances": [row]}).encode())
    monkeypatch.setitem(sys.modules, "flask", flask_of({"Content-Encoding": "gzip"}, body))
    answer, status, content_type = entrypoint.transform_fn(
        predictor, body.decode(errors="replace"), "application/json", None
    )
    assert (status, content_type) == (200, "application/json")
    assert len(json.loads(answer)["predictions"]) == 1


def test_an_answer_that_sagemaker_would_not_take_is_a_413(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_ANSWER_BYTES", 10)
    context = Context()
    body, _ = entrypoint.transform_fn(predictor, BAD, None, None, context)
    assert context.status == (413, "Request Entity Too Large", 0)
    assert json.loads(body)["error"]["code"] == "answer_too_large"


def test_a_context_takes_the_status(predictor: Predictor) -> None:
    context = Context()
    body, content_type = entrypoint.transform_fn(predictor, BAD, None, None, context)
    assert context.status == (400, "Bad Request", 0)
    assert json.loads(body)["error"]["code"] == "no_instances"
    assert content_type == "application/json"


def test_a_context_takes_the_status_of_success(predictor: Predictor, row: Any) -> None:
    context = Context()
    body = bytearray(json.dumps({"instances": [row]}).encode())
    answer, _ = entrypoint.transform_fn(predictor, body, "application/json", None, context)
    assert context.status == (200, "OK", 0)
    assert len(json.loads(answer)["predictions"]) == 1


def test_an_older_toolkit_takes_the_status_as_an_exception(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ToolkitError(Exception):
        def __init__(self, status_code: int, message: str, phrase: str) -> None:
            super().__init__(status_code, message, phrase)

    toolkit = types.ModuleType("sagemaker_inference.errors")
    toolkit.BaseInferenceToolkitError = ToolkitError  # type: ignore[attr-defined]  # a stand-in
    monkeypatch.setitem(sys.modules, "sagemaker_inference.errors", toolkit)
    with pytest.raises(ToolkitError) as caught:
        entrypoint.transform_fn(predictor, BAD, None, None)
    status, message, phrase = caught.value.args
    assert (status, phrase) == (400, "Bad Request")
    assert json.loads(message)["error"]["code"] == "no_instances"


def test_an_unknown_server_never_turns_an_error_into_a_success(predictor: Predictor) -> None:
    with pytest.raises(RuntimeError, match="no known serving stack takes status 400"):
        entrypoint.transform_fn(predictor, BAD, None, None)


def test_without_a_framework_an_answer_is_a_body_and_its_type(
    predictor: Predictor, row: Any
) -> None:
    body = json.dumps({"instances": [row]})
    answer, content_type = entrypoint.transform_fn(predictor, body, None, "text/csv")
    assert content_type == "text/csv"
    assert answer.startswith(b"price,")
