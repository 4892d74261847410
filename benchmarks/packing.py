"""Times and weighs every stage of packing beside a copy, a sha256 pass and what others do.

    python benchmarks/packing.py [--megabytes 100 500] [--runs 3] [--without-level-9]
    python benchmarks/packing.py --kinds noise --megabytes 4096 --runs 1 --without-level-9

Three kinds of content: a pickled forest of scikit-learn, an array of prices, as a model of nearest
neighbours keeps them, and noise, which nothing compresses. Each stage runs in a process of its own,
which times it (without its own start) and whose largest resident set is shown; the stages follow
each other in every run, and the fastest of the runs is shown, beside the seconds of all its cores,
which a busy machine changes less. `level 9` is what tarfile does with `w:gz`, and with it the
SageMaker SDK's repack_model.

What stands for an unchanged model is the whole of `package`, its registry unreachable.
"""

from __future__ import annotations

import argparse
import json
import pickle
import re
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from forecast_config import LockedModel
from forecast_config.settings import ServingSettings
from forecast_packaging import package
from forecast_packaging.building.archive import unpack_archive, write_archive
from forecast_packaging.building.builds import Builds
from forecast_packaging.building.kept import BuildRecord
from forecast_packaging.building.runtime import runtime_digest, runtime_files
from forecast_packaging.documents import readable
from forecast_packaging.manifest import file_sha256, scan
from forecast_packaging.workspace import place_file

if TYPE_CHECKING:
    from collections.abc import Callable

MB = 1_000_000
UNREACHABLE = "http://127.0.0.1:9"
TARGETS = {"pack": 2.5, "unchanged": 1.3}
DIGEST = "sha256:" + "0" * 64
LOCK = LockedModel(
    name="bench",
    version="1",
    run_id="run",
    model_digest=DIGEST,
    signature_digest=DIGEST,
    libraries={"python": "3.12.4"},
)
SERVING = ServingSettings(model_data="archive")

console = Console()


def make_forest(file: Path, size: int) -> None:
    """Write pickled forests until the file has about `size` bytes."""
    import numpy as np  # noqa: PLC0415 - the timed stages need neither
    from sklearn.ensemble import RandomForestRegressor  # noqa: PLC0415

    random = np.random.default_rng(0)
    with file.open("wb") as out:
        seed = 0
        while out.tell() < size:
            rows = random.normal(size=(10_000, 20))
            target = rows[:, 0] + random.normal(size=len(rows))
            forest = RandomForestRegressor(n_estimators=20, n_jobs=-1, random_state=seed)
            pickle.dump(forest.fit(rows, target), out, protocol=5)
            seed += 1


def make_prices(file: Path, size: int) -> None:
    """Write doubles of two decimals."""
    import numpy as np  # noqa: PLC0415 - the timed stages do not need it

    prices = np.random.default_rng(0).lognormal(1.5, 0.5, size=8 * MB)
    _repeat(file, np.round(prices, 2).tobytes(), size)


def make_noise(file: Path, size: int) -> None:
    """Write normally distributed doubles."""
    import numpy as np  # noqa: PLC0415 - the timed stages do not need it

    _repeat(file, np.random.default_rng(0).normal(size=8 * MB).tobytes(), size)


def _repeat(file: Path, block: bytes, size: int) -> None:
    # Deflate looks back by 32 KiB, and does not see that a block comes again.
    with file.open("wb") as out:
        while out.tell() < size:
            out.write(block[: size - out.tell()])


KINDS: dict[str, Callable[[Path, int], None]] = {
    "forest": make_forest,
    "prices": make_prices,
    "noise": make_noise,
}


