"""Times the synth of this app beside an empty CDK app, by environments and with and without rules.

    python benchmarks/synth.py [--runs 5]

The empty app is what `cdk init app --language python` makes: one stack with nothing in it. Ours is
the project's own configuration with all checks on, and with every environment once and twice more;
the model is a stand-in that is packed already, as in a second synth. Each synth is a process of its
own; the variants take turns, so that a busy machine troubles all of them alike. Shown are the
median of the runs in seconds of the clock and of all cores, the ratio to the empty app, and where
the time of the last run went.
"""

from __future__ import annotations

import argparse
import copy
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from forecast_config import PackagedModel

REPOSITORY = Path(__file__).parents[1]
CONFIGURATION = REPOSITORY / "config" / "forecast.yaml"

EMPTY = "empty app"
VARIANTS = {
    EMPTY: ("empty", 0),
    "1 environment": ("rules", 1),
    "3 environments": ("rules", 3),
    "3 environments without rules": ("default", 3),
    "6 environments": ("rules", 6),
}
"""How the child is called for each: which checks, and how many environments."""

GOLDEN = {
    "schema_version": 2,
    "requests": [
        {
            "name": "example",
            "content_type": "application/json",
            "accept": "application/json",
            "body": '{"instances": [{"price": 4.5}]}',
            "status": 200,
            "answer": {"predictions": [{"forecasted_price": 4.75, "model_version": "16"}]},
        }
    ],
}
"""What the heartbeat of an environment asks."""

RATIO_TARGET = 2.5
FURTHER_TARGET_SECONDS = 0.2


def _configuration(folder: Path, count: int) -> Path:
    """A configuration with so many environments: the project's own, and copies of them."""
    document = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))
    own = dict(document["environments"])
    ordered = dict(sorted(own.items(), key=lambda item: item[0] != "prod"))
    environments: dict[str, Any] = {}
    for number in range(count):
        name, block = list(ordered.items())[number % len(ordered)]
        environment = copy.deepcopy(block)
        if number >= len(ordered):
            name = f"{name}-{number}"
            environment["endpoint"]["name"] += f"-{number}"
        environments[name] = environment
    document["environments"] = environments
    path = folder / "forecast.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def _packed(folder: Path) -> PackagedModel:
    from forecast_config import LockedModel, PackagedModel  # noqa: PLC0415 - timed with the rest

    archive = folder / "model.tar.gz"
    archive.write_bytes(b"an archive")
    golden = folder / "golden_requests.json"
    golden.write_text(json.dumps(GOLDEN), encoding="utf-8")
    digest = f"sha256:{'0' * 64}"
    locked = LockedModel(
        name="forecaster",
        version="16",
        run_id="run-16",
        model_digest=digest,
        signature_digest=digest,
        libraries={"python": "3.12"},
        formats=["lightgbm"],
    )
    return PackagedModel(archive=archive, archive_digest=digest, model=locked, golden=golden)


def _synthesize(kind: str, config: Path | None, folder: Path) -> dict[str, float]:
    """Seconds of each stage of one synth, in this process."""
    # The imports are what is timed first.
    marks = {"start": time.perf_counter()}
    from aws_cdk import App, Stack, Validations  # noqa: PLC0415

    marks["import aws_cdk"] = time.perf_counter()
    if kind == "empty":
        app = App(analytics_reporting=False, outdir=str(folder / "cdk.out"))
        Stack(app, "Empty")
        marks["constructs"] = time.perf_counter()
    else:
        assert config is not None
        from forecast_config import load_config  # noqa: PLC0415
        from forecast_constructs.rules import SageMakerRules  # noqa: PLC0415
        from forecast_packaging.building import environment as _  # noqa: F401, PLC0415
        from forecast_stacks import add_environment  # noqa: PLC0415

        marks["import ours"] = time.perf_counter()
        context = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
        app = App(analytics_reporting=False, outdir=str(folder / "cdk.out"), context=context)
        marks["app"] = time.perf_counter()
        if kind == "rules":
            Validations.of(app).add_plugins(SageMakerRules())
            marks["engine and rules"] = time.perf_counter()
        settings = load_config(config)
        packed = _packed(folder)
        marks["configuration"] = time.perf_counter()
        for environment in settings.environments.values():
            add_environment(app, environment, packed)
        marks["constructs"] = time.perf_counter()
    app.synth()
    marks["synth"] = time.perf_counter()
    return {name: marks[name] - marks[before] for before, name in pairwise(marks)}


def _run(kind: str, count: int) -> tuple[float, float, dict[str, float]]:
    """Seconds of the clock, of all cores, and of each stage of one synth in its own process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, __file__, "--child", kind, "--folder", name]
        if count:
            command += ["--config", str(_configuration(folder, count))]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0:
            raise SystemExit(f"the synth failed:\n{done.stderr}")
        stages: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, used, stages


def _measure(runs: int) -> dict[str, list[tuple[float, float, dict[str, float]]]]:
    found: dict[str, list[tuple[float, float, dict[str, float]]]] = {name: [] for name in VARIANTS}
    for _ in range(runs):
        for name, (kind, count) in VARIANTS.items():
            found[name].append(_run(kind, count))
    return found


def _report(found: dict[str, list[tuple[float, float, dict[str, float]]]]) -> None:
    clock = {name: statistics.median(run[0] for run in runs) for name, runs in found.items()}
    cores = {name: statistics.median(run[1] for run in runs) for name, runs in found.items()}
    table = Table("synth", "s", "s of all cores", "ratio", "ratio of cores", "stages of the last")
    for name, runs in found.items():
        stages = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in runs[-1][2].items())
        table.add_row(
            name,
            f"{clock[name]:.2f}",
            f"{cores[name]:.2f}",
            f"{clock[name] / clock[EMPTY]:.2f}",
            f"{cores[name] / cores[EMPTY]:.2f}",
            stages,
        )
    out = Console(width=200)
    out.print(table)
    for unit, of in (("clock", clock), ("all cores", cores)):
        further = (of["6 environments"] - of["3 environments"]) / 3
        rules = of["3 environments"] - of["3 environments without rules"]
        ratio = of["3 environments"] / of[EMPTY]
        out.print(
            f"{unit}: 3 environments take {ratio:.2f} times the empty app (target {RATIO_TARGET}), "
            f"each further one {further:.2f} s (target {FURTHER_TARGET_SECONDS}), "
            f"the rules {rules:.2f} s"
        )


def main() -> None:
    """Measure all variants; with --child, synthesize one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="synths of each variant")
    parser.add_argument("--child", choices=("empty", "rules", "default"), help=argparse.SUPPRESS)
    parser.add_argument("--config", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is None:
        _report(_measure(arguments.runs))
    else:
        print(json.dumps(_synthesize(arguments.child, arguments.config, arguments.folder)))


if __name__ == "__main__":
    main()
