"""Our model server beside its peers: the same LightGBM model, payloads, machine and run.

Two outputs of 300 trees over 20 features, one prediction thread, JSON. Every server answers 1, 32
and 1000 rows over 1 and 8 keep-alive connections, from a load generator in a process of its own:

    python benchmarks/servers.py [--seconds 2] [--rounds 3] [--only ours,mlflow]

Each peer runs in an environment of its own, pinned beside the benchmark and kept below
`.forecast/test-environments`: `mlflow models serve`, MLServer (asked by a named column for each
feature, and by one nameless tensor) and BentoML with one worker each, and the reproduction of AWS's
scikit-learn image (gunicorn, gevent, Flask; without its nginx) with pandas hooks (around boosters
with one thread, and around a pickled estimator with the image's threads), with our entry point and
with our WSGI application.
Latencies are those of one connection, requests/s the best over both numbers of
connections; all servers run at once and are asked in turn, round by round: latencies are medians
over the rounds, requests/s the best. Memory is the proportional share (PSS) of all processes of a
server after the load, ready is the time from its start to its first answer. Ratios travel between
machines, the absolute figures do not.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from served_model import FEATURES, ROOT, Instances, Launch, build_model, launches, process_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = (1, 32, 1000)
CONNECTIONS = (1, 8)
READY_SECONDS = 120
TARGETS = {"mlflow": 10.0, "mlserver": 6.0, "mlserver tensor": 6.0, "bentoml": 8.0}
"""How many times a peer's requests/s at one row ours has to have."""
AWS_TARGET = 7.0
"""The same for our handler in AWS's stack against the pandas hooks in it, and for the p50."""


class Figures(NamedTuple):
    """What was measured of one server.

    Attributes:
        rows: by number of rows: p50 and p99 in µs, and requests/s.
        memory_mib: proportional share of all its processes.
        ready_seconds: from the start to the first answer.
    """

    rows: dict[int, tuple[float, float, float]]
    memory_mib: float
    ready_seconds: float


@contextlib.contextmanager
def running(launch: Launch, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """A started server and the seconds that it took to answer."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{launch.name}.log"
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**keep, "OMP_NUM_THREADS": "1", **launch.variables}
    body = launch.body([dict.fromkeys(FEATURES, 0.5)])
    with log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            launch.command, env=environment, cwd=launch.folder, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
        try:
            while not answers(launch, body):
                if process.poll() is not None or time.perf_counter() - began > READY_SECONDS:
                    sys.exit(f"{launch.name} did not start:\n{log.read_text()[-3000:]}")
                time.sleep(0.02)
            yield process, time.perf_counter() - began
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a server and the processes that it has started."""
    children = process_tree(process.pid)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, 9)
    process.wait()


def answers(launch: Launch, body: bytes) -> bool:
    """Whether a server answers one row."""
    try:
        return bool(load(launch, body, 1, 0.0)["requests"])
    except RuntimeError:
        return False