class Bench:
    """The folder of one content, and the stages that run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = folder / "stage/model/model.pkl"
        self.archive = folder / "model.tar.gz"
        self.stages: dict[str, Callable[[], Any]] = {
            "copy": lambda: shutil.copyfile(self.model, folder / "copy"),
            "sha256": lambda: file_sha256(self.model),
            "pack": lambda: write_archive(folder / "stage", self.archive),
            "check": self._check,
            "link": self._link,
            "model-info": lambda: scan(folder / "stage", "bench"),
            "level 9": self._level_9,
            "unpack zlib": self._unpack_zlib,
            "sha256 of archive": lambda: file_sha256(self.archive),
            "unchanged": self._unchanged,
        }

    def make(self, kind: str, size: int) -> None:
        """Write the content."""
        self.model.parent.mkdir(parents=True)
        for path, file in runtime_files().items():
            copy = self.folder / "stage" / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        KINDS[kind](self.model, size)

    def time(self, stage: str) -> tuple[float, float]:
        """Seconds that a stage takes, by the clock and of all cores."""
        if stage == "unchanged":
            self._record()
        start, cores = time.perf_counter(), time.process_time()
        self.stages[stage]()
        return time.perf_counter() - start, time.process_time() - cores

    def _record(self) -> None:
        """Write the record by which `package` finds the archive again."""
        size = self.model.stat().st_size
        record = BuildRecord(
            archive="../../model.tar.gz",
            archive_digest=DIGEST,
            file_sha256=file_sha256(self.archive),
            files_digest=DIGEST,
            unpacked_bytes=size,
            model_bytes=size,
            runs_code_on_load=False,
        )
        builds = Builds(self.folder, LOCK, SERVING, runtime_digest(runtime_files()), {})
        path = builds._record  # noqa: SLF001 - what publish() writes
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(readable(asdict(record)))

    def _check(self) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder) as into:
            unpack_archive(self.archive, Path(into), staged=self.folder / "stage")

    def _link(self) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder) as into:
            place_file(self.model, Path(into) / "model.pkl")

    def _level_9(self) -> None:
        with tarfile.open(self.folder / "level9.tar.gz", "w:gz") as tar:
            tar.add(self.folder / "stage", arcname=".")

    def _unpack_zlib(self) -> None:
        inflater = zlib.decompressobj(31)
        with self.archive.open("rb") as file, (self.folder / "copy").open("wb") as out:
            while data := file.read(1024 * 1024):
                out.write(inflater.decompress(data))

    def _unchanged(self) -> None:
        package(root=self.folder, tracking_uri=UNREACHABLE, lock=LOCK, serving=SERVING)


def measure(folder: Path, stage: str) -> tuple[float, float, float]:
    """Seconds, those of all cores, and resident megabytes of a stage in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--stage", stage, str(folder)],
        stdout=subprocess.PIPE,
        check=True,
    )
    seconds, cores, resident = json.loads(done.stdout)
    return seconds, cores, resident


def resident_megabytes() -> float:
    """The largest resident set of this process so far."""
    status = Path("/proc/self/status")
    if status.exists():
        # The kernel's other figure, ru_maxrss, begins with that of the parent.
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
        assert found is not None
        return int(found[1]) * 1024 / MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB


def compare(kind: str, megabytes: int, runs: int, *, with_level_9: bool) -> None:
    """Measure one content and show it."""
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name))
        bench.make(kind, megabytes * MB)
        stages = [stage for stage in bench.stages if with_level_9 or stage != "level 9"]
        best: dict[str, tuple[float, float, float]] = {}
        for _ in range(runs):
            for stage in stages:
                # Once is enough for what takes a minute.
                if stage != "level 9" or stage not in best:
                    found = measure(bench.folder, stage)
                    best[stage] = min(best.get(stage, found), found)
        size = bench.model.stat().st_size
        packed = bench.archive.stat().st_size / size
    show(f"{kind}, {size / MB:,.0f} MB, packed to {packed:.0%}", size, best)


def show(title: str, size: int, best: dict[str, tuple[float, float, float]]) -> None:
    """Print a table of all stages."""
    floor = best["copy"][0] + best["sha256"][0]
    table = Table(title=title)
    for column in (
        "stage",
        "s",
        "s of cores",
        "MB/s",
        "of copy + sha256",
        "of level 9",
        "resident MB",
    ):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for stage, (seconds, cores, resident) in best.items():
        level_9 = best["level 9"][0] / seconds if "level 9" in best else None
        table.add_row(
            stage,
            f"{seconds:.3f}",
            f"{cores:.3f}",
            f"{size / MB / seconds:,.0f}",
            f"{seconds / floor:.2f}",
            "" if level_9 is None else f"1/{level_9:.0f}",
            f"{resident:.0f}",
        )
    console.print(table)
    unchanged = best["unchanged"][0] / best["sha256 of archive"][0]
    console.print(
        f"pack: {best['pack'][0] / floor:.2f} times copy + sha256 (at most {TARGETS['pack']}); "
        f"unchanged: {unchanged:.2f} times one sha256 pass (at most {TARGETS['unchanged']})"
    )


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=int, nargs="+", default=[100, 500])
    parser.add_argument("--kinds", choices=KINDS, nargs="+", default=list(KINDS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--without-level-9", action="store_true")
    parser.add_argument("--stage", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        seconds = Bench(Path(given.stage[1])).time(given.stage[0])
        print(json.dumps([*seconds, resident_megabytes()]))
        return
    for megabytes in given.megabytes:
        for kind in given.kinds:
            compare(kind, megabytes, given.runs, with_level_9=not given.without_level_9)


if __name__ == "__main__":
    main()
