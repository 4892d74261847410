"""Every long stage is told, from its beginning to its last byte."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from forecast_packaging import Alias, Version, package, progress_lines, resolve
from forecast_packaging.progress import STEP_BYTES, Meter, MeteredReader

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_config import LockedModel

Call = tuple[str, int, int]


def stages(calls: list[Call]) -> list[str]:
    """The stages in the order in which they began, after a check that each one is complete."""
    begins = [index for index, call in enumerate(calls) if call[1] == 0]
    for first, last in pairwise([*begins, len(calls)]):
        steps = calls[first:last]
        assert {(stage, total) for stage, _, total in steps} == {(steps[0][0], steps[0][2])}
        done = [step[1] for step in steps]
        assert done == sorted(done)
        assert done[-1] == steps[0][2]
    return [calls[index][0] for index in begins]


def test_resolving_tells_the_download_and_the_digests(tmp_path: Path, tracking_uri: str) -> None:
    calls: list[Call] = []
    resolve(
        root=tmp_path,
        tracking_uri=tracking_uri,
        name="produce",
        selector=Alias("champion"),
        progress=lambda *call: calls.append(call),
    )
    assert stages(calls) == ["download", "download", "digest"]
    downloaded = sum(call[2] for call in calls if call[:2] == ("download", 0))
    assert 0 < downloaded < calls[-1][2]  # the run's record is written, not downloaded


def test_packing_tells_every_stage(project: Path, produce: LockedModel, tracking_uri: str) -> None:
    calls: list[Call] = []

    def build() -> list[str]:
        calls.clear()
        package(
            root=project,
            tracking_uri=tracking_uri,
            lock=produce,
            progress=lambda *call: calls.append(call),
        )
        return stages(calls)

    assert build() == ["digest", "predict", "pack", "unpack", "predict"]
    assert build() == ["digest"]


def test_a_version_taken_from_the_cache_tells_its_digests(project: Path, tracking_uri: str) -> None:
    calls: list[Call] = []
    resolve(
        root=project,
        tracking_uri=tracking_uri,
        name="produce",
        selector=Version("1"),
        refresh=False,
        progress=lambda *call: calls.append(call),
    )
    assert stages(calls) == ["digest"]


def test_a_meter_tells_the_beginning_the_end_and_not_every_byte() -> None:
    calls: list[Call] = []
    total = 3 * STEP_BYTES + 7
    meter = Meter(lambda *call: calls.append(call), "pack", total)
    reader = MeteredReader(io.BytesIO(bytes(total)), meter)
    while reader.read(1024):
        pass
    done = [0, STEP_BYTES, 2 * STEP_BYTES, 3 * STEP_BYTES, total]
    assert calls == [("pack", count, total) for count in done]


def test_lines_are_written_for_large_stages_when_they_begin() -> None:
    stream = io.StringIO()
    tell = progress_lines(stream)
    for stage in ("download", "digest", "pack", "unpack"):
        for done in (0, 256_000_000, 512_000_000):
            tell(stage, done, 512_000_000)
    assert stream.getvalue().splitlines() == [
        "downloading 512 MB",
        "verifying 512 MB",
        "packing 512 MB",
        "unpacking 512 MB",
    ]


@pytest.mark.parametrize(
    ("total", "expected"),
    [(0, ""), (16 * 1024 * 1024 - 1, ""), (16 * 1024 * 1024, "packing 17 MB\n")],
)
def test_small_stages_and_those_of_unknown_size_write_nothing(total: int, expected: str) -> None:
    stream = io.StringIO()
    progress_lines(stream)("pack", 0, total)
    assert stream.getvalue() == expected