def load(launch: Launch, body: bytes, connections: int, seconds: float) -> Any:
    """Run the load generator.

    Raises:
        RuntimeError: the server does not answer, or with an error.
    """
    if seconds == 0.0:
        return probe(launch, body)
    file = ROOT / ".forecast/benchmarks/body.json"
    file.write_bytes(body)
    command = [
        sys.executable, str(Path(__file__).with_name("load_generator.py")),
        "--port", str(launch.port), "--path", launch.path, "--body", str(file),
        "--connections", str(connections), "--seconds", str(seconds),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    figures = json.loads(done.stdout) if done.returncode == 0 else {"errors": done.stderr[-500:]}
    if figures["errors"]:
        raise RuntimeError(f"{launch.name} failed: {figures}")
    return figures


def probe(launch: Launch, body: bytes) -> dict[str, int]:
    """One request, over a connection of its own."""
    from http.client import HTTPConnection, HTTPException  # noqa: PLC0415 - for this alone

    connection = HTTPConnection("127.0.0.1", launch.port, timeout=10)
    try:
        connection.request("POST", launch.path, body, {"Content-Type": "application/json"})
        return {"requests": int(connection.getresponse().status == 200)}  # noqa: PLR2004 - success
    except (OSError, HTTPException):
        raise RuntimeError(f"{launch.name} does not answer") from None
    finally:
        connection.close()


def memory_mib(process_id: int) -> float:
    """The proportional share of memory of a process and all that it has started, in MiB."""
    total = 0
    for found in process_tree(process_id):
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{found}/smaps_rollup").read_text()
            total += next(
                int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")
            )
    return total / 1024


def measure(
    started: dict[str, tuple[Launch, subprocess.Popen[bytes], float]],
    payloads: dict[int, Instances],
    seconds: float,
    rounds: int,
) -> dict[str, Figures]:
    """Ask all servers everything, in turn: a busy moment of the machine meets all of them."""
    found: dict[tuple[str, int, int], list[Any]] = {}
    for turn in range(rounds + 1):
        for count, instances in payloads.items():
            for name, (launch, _, _) in started.items():
                body = launch.body(instances)
                for connections in CONNECTIONS:
                    if turn:
                        figures = load(launch, body, connections, seconds)
                        found.setdefault((name, count, connections), []).append(figures)
                    else:
                        load(launch, body, connections, seconds / 3)  # warm
        print(f"round {turn} of {rounds} is done", file=sys.stderr)
    results: dict[str, Figures] = {}
    for name, (_, process, ready) in started.items():
        rows: dict[int, tuple[float, float, float]] = {}
        for count in payloads:
            alone = found[name, count, CONNECTIONS[0]]
            several = [
                each for connections in CONNECTIONS for each in found[name, count, connections]
            ]
            rows[count] = (
                statistics.median(each["p50_us"] for each in alone),
                statistics.median(each["p99_us"] for each in alone),
                max(each["per_second"] for each in several),
            )
        results[name] = Figures(rows, memory_mib(process.pid), ready)
    return results


def raw_predict(folder: Path, payloads: dict[int, Instances], seconds: float) -> Figures:
    """The model alone, in this process."""
    import lightgbm  # noqa: PLC0415 - the thread count is set first
    import numpy as np  # noqa: PLC0415

    boosters = [lightgbm.Booster(model_file=str(file)) for file in sorted(folder.glob("*.txt"))]
    rows: dict[int, tuple[float, float, float]] = {}
    for count, instances in payloads.items():
        matrix = np.array([list(row.values()) for row in instances])
        times: list[int] = []
        end_at = time.perf_counter() + seconds
        while time.perf_counter() < end_at:
            began = time.perf_counter_ns()
            for booster in boosters:
                booster.predict(matrix, num_threads=1)
            times.append(time.perf_counter_ns() - began)
        times.sort()
        middle = times[len(times) // 2] / 1000
        rows[count] = (middle, times[int(len(times) * 0.99)] / 1000, 1e6 / middle)
    return Figures(rows, 0.0, 0.0)


def table(results: dict[str, Figures]) -> str:
    """The figures as a Markdown table."""
    heads = " | ".join(f"{count} rows: p50 ms, p99 ms, req/s" for count in ROWS)
    lines = [f"| server | {heads} | MiB | ready s |", "|---" * (len(ROWS) + 3) + "|"]
    for name, figures in results.items():
        cells = " | ".join(
            f"{p50 / 1000:.2f}, {p99 / 1000:.2f}, {rate:.0f}"
            for p50, p99, rate in figures.rows.values()
        )
        lines.append(
            f"| {name} | {cells} | {figures.memory_mib:.0f} | {figures.ready_seconds:.1f} |"
        )
    return "\n".join(lines)


def verdicts(results: dict[str, Figures]) -> Iterator[str]:
    """Every target, and whether it was met."""
    ours = results.get("ours standard")
    for peer, target in TARGETS.items():
        if ours is None or peer not in results:
            continue
        theirs = results[peer]
        ratio = ours.rows[1][2] / theirs.rows[1][2]
        yield f"{peer}: {ratio:.1f} times its requests/s at 1 row, target {target:g}"
        behind = [
            f"{what} at {count} rows"
            for count in ROWS
            for what, lower, position in (("p50", True, 0), ("p99", True, 1), ("req/s", False, 2))
            if (ours.rows[count][position] > theirs.rows[count][position]) == lower
        ]
        behind += ["memory"] * (ours.memory_mib > theirs.memory_mib)
        behind += ["time to ready"] * (ours.ready_seconds > theirs.ready_seconds)
        yield f"{peer}: " + (f"BEHIND in {', '.join(behind)}" if behind else "ahead in everything")
    for peer in ("AWS pandas", "AWS pandas estimator"):
        for name in ("AWS ours", "AWS wsgi", "AWS wsgi fast"):
            if peer in results and name in results:
                rate = results[name].rows[1][2] / results[peer].rows[1][2]
                p50 = results[peer].rows[1][0] / results[name].rows[1][0]
                yield (
                    f"{name}: {rate:.1f} times the requests/s of {peer} at 1 row, p50 "
                    f"{p50:.1f} times shorter, target {AWS_TARGET:g} each"
                )


def is_wanted(name: str, only: str) -> bool:
    """Whether a server's name holds one of the parts, or there are none."""
    parts = [part for part in only.split(",") if part]
    return not parts or any(part in name for part in parts)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Compare model servers.")
    parser.add_argument("--seconds", type=float, default=2.0, help="per measurement")
    parser.add_argument("--only", default="", help="parts of names, separated by commas")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    folder = ROOT / ".forecast/benchmarks/servers"
    shutil.rmtree(folder, ignore_errors=True)
    payloads = build_model(folder, ROWS)
    with contextlib.ExitStack() as stack:
        started = {}
        for launch in launches(folder, lambda name: is_wanted(name, options.only)):
            process, ready = stack.enter_context(
                running(launch, ROOT / ".forecast/benchmarks/logs")
            )
            started[launch.name] = (launch, process, ready)
        results = measure(started, payloads, options.seconds, options.rounds)
    results = {
        "raw predict": raw_predict(folder / "boosters", payloads, options.seconds),
        **results,
    }
    print(table(results), *verdicts(results), sep="\n")


if __name__ == "__main__":
    main()
