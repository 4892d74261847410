"""Times every stage of the main job beside the floor that it cannot get under.

    python benchmarks/main_job.py [--data DIR] [--runs 3]

Training is left out. All stages run in a folder of their own with a local AWS of its own, as the
commands that a person runs; a floor is what the stage's tools take to do nothing. The median of the
runs is shown, and its ratio to the floor from the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[1]
STACK = "ForecastProd"
EMPTY_APP = "from aws_cdk import App, Stack\napp = App()\nStack(app, 'Empty')\napp.synth()\n"
INVOKE = """
import boto3, sys
client = boto3.client("sagemaker-runtime")
answer = client.invoke_endpoint(
    EndpointName="produce-forecast-prod", ContentType="application/json", Body=sys.stdin.read()
)
answer["Body"].read()
"""

console = Console()


class Bench:
    """A project folder and the seconds that each stage took in it."""

    def __init__(self, root: Path, data: Path | None) -> None:
        self.root = root
        self._data = [] if data is None else ["--data", str(data.resolve())]
        tools = [str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin")]
        self.environment = {**os.environ, "CI": "true"}
        self.environment["PATH"] = os.pathsep.join([*tools, os.environ.get("PATH", "")])
        self.seconds: dict[str, list[float]] = {}

    def run(self, *command: str, text: str = "", cwd: Path | None = None) -> str:
        """Run a command in the project; its output when it succeeds, else the program's end."""
        done = subprocess.run(
            command,
            cwd=cwd or self.root,
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def time(self, stage: str, *command: str, text: str = "", cwd: Path | None = None) -> None:
        """Run a command and note how long it took."""
        start = time.perf_counter()
        self.run(*command, text=text, cwd=cwd)
        self.seconds.setdefault(stage, []).append(time.perf_counter() - start)
        console.print(f"  {stage:22} {self.seconds[stage][-1]:7.2f} s", highlight=False)

    def prepare(self) -> str:
        """Lay out the project and train; the request of the last week."""
        for name in ("app.py", "cdk.json"):
            shutil.copy(ROOT / name, self.root / name)
        (self.root / "config").mkdir()
        shutil.copy(ROOT / "config" / "forecast.yaml", self.root / "config")
        empty = self.root / "empty"
        empty.mkdir()
        (empty / "app.py").write_text(EMPTY_APP)
        (empty / "cdk.json").write_text('{"app": "python app.py"}')
        self.run("python", str(ROOT / "examples" / "train.py"), *self._data)
        write = str(ROOT / "examples" / "request.py")
        return self.run("python", write, *self._data, "--last-days", "7")

    def measure(self, request: str) -> None:
        """One run of all stages, from a cold cache and an empty local AWS."""
        shutil.rmtree(self.root / ".forecast", ignore_errors=True)
        shutil.rmtree(self.root / "cdk.out", ignore_errors=True)
        (self.root / "config" / "models.lock.json").unlink(missing_ok=True)
        self.time("floor: import mlflow", "python", "-c", "import mlflow")
        self.time("resolve", "forecast", "resolve", "prod")
        self.time("floor: import runtime", "python", "-c", "import xgboost, forecast_packaging")
        self.time("package, cold", "forecast", "package", "prod")
        self.time("floor: forecast --help", "forecast", "--help")
        self.time("package, warm", "forecast", "package", "prod")
        self.time("floor: empty CDK app", "cdk", "synth", "-q", cwd=self.root / "empty")
        self.time("synth", "cdk", "synth", "-q", "-c", "environments=prod")
        self.time("start the local AWS", "forecast", "local", "up")
        exports = self.run("forecast", "local", "env").replace("export ", "").splitlines()
        local = dict(line.replace("'", "").split("=", 1) for line in exports)
        self.environment |= {**local, "AWS_DEFAULT_REGION": "ap-southeast-1"}
        self.time("bootstrap", "cdk", "bootstrap", "-c", "environments=prod")
        deploy = ("cdk", "deploy", STACK, "--require-approval", "never")
        self.time("deploy", *deploy, "-c", "environments=prod")
        self.time("floor: import boto3", "python", "-c", "import boto3")
        self.time("first answer", "python", "-c", INVOKE, text=request)
        self.run("forecast", "local", "down")
        for name in local:
            del self.environment[name]


FLOORS = {
    "resolve": "floor: import mlflow",
    "package, cold": "floor: import runtime",
    "package, warm": "floor: forecast --help",
    "synth": "floor: empty CDK app",
    "deploy": "floor: empty CDK app",
    "first answer": "floor: import boto3",
}


def show(seconds: dict[str, Sequence[float]], rows: int) -> None:
    """Print the medians and their ratios."""
    table = Table("stage", "median s", "floor", "floor s", "ratio", title="the main job")
    for stage, taken in seconds.items():
        if stage.startswith("floor"):
            continue
        floor = FLOORS.get(stage)
        cells = [stage, f"{statistics.median(taken):.2f}"]
        if floor:
            ratio = statistics.median(a / b for a, b in zip(taken, seconds[floor], strict=True))
            base = statistics.median(seconds[floor])
            cells += [floor.removeprefix("floor: "), f"{base:.2f}", f"{ratio:.1f}"]
        table.add_row(*cells)
    table.caption = f"the first answer forecasts {rows} rows"
    console.print(table)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of a real market; default: generated")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), arguments.data)
        console.print("training")
        request = bench.prepare()
        try:
            for number in range(arguments.runs):
                console.print(f"run {number + 1} of {arguments.runs}")
                bench.measure(request)
        finally:
            bench.run("forecast", "local", "down")
        show(bench.seconds, len(json.loads(request)["instances"]))


if __name__ == "__main__":
    main()
