"""Golden requests are answered again before a container is ready, and must get the same answers."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from forecast_inference.errors import ArtifactError
from forecast_inference.golden import replay

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JSON = "application/json"
LINES = "application/jsonlines"
CSV = "text/csv"


def recorded(predictor: Any, row: dict[str, Any]) -> dict[str, Any]:
    """Requests of each format and their answers, as packaging records them."""
    lines = f"{json.dumps(row)}\n"
    asked = [
        ("example", JSON, JSON, json.dumps({"instances": [row, row]})),
        ("lines", LINES, LINES, lines),
        ("csv", LINES, CSV, lines),
        ("refused", JSON, JSON, json.dumps({"instances": [{}]})),
    ]
    requests = []
    for name, content_type, accept, body in asked:
        response = predictor.respond(body, content_type, accept)
        text = response.body.decode()
        requests.append(
            {
                "name": name,
                "content_type": content_type,
                "accept": accept,
                "body": body,
                "status": response.status,
                "answer": json.loads(text) if response.content_type == JSON else text,
            }
        )
    return {"schema_version": 2, "requests": requests}


@pytest.fixture
def again(predictor: Any, row: dict[str, Any], tmp_path: Path) -> Callable[..., None]:
    """Replays the recorded requests after a change to them."""

    def run(change: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
        document = copy.deepcopy(recorded(predictor, row))
        change(document)
        path = tmp_path / "golden_requests.json"
        path.write_text(json.dumps(document))
        replay(path, predictor.respond)

    return run


def _answer(document: dict[str, Any], place: int = 0) -> Any:
    return document["requests"][place]["answer"]


def test_the_same_answers_are_accepted_at_any_time(again: Any) -> None:
    again()
    again(lambda it: _answer(it)["predictions"][0].pop("prediction_timestamp"))


def test_a_difference_within_the_tolerance_is_accepted(again: Any) -> None:
    again(lambda it: _answer(it)["predictions"][0].update(price=203.985 * 1.0005))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda it: it.update(schema_version=1), "schema_version 1, this runtime reads 2"),
        (lambda it: it.pop("requests"), "lacks requests"),
        (lambda it: it["requests"][0].pop("answer"), "a golden request lacks answer"),
        (lambda it: it["requests"][0].update(status=400), "'example': answered with status 200"),
        (lambda it: it["requests"][3].update(status=200), "'refused': answered with status 400"),
        (
            lambda it: _answer(it)["predictions"][1].update(price=1.0),
            "'example': price of entry 1 of predictions of the answer is 203.9.*, expected 1.0",
        ),
        (lambda it: _answer(it)["predictions"].pop(), "has 2 entries, expected 1"),
        (lambda it: _answer(it)["predictions"][0].pop("price"), "has the keys price, demand"),
        (lambda it: _answer(it)["predictions"][0].update(model_version="8"), "'7', expected '8'"),
        (lambda it: _answer(it, 3)["error"].update(code="other"), "code of error of the answer"),
        (
            lambda it: it["requests"][1].update(answer=_answer(it, 1).replace("203.", "204.")),
            "'lines': price of entry 0",
        ),
        (
            lambda it: it["requests"][2].update(answer=_answer(it, 2).replace("203.", "250.")),
            "'csv': price of entry 0",
        ),
        (
            lambda it: it["requests"][2].update(answer=_answer(it, 2).replace("price,", "rate,")),
            "'csv': entry 0 of the answer has the keys price",
        ),
    ],
)
def test_another_answer_keeps_the_model_from_serving(again: Any, change: Any, message: str) -> None:
    with pytest.raises(ArtifactError, match=message):
        again(change)
