from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forecast_packaging import ModelError
from forecast_packaging.formats.parts import ServedBundle, ServedPart
from forecast_packaging.libraries.requirements import read_pins, render, serving_pins

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def pins(tmp_path: Path) -> Callable[[str], dict[str, str | None]]:
    def read(text: str) -> dict[str, str | None]:
        (tmp_path / "requirements.txt").write_text(text)
        return read_pins(tmp_path / "requirements.txt")

    return read


PART = ServedPart("xgboost", "xgboost", Path("model.ubj"), "model/model.ubj", ("price",))
NATIVE = ServedBundle((PART,), ("array",))
LIGHTGBM = ServedBundle((replace(PART, flavor="lightgbm", library="lightgbm"),), ("array",))
PICKLED = ServedBundle(
    (replace(PART, flavor="sklearn", library="scikit-learn", pickled=True),), ("array",)
)
LOGGED = """\
mlflow==3.17.2
numpy==2.4.6
pandas==3.1.1
pytest==9.2.0
rich==15.0.0
scikit-learn==1.9.0
scipy==1.17.1
skops==0.16.0
"""


def test_a_native_model_needs_its_library_alone(
    pins: Callable[[str], dict[str, str | None]],
) -> None:
    found = serving_pins(
        pins("xgboost==3.2.0\nnumpy==2.4.6\nscipy==1.17.1\n"),
        NATIVE,
        dataframe=False,
    )
    assert render(found) == b"xgboost==3.2.0\n"


def test_a_pickled_model_keeps_all_but_the_tools_of_training(
    pins: Callable[[str], dict[str, str | None]],
) -> None:
    found = serving_pins(pins(LOGGED), PICKLED, dataframe=True)
    assert render(found).decode().split() == [
        "numpy==2.4.6",
        "pandas==3.1.1",
        "scikit-learn==1.9.0",
        "scipy==1.17.1",
    ]


def test_a_pickle_that_names_no_pandas_does_not_bring_it(
    pins: Callable[[str], dict[str, str | None]],
) -> None:
    found = serving_pins(
        pins(LOGGED),
        replace(PICKLED, unused=frozenset({"pandas", "cloudpickle"})),
        dataframe=False,
    )
    assert "pandas" not in found


def test_the_two_names_of_xgboost_are_one_library(
    pins: Callable[[str], dict[str, str | None]],
) -> None:
    assert pins("xgboost-cpu==3.2.0\n") == {"xgboost": "3.2.0"}
    assert pins("xgboost_cpu==3.2.0\nxgboost==3.2.0\n") == {"xgboost": "3.2.0"}
    with pytest.raises(ModelError, match=r"asks for xgboost in two versions, 3\.2\.0 and 3\.1\.0"):
        pins("xgboost-cpu==3.2.0\nxgboost==3.1.0\n")


def test_comments_extras_and_spaces_are_read(pins: Callable[[str], dict[str, str | None]]) -> None:
    assert pins("# made by a tool\n\nDask[array] == 2.0 # pinned\n") == {"dask": "2.0"}


@pytest.mark.parametrize(
    "line",
    [
        "-e .",
        "-r more.txt",
        "git+https://example.com/xgboost.git",
        "xgboost @ https://example.com/xgboost.whl",
        "./wheels/xgboost.whl",
        "--extra-index-url https://example.com",
    ],
)
def test_a_line_without_a_version_to_install_is_refused(
    pins: Callable[[str], dict[str, str | None]], line: str
) -> None:
    with pytest.raises(ModelError) as caught:
        pins(f"numpy==2.4.6\n{line}\n")
    assert f"has the line {line!r}, expected <name>==<version>" in str(caught.value)


@pytest.mark.parametrize("line", ["xgboost", "xgboost>=3", "xgboost==3.*", "xgboost===3.2.0"])
def test_a_needed_library_without_an_exact_version_is_refused(
    pins: Callable[[str], dict[str, str | None]], line: str
) -> None:
    with pytest.raises(ModelError, match="names xgboost without an exact version"):
        serving_pins(pins(line), NATIVE, dataframe=False)


def test_a_missing_library_is_refused(pins: Callable[[str], dict[str, str | None]]) -> None:
    with pytest.raises(ModelError, match="names lightgbm not at all, expected lightgbm=="):
        serving_pins(pins(LOGGED), LIGHTGBM, dataframe=False)


def test_an_unpinned_tool_of_training_is_no_obstacle(
    pins: Callable[[str], dict[str, str | None]],
) -> None:
    found = serving_pins(pins("rich\nscikit-learn==1.9.0\n"), PICKLED, dataframe=False)
    assert found == {"scikit-learn": "1.9.0"}


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no readable requirements\.txt"):
        read_pins(tmp_path / "requirements.txt")
