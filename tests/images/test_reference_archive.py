"""The reference model's own archive, as it is packed, in the stacks of AWS's images."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forecast_packaging import Alias, package, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
TRAIN = HERE.parents[1] / "examples" / "train.py"

pytestmark = pytest.mark.images


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extracted archive of a freshly trained reference model."""
    root = tmp_path_factory.mktemp("reference")
    train = [sys.executable, str(TRAIN), "--days", "500", "--rounds", "20"]
    subprocess.run(train, cwd=root, check=True, capture_output=True)
    where: dict[str, Any] = {"root": root, "tracking_uri": "sqlite:///mlflow.db"}
    lock = resolve(**where, name="chinese_produce_forecaster", selector=Alias("champion"))
    archive = package(**where, lock=lock).archive
    folder = root / "model"
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("flask", marks=pytest.mark.slow),
        "wsgi",
        pytest.param("mms", marks=pytest.mark.slow),
    ],
)
def test_the_stack_answers_what_was_recorded_at_packaging(
    serve_folder: Any, reference: Path, kind: str
) -> None:
    recorded = json.loads((reference / "artifacts" / "golden_requests.json").read_text())

    with serve_folder(kind, reference) as stack:
        for request in recorded["requests"]:
            body = request["body"].encode()
            answer = stack.invoke(body, request["content_type"], request["accept"])
            assert answer.status == request["status"], request["name"]
            if request["name"] == "example":
                predictions = json.loads(answer.body)["predictions"]
                wanted = request["answer"]["predictions"]
                assert len(predictions) == len(wanted) > 0
                for answered, expected in zip(predictions, wanted, strict=True):
                    for name in ("forecasted_price", "forecasted_demand"):
                        assert answered[name] == pytest.approx(expected[name], rel=1e-6)
                    assert answered["model_version"] == expected["model_version"] == "1"


def test_the_image_s_libraries_meet_the_requirements_without_a_download(
    reference: Path, pinned_environment: Callable[[Path], Path]
) -> None:
    python = pinned_environment(HERE / "requirements-flask.txt")
    requirements = reference / "code" / "requirements.txt"

    done = subprocess.run(
        [python, "-m", "pip", "install", "--no-index", "--no-deps", "-r", requirements],
        capture_output=True,
        text=True,
        check=False,
    )

    assert requirements.read_text().split() == ["xgboost==3.2.0"]
    assert done.returncode == 0, done.stderr
    assert "Requirement already satisfied: xgboost==3.2.0" in done.stdout
