"""However strange a configuration or a lock is, it is read or refused with the loader's own error.

A longer run: `python -m pytest -n0 tests/unit/config/test_config_fuzz.py --hypothesis-profile long`
"""

from __future__ import annotations

import contextlib
import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from forecast_config import ConfigError, load_config, read_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parents[2] / "data"
SHIPPED = Path(__file__).parents[3] / "config" / "forecast.yaml"
SEEDS = [
    yaml.safe_load(path.read_text("utf-8")) for path in (SHIPPED, *sorted(DATA.glob("*.yaml")))
]
LOCKED = {
    "name": "forecaster",
    "version": "3",
    "run_id": "r",
    "model_digest": f"sha256:{'0' * 64}",
    "signature_digest": f"sha256:{'1' * 64}",
    "libraries": {"python": "3.12.1"},
}
LOCK = {"schema_version": 1, "environments": {"dev": LOCKED}, "challengers": {"dev": LOCKED}}
WORDS = [
    *(
        "",
        "kind",
        "null",
        "aws",
        "dev",
        "prod",
        "1e3",
        "0x10",
        "${X}",
        "ml.m5.large",
        "\u2028",
        "-",
    ),
    *("serverless", "async", "canary", "rolling", "cron(0 4 * * ? *)", "at(0000-00-00T00:00:00)"),
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.text(max_size=8)
    | st.sampled_from(WORDS)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=6) | st.sampled_from(WORDS), inner, max_size=3)
    ),
    max_leaves=6,
)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=120)


def _places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries: Any = ()
    if isinstance(document, dict):
        entries = document.items()
    elif isinstance(document, list):
        entries = enumerate(document)
    for key, value in entries:
        yield (*path, key)
        yield from _places(value, (*path, key))


@st.composite
def mutated(draw: st.DrawFn, seeds: list[Any]) -> Any:
    """A document with one to three of its places replaced, removed or added to."""
    document = copy.deepcopy(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 3))):
        *parents, last = draw(st.sampled_from(sorted(_places(document), key=str)))
        block = document
        for key in parents:
            block = block[key]
        action = draw(st.sampled_from(["replace", "remove", "add"]))
        if action == "replace":
            block[last] = draw(VALUES)
        elif action == "remove":
            del block[last]
        elif isinstance(block, dict):
            block[draw(st.text(max_size=6) | st.sampled_from(WORDS))] = draw(VALUES)
        if not any(_places(document)):
            break
    return document


def _load(path: Path) -> None:
    try:
        load_config(path)
    except ConfigError as error:
        lines = str(error).splitlines()
        assert lines
        assert all(line.startswith(str(path)) for line in lines), lines


@given(mutated(SEEDS))
def test_a_mutated_configuration_is_loaded_or_explained(
    tmp_path_factory: Any, document: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    _load(path)


@given(TEXT)
def test_any_text_is_loaded_or_explained(tmp_path_factory: Any, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "text.yaml"
    path.write_text(text, encoding="utf-8")
    _load(path)


@given(st.data())
def test_a_damaged_file_is_loaded_or_explained(tmp_path_factory: Any, data: st.DataObject) -> None:
    content = bytearray((DATA / "comprehensive.yaml").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.yaml"
    path.write_bytes(content)
    _load(path)


@given(mutated([LOCK]))
def test_a_mutated_lock_is_read_or_explained(tmp_path_factory: Any, document: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "models.lock.json"
    path.write_text(json.dumps(document, default=str), encoding="utf-8")
    with contextlib.suppress(ConfigError):
        read_lock(path)
